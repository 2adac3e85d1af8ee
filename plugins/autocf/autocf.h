#pragma once

#include "plugins/autocf/masks.h"

namespace rec::autocf {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size;
  int64_t n_heads;
  int64_t gcn_layer;
  int64_t gt_layer;
  MaskOptions masks;
  int64_t fix_steps;
  double reg;
  double ssl_reg;
  plugin::OptimizerOptions optimizer;
  int64_t seed;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
};

// Graph collaborative filtering that learns which parts of the graph to mask and rebuild.
class AutoCf : public plugin::Model {
 public:
  using Options = autocf::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  AutoCf(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override;
  void append_state(std::vector<plugin::TensorRef>& out) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void restored() override;
  void freeze(const Context& context) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  std::vector<float> center_noise(const Context& context, int64_t epoch, int64_t batch) const;
  void choose_seeds(const float* scores, const Batch& batch);
  void mask(const Context& context);

  Options options_;
  plugin::Parameter users_, items_;                               // E_0
  std::vector<std::unique_ptr<plugin::Parameter>> transformers_;  // q, k and v of each decoder layer
  Pattern adjacency_;
  // The seeds, then the epoch and batch in which they were chosen; with the keyed draws these determine the masks.
  std::vector<int64_t> mask_state_;
  Masks masks_;
  bool masked_ = false;  // masks_ were drawn from mask_state_
  plugin::TouchedRows batch_users_, batch_items_;
  plugin::Floats served_users_, served_items_;
};

}  // namespace rec::autocf
