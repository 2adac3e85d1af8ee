#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/base/checked.h"
#include "core/data/dataset.h"
#include "core/data/interactions.h"
#include "core/plugin/model.h"
#include "core/serving/tensor_file.h"

namespace rec {

// What a model knows about its users and items; shared by all models of one training run.
struct Catalog {
  IdMap users, items;
  Buffer<int64_t> title_offsets;  // [n_items + 1], or empty
  Buffer<char> title_bytes;
  std::vector<Relation> relations;
  bool has_user_data = false;
  Csr seen;                      // [n_users] distinct training items, ascending
  Csr held_out;                  // [n_users] distinct items of valid and test, ascending; or empty
  Csr history;                   // [n_users] the last items, oldest first
  Buffer<int64_t> history_time;  // beside history.columns, or empty

  std::string_view title(int64_t item) const;
};

// Histories are cut to this many last items, or to as many as the model reads if that is more.
inline constexpr int64_t kHistoryKept = 100;

std::shared_ptr<const Catalog> make_catalog(const Dataset& dataset, const Interactions& train,
                                            int64_t history_kept = kHistoryKept);

// The relations and features that a plugin is bound to; valid while they live.
std::vector<rec_csr_t> views_of(const std::vector<Relation>& relations);
enum class FeatureData { kNone, kAll };  // for a schema, for a view
std::vector<rec_feature_t> views_of(const std::vector<Feature>& features, FeatureData data);
// Binds a served model to the relations its plan wants, and to nothing else.
void bind_for_serving(PluginModel& model, const Catalog& catalog);

struct MatrixView {
  const float* data = nullptr;
  int64_t rows = 0, d = 0;
  const float* row(int64_t r) const { return data + r * d; }
};

inline bool has_bit(std::span<const uint8_t> bits, int64_t i) {
  return !bits.empty() && (bits[i / 8] >> i % 8 & 1) != 0;
}

// A bit of each item without a training row, clicked or not where any_label; empty when every item has one.
std::vector<uint8_t> untrained_items(const Dataset& dataset, bool any_label);

// A trained model, immutable: its tensors, and one of three ways to be served. Two tables, or an item-by-item matrix,
// need no plugin; anything else is answered by the plugin.
struct Model {
  std::string name;
  int32_t model_version = 0;
  Json info;  // parameters, metrics, data hashes, seed, library version
  std::shared_ptr<const Catalog> catalog;
  std::vector<NamedTensor> parameters;

  // A bit of each item that no training row has: what the model says of it is how it was initialised, so it is not
  // recommended. Empty when there is none, and for a model that knows items by their features.
  std::vector<uint8_t> untrained;

  NamedTensor user_table, item_table;                         // shape empty when the model has no such table
  NamedTensor weight_offsets, weight_columns, weight_values;  // item-by-item CSR, likewise
  bool needs_plugin = false;                                  // for serving
  MemoryBudget budget;                                        // limit given when the file was opened, less what it took

  // The plugin that serves it. One with a runtime such as LibTorch is loaded, or refused, at the first call.
  const PluginModel& plugin() const;  // opened at the first call, in model_file.cpp
  void set_plugin(std::shared_ptr<const PluginModel> plugin) { served_by_->plugin = std::move(plugin); }

  bool is_untrained(int64_t item) const { return has_bit(untrained, item); }
  int64_t n_users() const { return catalog->users.size(); }
  int64_t n_items() const { return catalog->items.size(); }
  MatrixView users() const { return view(user_table); }
  MatrixView items() const { return view(item_table); }
  bool has_item_weights() const { return !weight_offsets.shape.empty(); }
  // A user table with one row serves every user, known or not, unless the model has exactly one user.
  bool serves_everybody() const { return !user_table.shape.empty() && user_table.shape[0] == 1 && n_users() != 1; }

 private:
  static MatrixView view(const NamedTensor& tensor) {
    if (tensor.shape.empty()) return {};
    return {static_cast<const float*>(tensor.data), tensor.shape[0], tensor.shape[1]};
  }

  struct ServedBy {
    std::mutex mutex;
    std::shared_ptr<const PluginModel> plugin;
  };
  std::shared_ptr<ServedBy> served_by_ = std::make_shared<ServedBy>();
};

// Whether vectors or weights of these numbers give finite scores: finite ones could still add up to infinity.
bool can_be_scored(std::span<const float> values);

// Copies of the current tensors of a plugin's model, of this REC_TENSOR_ kind; 0 = of every kind.
std::vector<NamedTensor> copies_of_tensors(PluginModel& live, int32_t kind = 0);

// Gives tensor i of the plugin the values that a file has for it; CORRUPT_DATA for another type, shape or value than the
// plugin says.
void set_from_file(PluginModel& model, const rec_tensor_info_t& info, int64_t i, const NamedTensor& tensor);

// A frozen copy of the plugin's current parameters. The plugin may go on training.
std::shared_ptr<const Model> snapshot(PluginModel& live, const std::shared_ptr<const Params>& params,
                                      std::shared_ptr<const Catalog> catalog, std::vector<uint8_t> untrained,
                                      Json info);

void save_model(const Model& model, const std::string& path, bool user_data, const CancelToken* cancel = nullptr);
void write_model(FileWriter& out, const Model& model, bool user_data);
// memory_limit_bytes covers the file, what is copied from it, its item table as it is served, and what its plugin says it
// allocates; 0 = 256 MiB plus 8 times the size of the file.
std::shared_ptr<const Model> load_model(const std::string& path, int64_t memory_limit_bytes,
                                        const CancelToken* cancel = nullptr);
std::shared_ptr<const Model> load_model_bytes(std::span<const char> bytes, int64_t memory_limit_bytes,
                                              const CancelToken* cancel = nullptr);
// The same over bytes that the model keeps. A plugin that was trained in a worker process is not opened in this one
// until it has to serve.
enum class PluginOpening { kNow, kLater };
std::shared_ptr<const Model> load_model_over(std::shared_ptr<const Buffer<char>> bytes,
                                             PluginOpening opening = PluginOpening::kNow);

// The JSON of rec_model_describe.
Json describe_model(const Model& model);

}  // namespace rec
