#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/common/dense_parameters.h"

namespace rec::two_tower {

struct InputShape {
  bool ids = true;  // an embedding of the user or the item itself
  int64_t id_dim = 32, cat_dim = 8;
  int64_t n_dense = 0;                // numbers of all dense features together
  std::vector<int64_t> vocabularies;  // of each categorical feature

  int64_t width() const { return n_dense + (ids ? id_dim : 0) + cat_dim * static_cast<int64_t>(vocabularies.size()); }
};

// What enters a tower: x = [dense features ; id embedding ; embedding of each category].
class Inputs {
 public:
  // The id embeddings PREFIX.id_emb are a table of their own; PREFIX.cat_emb.c join the model's dense parameters.
  Inputs(plugin::DenseParameters& parameters, const std::string& prefix, const InputShape& shape, int64_t n,
         const plugin::OptimizerOptions& optimizer);

  // normal(0.01)
  void initialize(plugin::DenseParameters& parameters, const plugin::Context& context, int64_t seed, int32_t id_stream,
                  int32_t category_stream);
  // Of the features that the shape counts; their memory stays the host's.
  void bind(const rec_feature_t* features, int64_t n_features);

  int64_t n() const { return n_; }
  const InputShape& shape() const { return shape_; }
  plugin::Embedding* ids() { return ids_.get(); }  // nullptr without
  const plugin::Embedding* ids() const { return ids_.get(); }
  const std::vector<rec_feature_t>& dense() const { return dense_; }
  const std::vector<rec_feature_t>& categorical() const { return categorical_; }
  // Number of the embedding of each category among the model's dense parameters.
  const std::vector<size_t>& tables() const { return tables_; }
  void append_tensors(std::vector<plugin::TensorRef>& out);

 private:
  InputShape shape_;
  int64_t n_;
  std::string id_name_;
  std::vector<std::string> id_state_;
  std::unique_ptr<plugin::Embedding> ids_;
  std::vector<size_t> tables_;
  std::vector<rec_feature_t> dense_, categorical_;
};

}  // namespace rec::two_tower
