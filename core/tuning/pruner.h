// Whether a trial is worth its next epochs, by what other trials were at the same epoch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rec_c_api.h"

namespace rec {

struct EpochValue {
  int64_t epoch;
  double value;  // more is better
};
using Curve = std::vector<EpochValue>;  // by epoch

struct PastTrial {
  const Curve* curve;
  bool is_complete;  // or pruned
};

inline constexpr size_t kMedianTrials = 5;  // complete ones that the median rule needs
inline constexpr int64_t kHalvingFactor = 3;

// pruner: REC_PRUNER_. own: with the epoch that has just ended.
bool wants_end(int32_t pruner, int64_t min_epochs, const Curve& own, std::span<const PastTrial> past);

}  // namespace rec
