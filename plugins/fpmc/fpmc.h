#pragma once

#include "plugins/common/pairwise.h"
#include "plugins/common/rows.h"

namespace rec::fpmc {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size;
  int64_t basket_size;
  plugin::FrozenRow frozen;
  plugin::Objective objective;
  plugin::Init init;
  plugin::OptimizerOptions optimizer;

  void declare(plugin::Fields& field);
};

// Factorised personalised Markov chains: s(u, l, i) = ui_u . iu_i + li_l . il_i.
class Fpmc : public plugin::Model {
 public:
  using Options = fpmc::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  Fpmc(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override { return {&ui_, &iu_, &li_, &il_}; }
  double compute(const Context& context, const Batch& batch) override;
  void freeze(const Context& context) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  void encode(const Context& context, const Batch& queries, float* out_vectors) const override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  void score_batch(const Context& context, const Batch& batch);
  void basket_means(const Batch& batch, plugin::Floats& out) const;
  void scatter_basket_gradients(const Context& context);

  Options options_;
  plugin::Parameter ui_, iu_, li_, il_;  // [n_users, d], then three [n_items, d]
  plugin::BilinearTerm user_term_;       // ui . iu
  plugin::BilinearTerm basket_term_;     // mean of li over the last basket . il
  plugin::TouchedRows basket_rows_;      // of li
  std::vector<int32_t> basket_items_;    // rows of li, basket after basket
  std::vector<int64_t> basket_offsets_;  // [B + 1]
  plugin::Floats baskets_, scores_, term_scores_, dscores_, items_;
};

}  // namespace rec::fpmc
