#pragma once

#include <string>
#include <vector>

#include "plugins/common/parameter.h"

namespace rec::hrm {

using plugin::Batch;
using plugin::Context;

enum class Pooling { kMax, kMean, kSum };

struct Options {
  int64_t emb_size = 64;
  int64_t history_max = 10;
  Pooling items = Pooling::kMax, layers = Pooling::kMax;
  bool share_item_table = false;
  std::string loss = "bce";
  plugin::Objective objective;
  double temperature = 0.05;
  double dropout = 0.1;
  double init_std = 1e-4;
  plugin::OptimizerOptions optimizer;
  int64_t seed = 1;

  bool cosine() const { return loss != "neg_sampling"; }
};

// Hierarchical representation: the items of a basket are pooled into a vector, that and the user's into the query; models.md
// 3.9.
class Hrm : public plugin::ParameterModel {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  Hrm(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  double compute(const Context& context, const Batch& batch) override;
  void freeze(const Context& context) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  void encode(const Context& context, const Batch& queries, float* out_vectors) const override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  // What the two pooling layers leave for their gradients.
  struct Trace {
    plugin::Floats stacked;      // [B, 2, d] user and basket
    std::vector<int32_t> first;  // [B, d] place in the history of the largest item, max only
    plugin::Floats mask;         // [B, 2, d] of dropout, empty without
    plugin::Floats pooled;       // [B, d] h
    plugin::Floats queries;      // [B, d] q, or h without cosine
    plugin::Floats lengths;      // [B] |h|
  };

  Hrm(const Options& options, const rec_schema_t& schema);
  std::vector<plugin::Parameter*> parameters() override;
  const plugin::Parameter& basket_items() const { return options_.share_item_table ? items_ : seq_items_; }
  void pool(const Context& context, const Batch& batch, bool training, Trace& trace) const;
  void collect(const Context& context, const Batch& batch);
  void forward(const Context& context, const Batch& batch, bool training);
  void backward(const Context& context, const Batch& batch);
  void backward_pooling(const Context& context, const Batch& batch, const plugin::Floats& d_pooled);

  Options options_;
  plugin::Parameter users_, seq_items_, items_;

  Trace trace_;
  std::vector<int32_t> history_items_;  // of the batch, row after row
  plugin::TouchedRows user_rows_, item_rows_, basket_rows_;
  plugin::BilinearTerm term_;                               // queries . vectors of the touched items
  plugin::Floats item_vectors_, item_lengths_, item_mask_;  // [touched, d]
  plugin::Floats user_gradients_, item_gradients_, basket_gradients_;
  plugin::Floats scores_, dscores_, served_;
};

}  // namespace rec::hrm
