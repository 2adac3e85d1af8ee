#include "core/tuning/pruner.h"

#include <algorithm>
#include <optional>

namespace rec {

namespace {

bool is_below_median(int64_t epoch, const Curve& own, std::span<const PastTrial> past) {
  std::vector<double> means;
  for (const PastTrial& trial : past) {
    double sum = 0;
    int64_t n = 0;
    for (const EpochValue& at : *trial.curve)
      if (at.epoch <= epoch) sum += at.value, ++n;
    if (trial.is_complete && n > 0) means.push_back(sum / static_cast<double>(n));
  }
  if (means.size() < kMedianTrials) return false;
  std::sort(means.begin(), means.end());
  const size_t half = means.size() / 2;
  const double median = means.size() % 2 == 1 ? means[half] : (means[half - 1] + means[half]) / 2;
  return std::all_of(own.begin(), own.end(), [&](const EpochValue& at) { return at.value < median; });
}

// The value at a rung: the first one that is not before it.
std::optional<double> value_at(const Curve& curve, int64_t rung) {
  const auto it = std::find_if(curve.begin(), curve.end(), [&](const EpochValue& at) { return at.epoch >= rung; });
  return it != curve.end() ? std::optional(it->value) : std::nullopt;
}

bool is_halved(int64_t rung, double own, std::span<const PastTrial> past) {
  int64_t n = 1, n_better = 0;
  for (const PastTrial& trial : past)
    if (const auto value = value_at(*trial.curve, rung)) {
      ++n;
      n_better += *value > own;
    }
  return n_better >= std::max<int64_t>(1, n / kHalvingFactor);
}

}  // namespace

bool wants_end(int32_t pruner, int64_t min_epochs, const Curve& own, std::span<const PastTrial> past) {
  const EpochValue& last = own.back();
  if (last.epoch < min_epochs) return false;
  if (pruner == REC_PRUNER_MEDIAN) return is_below_median(last.epoch, own, past);
  if (pruner != REC_PRUNER_HALVING) return false;
  const int64_t before = own.size() > 1 ? own[own.size() - 2].epoch : 0;
  for (int64_t rung = min_epochs; rung <= last.epoch; rung *= kHalvingFactor) {
    if (rung > before && is_halved(rung, last.value, past)) return true;
    if (rung > INT64_MAX / kHalvingFactor) break;
  }
  return false;
}

}  // namespace rec
