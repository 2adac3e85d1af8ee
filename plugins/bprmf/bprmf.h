#pragma once

#include <string>
#include <vector>

#include "plugins/common/embedding.h"
#include "plugins/common/pairwise.h"

namespace rec::bprmf {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size = 64;
  std::string loss = "bpr";
  std::string init = "normal";
  double init_std = 0.01;
  plugin::OptimizerOptions optimizer;
  plugin::Regularizer regularizer;
};

// Matrix factorisation trained on pairwise order: s(u, i) = p_u . q_i; models.md 3.2.
class BprMf : public plugin::Model {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  BprMf(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context&, const rec_dataset_view_t&) override {}
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  std::vector<plugin::TensorRef> tensors() override;
  void settle(const Context& context) override;
  void restored() override;
  void freeze(const Context&) override {}
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  rec_tensor_view_t gradients(int64_t i) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  void catch_up(const Context& context);

  Options options_;
  plugin::Embedding users_, items_;  // p [n_users, d], q [n_items, d]
  plugin::PairwiseStep step_;
  std::vector<std::string> user_state_, item_state_;
  plugin::Floats dense_gradients_;
};

}  // namespace rec::bprmf
