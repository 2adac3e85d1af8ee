#pragma once

#include "plugins/two_tower/weights.h"

namespace rec::two_tower {

enum class TowerKind { kMlp, kDcn, kGcn };
enum class CrossType { kVector, kMatrix };

struct TowerShape {
  TowerKind kind;
  int64_t input, h1, h2, out;
  int64_t cross_layers;
  CrossType cross;
};

// One tower: which of the model's parameters are its own.
class Tower {
 public:
  static int64_t n_weights(const TowerShape& shape);
  // Parameters PREFIX.mlp.0 [h1, input], PREFIX.mlp.1 [h2, h1], PREFIX.cross.l, PREFIX.gcn.l and PREFIX.out.
  // Cross weights start from normal(0.01), their biases from zero.
  Tower(Weights& weights, const std::string& prefix, const TowerShape& shape);

  const TowerShape& shape() const { return shape_; }
  // Indices of the weights; each bias follows its weight.
  const std::vector<size_t>& linear() const { return linear_; }
  const std::vector<size_t>& cross() const { return cross_; }

 private:
  TowerShape shape_;
  std::vector<size_t> linear_, cross_;
};

}  // namespace rec::two_tower
