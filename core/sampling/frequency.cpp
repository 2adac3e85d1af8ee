#include "core/sampling/frequency.h"

#include <algorithm>
#include <cmath>

namespace rec {

void FrequencyEstimator::observe(std::span<const int32_t> items) {
  ++step;
  for (int32_t item : items) {
    if (last_[item] == step) continue;  // a second time in this batch
    gap_[item] = (1 - alpha_) * gap_[item] + alpha_ * static_cast<double>(step - last_[item]);
    last_[item] = step;
  }
}

float FrequencyEstimator::log_probability(int32_t item) const {
  return static_cast<float>(-std::log(std::max(1.0, gap_[item])));
}

}  // namespace rec
