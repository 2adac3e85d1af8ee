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
  // Rounding may leave the sum beside 1; items without probability at the end share the forced entry.
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

int32_t draw_from_cdf(std::span<const float> cdf, float u) {
  return static_cast<int32_t>(std::upper_bound(cdf.begin(), cdf.end(), u) - cdf.begin());
}

int32_t first_outside(std::span<const int32_t> candidates, std::span<const int32_t> row) {
  for (int32_t candidate : candidates)
    if (!std::binary_search(row.begin(), row.end(), candidate)) return candidate;
  return -1;
}

int64_t recbole_batch_rows(int64_t train_batch_size, int64_t n_negatives, bool pairwise) {
  return std::max<int64_t>(train_batch_size / (pairwise ? n_negatives : n_negatives + 1), 1);
}

void to_k_major(std::span<const int32_t> negatives, int64_t n_negatives, std::span<int32_t> out) {
  const auto n_columns = static_cast<size_t>(n_negatives);
  const size_t n_rows = n_columns == 0 ? 0 : negatives.size() / n_columns;
  for (size_t row = 0; row < n_rows; ++row)
    for (size_t k = 0; k < n_columns; ++k) out[k * n_rows + row] = negatives[row * n_columns + k];
}

std::vector<int32_t> metaspore_offline_negatives(std::span<const int32_t> draws, std::span<const int32_t> positives) {
  std::vector<int32_t> kept(draws.begin(), draws.end());
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  std::erase_if(kept,
                [&](int32_t item) { return std::find(positives.begin(), positives.end(), item) != positives.end(); });
  return kept;
}

}  // namespace rec
