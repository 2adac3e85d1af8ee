#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/plugin/batch.h"
#include "core/plugin/host.h"
#include "core/plugin/params.h"
#include "core/plugin/registry.h"

namespace rec {

inline constexpr int64_t kWidestTable = 1 << 20;  // columns of a user or item table

// A plugin's model, called through its table: a status becomes rec::Error with the plugin's message, an exception
// PLUGIN_FAILED.
class PluginModel {
 public:
  // What these parameters need; refuses columns and negatives this library does not build.
  static rec_plan_t plan(const Plugin& plugin, const Params& params, const rec_schema_t& schema);

  PluginModel(const Plugin& plugin, std::shared_ptr<const Params> params, const rec_schema_t& schema);
  ~PluginModel();
  PluginModel(const PluginModel&) = delete;
  PluginModel& operator=(const PluginModel&) = delete;

  // Threads for later slot calls, and what cancels initialize, bind, compute, score_live and freeze; both must outlive the
  // model or be reset with nullptr.
  void use(ThreadPool* pool, const CancelToken* cancel) { pool_ = pool, cancel_ = cancel; }

  const Plugin& plugin() const { return plugin_; }
  const rec_plan_t& plan() const { return plan_; }
  const rec_schema_t& schema() const { return schema_; }
  bool has(int64_t capability) const { return (plan_.capabilities & capability) != 0; }

  void initialize(int64_t seed);
  void bind(const rec_dataset_view_t& view);
  double compute(const rec_batch_t& batch);
  void apply();
  rec_tensor_view_t gradients(int64_t i);
  void score_live(const rec_batch_t& batch, float* out_scores);

  std::vector<rec_tensor_info_t> tensors() const;
  void get_tensor(int64_t i, void* out_data);
  void set_tensor(int64_t i, const void* data);

  // Returns how many of the tensors the plugin took.
  int64_t warm_start(const std::vector<rec_tensor_info_t>& infos, const std::vector<const void*>& data);

  void freeze();
  rec_tensor_view_t table(int32_t which) const;  // checked: float32, CPU, [n or 1, d], row-major
  void item_weights(rec_csr_t& csr, const float*& weights) const;
  void encode(const rec_batch_t& queries, float* out_vectors) const;
  void score(const rec_batch_t& queries, float* out_scores) const;

 private:
  template <class Slot, class... Args>
  void invoke(const char* name, Slot slot, Args... args) const;
  template <class Slot, class... Args>
  void invoke_cancellable(const char* name, Slot slot, Args... args) const;

  const Plugin& plugin_;
  std::shared_ptr<const Params> params_;
  rec_schema_t schema_;
  rec_plan_t plan_;
  ThreadPool* pool_ = nullptr;
  const CancelToken* cancel_ = nullptr;
  rec_plugin_model_t* model_ = nullptr;
};

int64_t tensor_elements(const rec_tensor_info_t& info);  // checked

// Whether a plugin's tensor may have this name: letters, digits, '_' and '.', and none of the names that files use for
// what is not a plugin's.
bool is_tensor_name(std::string_view name);

}  // namespace rec
