#pragma once

#include <string>
#include <vector>

#include "plugins/common/pairwise.h"
#include "plugins/common/two_tables.h"

namespace rec::bprmf {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size = 64;
  plugin::Objective objective;
  plugin::TableInit init{"normal", 0.01};
  plugin::OptimizerOptions optimizer;
  plugin::Regularizer regularizer;
};

// Matrix factorisation trained on pairwise order: s(u, i) = p_u . q_i.
class BprMf : public plugin::TwoTables {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  BprMf(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void bind(const Context&, const rec_dataset_view_t&) override {}
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void freeze(const Context&) override {}
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  rec_tensor_view_t gradients(int64_t i) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  BprMf(const Options& options, const rec_schema_t& schema);
  void catch_up(const Context& context);

  Options options_;  // users_ is p [n_users, d], items_ is q [n_items, d]
  plugin::PairwiseStep step_;
  plugin::Floats dense_gradients_;
};

}  // namespace rec::bprmf
