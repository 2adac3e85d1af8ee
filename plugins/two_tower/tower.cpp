#include "plugins/two_tower/tower.h"

namespace rec::two_tower {

int64_t Tower::n_weights(const TowerShape& shape) {
  const int64_t F = shape.input;
  if (shape.kind == TowerKind::kGcn) return (F + 1) * shape.h1 + (shape.h1 + 1) * shape.out;
  const bool crosses = shape.kind == TowerKind::kDcn;
  const int64_t cross = crosses ? shape.cross_layers * F * (shape.cross == CrossType::kMatrix ? F + 1 : 2) : 0;
  return cross + (F + 1) * shape.h1 + (shape.h1 + 1) * shape.h2 + ((crosses ? F : 0) + shape.h2 + 1) * shape.out;
}

Tower::Tower(Weights& weights, const std::string& prefix, const TowerShape& shape) : shape_(shape) {
  const int64_t F = shape.input;
  if (shape.kind == TowerKind::kGcn) {
    linear_ = {weights.add_linear(prefix + ".gcn.0", F, shape.h1),
               weights.add_linear(prefix + ".gcn.1", shape.h1, shape.out)};
    return;
  }
  if (shape.kind == TowerKind::kDcn)
    for (int64_t l = 0; l < shape.cross_layers; ++l) {
      const std::string name = prefix + ".cross." + std::to_string(l);
      cross_.push_back(
          weights.add(name + ".weight", shape.cross == CrossType::kMatrix ? F : 1, F, plugin::Init::normal(0.01)));
      weights.add(name + ".bias", 1, F);
    }
  linear_ = {weights.add_linear(prefix + ".mlp.0", F, shape.h1),
             weights.add_linear(prefix + ".mlp.1", shape.h1, shape.h2),
             weights.add_linear(prefix + ".out", shape.kind == TowerKind::kDcn ? F + shape.h2 : shape.h2, shape.out)};
}

}  // namespace rec::two_tower
