// What a trial gets: one value of each parameter of a space.
#pragma once

#include <span>

#include "core/base/rng.h"
#include "core/tuning/space.h"

namespace rec {

Json random_parameters(const Space& space, Rng rng);

// The tree-structured Parzen estimator: of kTpeCandidates drawn by l, the density of the best kTpeGood of the trials, the one
// of the largest l / g, g being the density of the other trials.
inline constexpr int kTpeCandidates = 24;
inline constexpr double kTpeGood = 0.15;
Json tpe_parameters(const Space& space, std::span<const Json* const> best_first, Rng rng);

}  // namespace rec
