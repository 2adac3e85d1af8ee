#pragma once

#include "plugins/common/pairwise.h"
#include "plugins/slrc_plus/excitation.h"

namespace rec::slrc_plus {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size;
  int64_t history_max;
  double time_scalar;
  int32_t loss;  // REC_LOSS_
  double init_std;
  plugin::OptimizerOptions optimizer;

  void declare(plugin::Fields& field);
};

// A base rate u . i + b_u + b_i plus an excitation by what the user had before: the item itself (relation 0) and items
// that lead to it (relations 1 ..).
class SlrcPlus : public plugin::Model {
 public:
  using Options = slrc_plus::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  SlrcPlus(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  void score(const Context& context, const Batch& queries, float* out_scores) const override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  Kernel kernel_of(int32_t item, int64_t relation) const;
  void score_batch(const Context& context, const Batch& batch);
  float excitation(int32_t item, const float* intervals) const;

  Options options_;
  int64_t n_relations_;  // R, the item's own recurrence included
  plugin::Parameter users_, items_, user_bias_, item_bias_, global_alpha_;
  plugin::Parameter alphas_, pis_, betas_, sigmas_, mus_;  // [n_items, R]
  std::vector<rec_csr_t> relations_;

  plugin::BilinearTerm term_;
  plugin::Floats scores_, dscores_, intervals_;  // [B, C] and [B, C, R]
  plugin::Floats entry_gradients_[5];            // alphas, pis, betas, sigmas, mus
};

}  // namespace rec::slrc_plus
