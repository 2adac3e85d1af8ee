#include "plugins/slrc_plus/excitation.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rec::slrc_plus {

namespace {

constexpr double kLeast = 1e-10, kMost = 10;
constexpr double kSqrtTwoPi = 2.5066282746310002;

}  // namespace

Kernel Kernel::of(double pi, double beta, double sigma, double mu) {
  const auto free = [](double x) { return x >= kLeast && x <= kMost; };
  return {pi + 0.5,       std::clamp(beta + 1, kLeast, kMost),
          mu + 1,         std::clamp(sigma + 1, kLeast, kMost),
          free(beta + 1), free(sigma + 1)};
}

double Kernel::at(double t) const {
  const double x = (t - mu) / omega;
  return pi * beta * std::exp(-beta * t) + (1 - pi) * std::exp(-0.5 * x * x) / (omega * kSqrtTwoPi);
}

KernelSlopes slopes(const Kernel& k, double t) {
  const double decay = std::exp(-k.beta * t), x = (t - k.mu) / k.omega;
  const double normal = std::exp(-0.5 * x * x) / (k.omega * kSqrtTwoPi);
  return {k.pi * k.beta * decay + (1 - k.pi) * normal, k.beta * decay - normal,
          k.beta_free ? k.pi * decay * (1 - k.beta * t) : 0, (1 - k.pi) * normal * x / k.omega,
          k.omega_free ? (1 - k.pi) * normal * (x * x - 1) / k.omega : 0};
}

void last_intervals(const rec_csr_t* relations, int64_t n_relations, const int32_t* history,
                    const int64_t* history_times, int64_t n_history, int64_t now, double time_scalar,
                    const int32_t* items, int64_t n_items, float* out) {
  const int64_t R = 1 + n_relations;
  std::fill_n(out, n_items * R, -1.f);
  // Candidates in ascending order, so that the items a relation leads to can be looked up.
  std::vector<std::pair<int32_t, int64_t>> places;
  for (int64_t c = 0; c < n_items; ++c) places.emplace_back(items[c], c);
  std::sort(places.begin(), places.end());
  const auto excite = [&](int32_t item, int64_t r, float interval) {
    for (auto at = std::lower_bound(places.begin(), places.end(), std::pair{item, int64_t{0}});
         at != places.end() && at->first == item; ++at)
      out[at->second * R + r] = interval;
  };
  for (int64_t e = 0; e < n_history; ++e) {  // oldest first: the latest one wins
    if (history_times[e] > now) continue;    // later events do not excite
    const auto interval =
        static_cast<float>((static_cast<double>(now) - static_cast<double>(history_times[e])) / time_scalar);
    excite(history[e], 0, interval);
    for (int64_t r = 0; r < n_relations; ++r) {
      const int32_t* begin = relations[r].columns + relations[r].offsets[history[e]];
      const int32_t* end = relations[r].columns + relations[r].offsets[history[e] + 1];
      if (end - begin <= n_items) {
        for (const int32_t* target = begin; target != end; ++target) excite(*target, r + 1, interval);
      } else {
        for (const auto& [item, c] : places)
          if (std::binary_search(begin, end, item)) out[c * R + r + 1] = interval;
      }
    }
  }
}

}  // namespace rec::slrc_plus
