#pragma once

#include <vector>

#include "core/base/rng.h"

namespace rec {

// A Parzen estimator on [low, high], as in Bergstra et al. (2011), 4.2: a normal distribution, cut off at both ends, around
// each point, as wide as the farther of its neighbours is away; and one around the middle, as wide as everything.
class Parzen {
 public:
  Parzen(std::vector<double> points, double low, double high);

  double draw(Rng& rng) const;
  double density(double x) const;
  double mass(double from, double to) const;  // the probability of that interval

 private:
  struct Component {
    double mean, width, inside;  // inside: how much of it is in [low, high]
  };
  double low_, high_;
  std::vector<Component> components_;
};

}  // namespace rec
