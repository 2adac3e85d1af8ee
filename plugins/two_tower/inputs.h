#pragma once

#include <optional>

#include "plugins/two_tower/weights.h"

namespace rec::two_tower {

struct InputShape {
  bool ids;  // an embedding of the user or the item itself
  int64_t id_dim, cat_dim;
  int64_t n_dense;                    // numbers of all dense features together
  bool categories;                    // whether categorical features are looked at
  std::vector<int64_t> vocabularies;  // of each categorical feature

  int64_t width() const { return n_dense + (ids ? id_dim : 0) + cat_dim * std::ssize(vocabularies); }
};

// What enters a tower: x = [dense features ; id embedding ; embedding of each category].
class Inputs {
 public:
  // Adds the id embeddings PREFIX.id_emb [n, id_dim]; add_tables adds PREFIX.cat_emb.c. All start from normal(0.01).
  Inputs(Weights& weights, const std::string& prefix, const InputShape& shape, int64_t n);
  void add_tables(Weights& weights);

  // Takes the features that the shape counts; the host keeps owning their memory.
  void bind(const rec_feature_t* features, int64_t n_features);

  int64_t n() const { return n_; }
  const InputShape& shape() const { return shape_; }
  std::optional<size_t> ids() const { return ids_; }  // index of the id embeddings in Weights, if any
  const std::vector<rec_feature_t>& dense() const { return dense_; }
  const std::vector<rec_feature_t>& categorical() const { return categorical_; }
  // Indices in Weights of the embeddings of each category.
  const std::vector<size_t>& tables() const { return tables_; }

 private:
  std::string prefix_;
  InputShape shape_;
  int64_t n_;
  std::optional<size_t> ids_;
  std::vector<size_t> tables_;
  std::vector<rec_feature_t> dense_, categorical_;
};

}  // namespace rec::two_tower
