#pragma once

#include <string>
#include <vector>

#include "plugins/common/dense_parameters.h"

namespace rec::two_tower {

enum class TowerKind { kMlp, kDcn, kGcn };
enum class CrossType { kVector, kMatrix };

struct TowerShape {
  TowerKind kind = TowerKind::kMlp;
  int64_t input = 0, h1 = 256, h2 = 128, out = 64;
  int64_t cross_layers = 3;
  CrossType cross = CrossType::kVector;
};

// One tower: where its parameters are among all of the model's.
class Tower {
 public:
  static int64_t n_weights(const TowerShape& shape);
  // Parameters PREFIX.mlp.0 [h1, input], PREFIX.mlp.1 [h2, h1], PREFIX.cross.l, PREFIX.gcn.l and PREFIX.out.
  Tower(plugin::DenseParameters& parameters, const std::string& prefix, const TowerShape& shape);

  // linear_default; cross weights normal(0.01) with zero bias.
  void initialize(plugin::DenseParameters& parameters, const plugin::Context& context, int64_t seed,
                  int32_t stream) const;

  const TowerShape& shape() const { return shape_; }
  // Numbers of weights; each bias is the next.
  const std::vector<size_t>& linear() const { return linear_; }
  const std::vector<size_t>& cross() const { return cross_; }

 private:
  TowerShape shape_;
  std::vector<size_t> linear_, cross_;
};

}  // namespace rec::two_tower
