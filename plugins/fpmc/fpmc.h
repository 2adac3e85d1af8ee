#pragma once

#include <string>
#include <vector>

#include "plugins/common/parameter.h"

namespace rec::fpmc {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size = 64;
  int64_t basket_size = 1;
  int64_t frozen_row = -1;
  plugin::Objective objective;
  std::string init = "normal";
  double init_std = 0.01;
  plugin::OptimizerOptions optimizer;
};

// Factorised personalised Markov chains: s(u, l, i) = ui_u . iu_i + li_l . il_i.
class Fpmc : public plugin::ParameterModel {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  Fpmc(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  double compute(const Context& context, const Batch& batch) override;
  void freeze(const Context& context) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  void encode(const Context& context, const Batch& queries, float* out_vectors) const override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  Fpmc(const Options& options, const rec_schema_t& schema);
  std::vector<plugin::Parameter*> parameters() override { return {&ui_, &iu_, &li_, &il_}; }
  void score_batch(const Context& context, const Batch& batch);
  void basket_means(const Context& context, const Batch& batch, plugin::Floats& out) const;
  void scatter_basket_gradients(const Context& context);

  Options options_;
  plugin::Parameter ui_, iu_, li_, il_;  // [n_users, d], then three [n_items, d]
  plugin::BilinearTerm user_term_;       // ui . iu
  plugin::BilinearTerm basket_term_;     // mean of li over the last basket . il
  plugin::TouchedRows basket_rows_;      // of li
  std::vector<int32_t> basket_items_;    // rows of li, basket after basket
  std::vector<int64_t> basket_offsets_;  // [B + 1]
  plugin::Floats baskets_, basket_gradients_, li_gradients_, scores_, term_scores_, dscores_, items_;
};

}  // namespace rec::fpmc
