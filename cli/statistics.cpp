#include "cli/statistics.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <unordered_map>

namespace rec::cli {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kResamples = 2000;
constexpr size_t kLeastRanks = 10;  // differences; with fewer the normal approximation is poor

struct User {
  double sum = 0;
  int64_t n = 0;
};

double t_test(const std::vector<User>& users, double mean) {
  if (users.size() < 2) return kNan;
  double squares = 0, rows = 0;
  for (const User& user : users) {
    const double deviation = user.sum - static_cast<double>(user.n) * mean;
    squares += deviation * deviation;
    rows += static_cast<double>(user.n);
  }
  const auto n = static_cast<double>(users.size());
  const double error = std::sqrt(n / (n - 1) * squares) / rows;
  if (error == 0) return mean == 0 ? 1 : 0;
  const boost::math::students_t distribution(n - 1);
  return 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(mean / error)));
}

double wilcoxon(const std::vector<User>& users) {
  std::vector<double> differences;
  for (const User& user : users)
    if (user.sum != 0) differences.push_back(user.sum / static_cast<double>(user.n));
  if (differences.size() < kLeastRanks) return kNan;
  std::ranges::sort(differences, {}, [](double x) { return std::abs(x); });
  const auto n = static_cast<double>(differences.size());
  double positive = 0, ties = 0;
  for (size_t first = 0; first < differences.size();) {
    size_t end = first;
    while (end < differences.size() && std::abs(differences[end]) == std::abs(differences[first])) ++end;
    const double rank = static_cast<double>(first + 1 + end) / 2, tied = static_cast<double>(end - first);
    for (; first < end; ++first) positive += differences[first] > 0 ? rank : 0;
    ties += tied * tied * tied - tied;
  }
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
  const double z = (positive - n * (n + 1) / 4) / std::sqrt(variance);
  return 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), std::abs(z)));
}

// The 2.5th and 97.5th percentile of the mean over users drawn with replacement.
std::pair<double, double> interval(const std::vector<User>& users, uint64_t seed) {
  if (users.size() < 2) return {kNan, kNan};
  std::mt19937_64 random(seed);
  std::vector<double> means(kResamples);
  for (double& mean : means) {
    User drawn;
    for (size_t i = 0; i < users.size(); ++i) {
      const User& user = users[random() % users.size()];  // the bias, users / 2^64, is far below the noise
      drawn.sum += user.sum;
      drawn.n += user.n;
    }
    mean = drawn.sum / static_cast<double>(drawn.n);
  }
  std::ranges::sort(means);
  return {means[kResamples / 40 - 1], means[kResamples - kResamples / 40]};
}

}  // namespace

Difference compare_rows(std::span<const double> a, std::span<const double> b, std::span<const int64_t> users,
                        uint64_t seed) {
  std::vector<User> of_users;
  std::unordered_map<int64_t, size_t> places;
  Difference difference;
  for (size_t row = 0; row < a.size(); ++row) {
    const double value = b[row] - a[row];
    if (std::isnan(value)) continue;
    size_t place = of_users.size();
    if (users[row] >= 0) place = places.try_emplace(users[row], place).first->second;
    if (place == of_users.size()) of_users.emplace_back();
    of_users[place].sum += value;
    ++of_users[place].n;
    difference.mean += value;
    ++difference.n_rows;
  }
  difference.mean = difference.n_rows > 0 ? difference.mean / static_cast<double>(difference.n_rows) : kNan;
  difference.t_test = t_test(of_users, difference.mean);
  difference.wilcoxon = wilcoxon(of_users);
  std::tie(difference.low, difference.high) = interval(of_users, seed);
  return difference;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::ranges::sort(order, {}, [&](size_t i) { return p[i]; });
  std::vector<double> adjusted(p.size(), kNan);
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - rank) * p[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace rec::cli
