#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rec {

// The samplers' rules as functions of given draws.

// P(i) = count_i^alpha / sum over items with a count; 0 for the others, at alpha 0 too.
std::vector<double> popularity_probabilities(std::span<const int64_t> counts, double alpha);

// Running sums; the last entry is forced to 1 so that every u < 1 selects an item.
std::vector<double> cdf_of(std::span<const double> probabilities);

// Number of cdf entries <= u: an item of probability 0 is never drawn.
int32_t draw_from_cdf(std::span<const double> cdf, double u);

}  // namespace rec
