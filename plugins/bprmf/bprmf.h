#pragma once

#include "plugins/common/pairwise.h"

namespace rec::bprmf {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size;
  plugin::Objective objective;
  plugin::Init init;
  plugin::OptimizerOptions optimizer;
  plugin::Regularizer regularizer;

  void declare(plugin::Fields& field);
};

// Matrix factorisation trained on pairwise order: s(u, i) = p_u . q_i.
class BprMf : public plugin::Model {
 public:
  using Options = bprmf::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  BprMf(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override { return {&users_, &items_}; }
  double compute(const Context& context, const Batch& batch) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  void touch(const Context& context, const Batch& batch);

  Options options_;
  plugin::Parameter users_, items_;  // p [n_users, d], q [n_items, d]
  plugin::PairwiseLoss loss_;
};

}  // namespace rec::bprmf
