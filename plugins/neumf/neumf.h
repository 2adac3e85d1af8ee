#pragma once

#include "plugins/common/linear.h"
#include "plugins/common/pairwise.h"

namespace rec::neumf {

using plugin::Batch;
using plugin::Context;

enum class Paths { kBoth, kGmf, kMlp };

struct Options {
  Paths paths;
  int64_t emb_size, mlp_emb_size;
  std::vector<double> layer_sizes;
  std::vector<int64_t> layers;  // of the MLP path: layer_sizes as integers
  double dropout;
  bool dropout_on_input;
  bool predict_bias;
  plugin::Objective objective;
  bool normal_start;  // of the linear layers
  double init_std;
  plugin::OptimizerOptions optimizer;
  int64_t seed;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
  bool gmf() const { return paths != Paths::kMlp; }
  bool mlp() const { return paths != Paths::kGmf; }
};

// Neural collaborative filtering: a product path and an MLP path into one linear layer.
class NeuMf : public plugin::Model {
 public:
  using Options = neumf::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  NeuMf(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override;
  void initialize(const Context& context, int64_t seed) override;
  double compute(const Context& context, const Batch& batch) override;
  // Section 3.4.1 of the paper: takes a path's tensors from a model of that path, and half its part of predict.
  int64_t warm_start(const rec_tensor_info_t* infos, const void* const* data, int64_t n);
  void freeze(const Context& context) override;
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  void score(const Context& context, const Batch& queries, float* out_scores) const override;
  // To compare: of the product path, or of the layers' path where that is all there is.
  rec_tensor_view_t table(int32_t which) const override;

 private:
  void collect(const Context& context, const Batch& batch);
  void forward(const Context& context, const Batch& batch, bool training);
  void backward(const Context& context, const Batch& batch);
  int64_t dense_size() const;
  int64_t rows_of_part(const Batch& batch) const;
  template <class Body>
  void for_parts(const Context& context, const Batch& batch, const Body& body) const;
  // For rows [begin, end) of the batch.
  void forward_mlp(const Context& context, const Batch& batch, bool training, int64_t begin, int64_t end);
  void forward_gmf(const Context& context, const Batch& batch, int64_t begin, int64_t end);
  // ... whose share of the dense gradients goes to `part`.
  void backward_mlp(const Context& context, const Batch& batch, int64_t begin, int64_t end, float* part);
  void backward_gmf(const Batch& batch, int64_t begin, int64_t end, float* part);
  void drop(const Context& context, const Batch& batch, size_t layer, int64_t begin, int64_t end);
  const float* gmf_weights() const { return predict_.data(); }
  const float* mlp_weights() const { return predict_.data() + (options_.gmf() ? options_.emb_size : 0); }

  Options options_;
  plugin::Parameter mf_user_, mf_item_, mlp_user_, mlp_item_;
  std::vector<std::unique_ptr<plugin::Linear>> layers_;
  plugin::Parameter predict_;  // [1, d1 + last layer], product path first
  plugin::Parameter predict_bias_;

  // Of the last batch; an entry is a row and one of its candidates.
  plugin::TouchedRows users_, items_;
  std::vector<plugin::Floats> inputs_, masks_;  // of each layer; inputs_.back() is what predict reads
  std::vector<plugin::Floats> transposed_;      // W^T of each layer
  plugin::Floats weighted_users_;               // [B, d] predict * u
  std::vector<int32_t> row_numbers_;            // 0 .. B - 1
  plugin::Floats scores_, dscores_;
  // Gradients of table rows, one for each batch row or entry.
  plugin::Floats of_mf_user_, of_mf_item_, of_mlp_user_, of_mlp_item_;
  std::vector<plugin::Parameter*> dense_;  // predict's weights and the layers' parameters
  plugin::Floats parts_;                   // [parts, size of all dense gradients]
  plugin::Floats item_part_;               // [n_items, layers[0]] W_i i, for serving
};

}  // namespace rec::neumf
