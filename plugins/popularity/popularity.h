#pragma once

#include <vector>

#include "plugins/common/model.h"

namespace rec::popularity {

using plugin::Batch;
using plugin::Context;

// Score of an item = number of its training interactions.
class Popularity : public plugin::Model {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  Popularity(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  std::vector<plugin::TensorRef> tensors() override;
  void freeze(const Context& context) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  plugin::Floats popularity_;                       // [n_items]
  std::vector<std::pair<int32_t, float>> counted_;  // of the last batch
  rec_csr_t by_item_{};
};

}  // namespace rec::popularity
