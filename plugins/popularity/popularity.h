#pragma once

#include "rec_plugin_cpp.h"

namespace rec::popularity {

using plugin::Batch;
using plugin::Context;

// The score of an item is the number of its training interactions.
class Popularity : public plugin::Model {
 public:
  struct Options {
    void declare(plugin::Fields&) {}
  };
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  Popularity(const Options& options, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void append_state(std::vector<plugin::TensorRef>& out) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  plugin::Floats popularity_;                       // [n_items]
  std::vector<std::pair<int32_t, float>> counted_;  // of the last batch
  rec_csr_t by_item_{};
};

}  // namespace rec::popularity
