#pragma once

#include <string>

#include "plugins/ans/augment.h"
#include "plugins/common/dense_parameters.h"
#include "plugins/common/graph.h"
#include "plugins/common/two_tables.h"

namespace rec::ans {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size = 64;
  int64_t n_layers = 2;  // 0: matrix factorisation
  double adj_eps = 0;
  std::string predict_mode = "hop_sum";
  AugmentOptions augment;
  plugin::TableInit init{"xavier_uniform", 0.1};
  plugin::OptimizerOptions optimizer;
  plugin::Regularizer regularizer;
  int64_t seed = 1;
};

// Augmented negative sampling on a matrix factorisation or LightGCN backbone.
class Ans : public plugin::TwoTables {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  Ans(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  std::vector<plugin::TensorRef> tensors() override;
  void restored() override;
  void freeze(const Context& context) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  rec_tensor_view_t gradients(int64_t i) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  Ans(const Options& options, const rec_schema_t& schema);
  void draw_noise(const Context& context, const Batch& batch);
  void serve(const Context& context);
  int64_t n_hops() const { return options_.n_layers + 1; }
  int64_t served_width() const;

  Options options_;  // users_ and items_ are E_0
  plugin::DenseParameters dense_;
  size_t user_gate_, item_gate_, margin_;
  plugin::PairwiseStep step_;  // which rows the batch touches, and their regulariser
  plugin::BipartiteGraph graph_;
  plugin::Floats noise_;
  AugmentGradients augmented_;
  plugin::Floats user_gradients_, item_gradients_;  // of E_0: every row, or the touched ones without layers
  plugin::Floats dense_view_;
  plugin::Floats served_users_, served_items_;
  bool served_ = false;  // they are those of the parameters as they are
};

}  // namespace rec::ans
