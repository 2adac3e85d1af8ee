#pragma once

#include "plugins/gru4rec/gru.h"
#include "plugins/gru4rec/onehot_gru.h"
#include "plugins/gru4rec/options.h"

namespace rec::gru4rec {

// The authors' variant: session-parallel steps of one event, a store of shared negatives, cross-entropy or
// BPR-max over [targets of the batch ; samples], indexed Adagrad. Column m is row m's positive.
class SessionGru : public plugin::Model {
 public:
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  SessionGru(const Options& options, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  std::vector<plugin::Parameter*> parameters() override;
  void append_state(std::vector<plugin::TensorRef>& out) override;
  void freeze(const Context& context) override;
  void encode(const Context& context, const Batch& queries, float* out_vectors) const override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  bool one_hot() const { return options_.input == Input::kOneHot; }
  const plugin::Parameter& input_items() const { return options_.input == Input::kSeparate ? in_emb_ : out_emb_; }
  void move_slots(const Batch& batch);
  void collect(const Context& context, const Batch& batch);
  void forward(const Context& context, const Batch& batch);
  double dropout_of(size_t layer) const;
  void backward(const Context& context, const plugin::Floats& d_scores);
  double loss(const Context& context, int64_t M, int64_t C);

  Options options_;
  plugin::Parameter out_emb_;   // [n_items, h_last]
  plugin::Parameter out_bias_;  // [n_items, 1]
  plugin::Parameter in_emb_;    // [n_items, emb_size], input=separate
  std::unique_ptr<OneHotGru> one_hot_;
  std::vector<std::unique_ptr<GruLayer>> layers_;  // from the first layer on, or from the second after a one-hot first
  rec_csr_t by_item_{};

  // Hidden states of the slots, carried from step to step.
  std::vector<plugin::Floats> hidden_;  // per layer [batch_size, h]
  std::vector<plugin::Floats> next_;    // what apply replaces them with
  std::vector<std::string> hidden_names_;
  int64_t n_slots_ = 0;

  // The last batch.
  int64_t n_rows_ = 0;
  const int32_t* inputs_ = nullptr;
  std::vector<int32_t> columns_;  // [targets ; samples]
  Packing packing_;
  plugin::Floats input_rows_, embed_mask_;
  std::vector<GruLayer::Trace> traces_;
  OneHotGru::Trace one_hot_trace_;
  std::vector<plugin::Floats> outputs_, output_masks_;  // per layer, after dropout
  plugin::Floats column_vectors_, column_biases_, d_columns_, scores_, d_scores_;
  plugin::TouchedRows out_rows_, bias_rows_, in_rows_;
  plugin::Floats served_;  // [n_items, h + 1] vector and bias
};

}  // namespace rec::gru4rec
