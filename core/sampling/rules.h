#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rec {

// The samplers' rules as functions of given draws.

// P(i) = count_i^alpha / sum over items with a count; 0 for the others, at alpha 0 too.
std::vector<double> popularity_probabilities(std::span<const int64_t> counts, double alpha);

// Running sums; the last entry is forced to 1 so that every u < 1 meets an item.
std::vector<double> cdf_of(std::span<const double> probabilities);

// Number of cdf entries <= u: an item of probability 0 is never met.
int32_t draw_from_cdf(std::span<const double> cdf, double u);
int32_t draw_from_cdf(std::span<const float> cdf, float u);

// The first candidate outside the ascending row, or -1: what redrawing comes to.
int32_t first_outside(std::span<const int32_t> candidates, std::span<const int32_t> row);

// RecBole: positives in a batch of train_batch_size.
int64_t recbole_batch_rows(int64_t train_batch_size, int64_t n_negatives, bool pairwise);
// RecBole: element k * n_rows + row is the k-th negative of a row; from [n_rows, n_negatives].
void to_k_major(std::span<const int32_t> negatives, int64_t n_negatives, std::span<int32_t> out);

// MetaSpore: the draws of one user without duplicates and without its positives, ascending.
std::vector<int32_t> metaspore_offline_negatives(std::span<const int32_t> draws, std::span<const int32_t> positives);

}  // namespace rec
