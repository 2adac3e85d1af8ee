#pragma once

#include "plugins/autocf/masks.h"
#include "plugins/common/dense_parameters.h"
#include "plugins/common/pairwise.h"
#include "plugins/common/two_tables.h"

namespace rec::autocf {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size = 32;
  int64_t n_heads = 4;
  int64_t gcn_layer = 2;
  int64_t gt_layer = 1;
  MaskOptions masks;
  int64_t fix_steps = 10;
  double reg = 1e-7;
  double ssl_reg = 1;
  plugin::OptimizerOptions optimizer;
  int64_t seed = 1;
};

// Graph collaborative filtering that learns which parts of the graph to mask and rebuild.
class AutoCf : public plugin::TwoTables {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  AutoCf(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  std::vector<plugin::TensorRef> tensors() override;
  void restored() override;
  void freeze(const Context& context) override;
  rec_tensor_view_t gradients(int64_t i) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  AutoCf(const Options& options, const rec_schema_t& schema);
  std::vector<float> center_noise(const Context& context, int64_t epoch, int64_t batch) const;
  void choose_seeds(const float* scores, const Batch& batch);
  void mask(const Context& context);

  Options options_;  // users_ and items_ are E_0
  plugin::DenseParameters dense_;
  Pattern adjacency_;
  // The seeds and, last, the epoch and batch they were chosen in: with the keyed draws, all that the masks are made of.
  std::vector<int64_t> mask_state_;
  Masks masks_;
  bool masked_ = false;  // masks_ are those of mask_state_
  plugin::TouchedRows batch_users_, batch_items_;
  plugin::Floats user_gradients_, item_gradients_;
  plugin::Floats served_users_, served_items_;
};

}  // namespace rec::autocf
