// Whether two models differ: paired tests over the users of one evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rec::cli {

// Of b - a, the values of one metric in the same rows. Rows of one user depend on each other, so a user is one
// observation: the sum of its differences for the mean, the mean of them for the ranks. NaN where there are too few.
struct Difference {
  double mean = 0;
  double low = 0, high = 0;  // of the mean: 95 % percentile interval of a bootstrap over users
  double t_test = 0;         // two-sided p of the paired t test
  double wilcoxon = 0;  // two-sided p of the signed-rank test: normal approximation, zeros left out, ties corrected
  int64_t n_rows = 0;   // where both have a value
};

// users: of each row; one below 0 is a user of its own. The bootstrap is a function of seed.
Difference compare_rows(std::span<const double> a, std::span<const double> b, std::span<const int64_t> users,
                        uint64_t seed);

// Holm's adjustment of p values of one family; NaN stay and do not count.
std::vector<double> holm(std::span<const double> p);

}  // namespace rec::cli
