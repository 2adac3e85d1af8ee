#pragma once

#include "plugins/common/pairwise.h"

namespace rec::hrm {

using plugin::Batch;
using plugin::Context;

enum class Pooling { kMax, kMean, kSum };

enum class Loss { kBce, kInBatch, kNegSampling };

struct Options {
  int64_t emb_size;
  int64_t history_max;
  Pooling items, layers;
  bool share_item_table;
  Loss loss;
  plugin::Objective objective;
  double temperature;
  double dropout;
  double init_std;
  plugin::OptimizerOptions optimizer;
  int64_t seed;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
  bool cosine() const { return loss != Loss::kNegSampling; }
  bool interactions() const { return objective.rows == plugin::Objective::Rows::kInteractions; }
};

// Hierarchical representation: the items of a basket are pooled into a vector, and that vector and the user's into the
// query.
class Hrm : public plugin::Model {
 public:
  using Options = hrm::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  Hrm(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override;
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
    plugin::Floats mask;         // [B, 2, d] of dropout, else empty
    plugin::Floats pooled;       // [B, d] h
    plugin::Floats queries;      // [B, d] q, or h without cosine
    plugin::Floats lengths;      // [B] |h|
  };

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
  plugin::Floats scores_, dscores_, served_;
};

}  // namespace rec::hrm
