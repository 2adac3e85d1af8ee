#pragma once

#include "plugins/common/graph.h"
#include "plugins/common/pairwise.h"

namespace rec::ans {

using plugin::Batch;
using plugin::Context;

enum class Backbone { kLightGcn, kMf };
enum class PredictMode { kHopSum, kEgo, kMean };

struct AugmentOptions {
  double eps;          // weight of the augmentation gain in the choice
  double gamma;        // weight of the auxiliary losses
  double noise_scale;  // c
  double margin_eps;   // floor of the margin's denominator
};

// The kernel's output for each occurrence of a node in the batch; kept between batches to reuse the memory.
struct AugmentGradients {
  plugin::Floats users, user_gates;  // [B, H, d]
  plugin::Floats items, item_gates;  // [B, C, H, d]
  std::vector<int32_t> selected;     // [B, H]
};

struct Options {
  Backbone backbone;
  int64_t emb_size;
  int64_t n_layers;  // 0: matrix factorisation
  int64_t batch_size, num_neg;
  double adj_eps;
  PredictMode predict_mode;
  AugmentOptions augment;
  plugin::Init init;
  plugin::OptimizerOptions optimizer;
  plugin::Regularizer regularizer;
  int64_t seed;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
};

// Augmented negative sampling on a matrix factorisation or LightGCN backbone.
class Ans : public plugin::Model {
 public:
  using Options = ans::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  Ans(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void restored() override;
  void initialize(const Context& context, int64_t seed) override;
  void freeze(const Context& context) override { serve(context); }
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  void draw_noise(const Context& context, const Batch& batch);
  void serve(const Context& context);
  int64_t n_hops() const { return options_.n_layers + 1; }
  int64_t served_width() const;

  Options options_;
  plugin::Parameter users_, items_;  // E_0
  // The linear gates and Lin_margin: weight [out, in] and bias [1, out].
  plugin::Parameter user_gate_, user_gate_bias_, item_gate_, item_gate_bias_, margin_, margin_bias_;
  plugin::PairwiseLoss loss_;  // which rows the batch touches, and their regulariser
  plugin::BipartiteGraph graph_;
  plugin::Floats noise_;
  AugmentGradients augmented_;
  plugin::Floats served_users_, served_items_;
  bool served_ = false;  // the two match the current parameters
};

}  // namespace rec::ans
