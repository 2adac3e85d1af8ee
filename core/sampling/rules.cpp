#include "core/sampling/rules.h"

#include <algorithm>
#include <cmath>

namespace rec {

std::vector<double> popularity_probabilities(std::span<const int64_t> counts, double alpha) {
  std::vector<double> probabilities;
  probabilities.reserve(counts.size());
  double sum = 0;
  for (int64_t count : counts) {
    const double power = count > 0 ? std::pow(static_cast<double>(count), alpha) : 0.0;
    probabilities.push_back(power);
    sum += power;
  }
  if (sum > 0)
    for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

std::vector<double> cdf_of(std::span<const double> probabilities) {
  std::vector<double> cdf;
  cdf.reserve(probabilities.size());
  double sum = 0;
  for (double probability : probabilities) cdf.push_back(sum += probability);
  // Rounding may leave the sum slightly off 1; trailing items without probability share the forced entry.
  for (size_t i = cdf.size(); i-- > 0;) {
    cdf[i] = 1;
    if (probabilities[i] > 0) break;
  }
  for (double& entry : cdf) entry = std::min(entry, 1.0);
  return cdf;
}

int32_t draw_from_cdf(std::span<const double> cdf, double u) {
  return static_cast<int32_t>(std::upper_bound(cdf.begin(), cdf.end(), u) - cdf.begin());
}

}  // namespace rec
