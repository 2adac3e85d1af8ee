#pragma once

#include "plugins/common/linear.h"
#include "plugins/common/pairwise.h"
#include "plugins/gru4rec/gru.h"
#include "plugins/gru4rec/options.h"

namespace rec::gru4rec {

// Histories of a batch as packed sequences, longest first; rows without one are left out.
struct PackedHistories {
  std::vector<int32_t> order;  // [sequences] batch row of each sequence
  Packing packing;
  std::vector<int32_t> items;    // [packing.rows()]
  std::vector<int32_t> last_of;  // [sequences] its last row

  void assign(const Batch& batch);
};

// Next item from a history by a GRU over whole sequences: the variants rechorus and recbole, with one item table on both
// sides, and metaspore, with two tables, cosine scores and in-batch negatives.
class SequenceGru : public plugin::Model {
 public:
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  SequenceGru(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override;
  void initialize(const Context& context, int64_t seed) override;
  double compute(const Context& context, const Batch& batch) override;
  void freeze(const Context& context) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  void encode(const Context& context, const Batch& queries, float* out_vectors) const override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  struct Trace {
    PackedHistories histories;
    plugin::Floats inputs, input_mask;  // [rows, d]
    std::vector<GruLayer::Trace> layers;
    plugin::Floats last;     // [B, h] last state of each batch row, 0 without a history
    plugin::Floats queries;  // [B, d]
  };

  bool cosine() const { return options_.variant == Variant::kMetaSpore; }
  bool full_softmax() const { return options_.variant == Variant::kRecBole && options_.loss == Loss::kSoftmax; }
  plugin::Parameter& input_items() { return cosine() ? input_items_ : items_; }
  const plugin::Parameter& input_items() const { return cosine() ? input_items_ : items_; }
  void run(const Context& context, const Batch& batch, bool training, Trace& trace) const;
  void backward(const Context& context, const plugin::Floats& d_queries);
  double compute_sampled(const Context& context, const Batch& batch);
  double compute_full(const Context& context, const Batch& batch);
  double compute_cosine(const Context& context, const Batch& batch);

  Options options_;
  plugin::Parameter items_;        // [n_items, d]: scored, and read as input too unless there are two tables
  plugin::Parameter input_items_;  // [n_items, d], metaspore only
  std::vector<std::unique_ptr<GruLayer>> layers_;
  plugin::Linear out_;  // h -> d

  Trace trace_;
  plugin::TouchedRows item_rows_, input_rows_;
  plugin::BilinearTerm term_;
  plugin::Floats scores_, dscores_, d_inputs_, normalized_items_;
};

}  // namespace rec::gru4rec
