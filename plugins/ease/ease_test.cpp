#include "tests/plugin_harness.h"

namespace rec {
namespace {

// EASE has no reference tensors: the closed form by a slow inverse in long double.
TEST(Ease, MatchesASlowInverse) {
  const int n_users = 30, n_items = 150;  // three panels, the last one short
  PluginHarness::Pairs pairs;
  uint32_t state = 1;
  std::vector<std::vector<long double>> x(n_users, std::vector<long double>(n_items));
  for (int u = 0; u < n_users; ++u)
    for (int i = 0; i < n_items; ++i) {
      state = state * 1664525u + 1013904223u;
      if (state >> 24 < 40) {
        pairs.emplace_back(u, i);
        x[u][i] = 1;
      }
    }
  PluginHarness harness("ease", R"({"lambda": 5})", n_users, n_items, pairs, 2);
  for (int32_t begin = 0; begin < n_items; begin += 64) {
    std::vector<int32_t> panel;
    for (int32_t i = begin; i < std::min(begin + 64, n_items); ++i) panel.push_back(i);
    harness.compute(panel, panel);
    harness.model().apply();
  }
  harness.model().freeze();
  rec_csr_t csr{};
  const float* weights = nullptr;
  harness.model().item_weights(csr, weights);

  std::vector<std::vector<long double>> a(n_items, std::vector<long double>(2 * n_items));
  for (int i = 0; i < n_items; ++i) {
    for (int j = 0; j < n_items; ++j)
      for (int u = 0; u < n_users; ++u) a[i][j] += x[u][i] * x[u][j];
    a[i][i] += 5;
    a[i][n_items + i] = 1;
  }
  for (int p = 0; p < n_items; ++p) {
    const long double inverse = 1 / a[p][p];
    for (auto& v : a[p]) v *= inverse;
    for (int i = 0; i < n_items; ++i)
      if (i != p) {
        const long double factor = a[i][p];
        for (int j = 0; j < 2 * n_items; ++j) a[i][j] -= factor * a[p][j];
      }
  }
  for (int h = 0; h < n_items; ++h)
    for (int i = 0; i < n_items; ++i) {
      const long double want = h == i ? 0 : -a[h][n_items + i] / a[i][n_items + i];
      ASSERT_NEAR(weights[h * n_items + i], static_cast<double>(want), 1e-6) << h << "," << i;
    }
}

}  // namespace
}  // namespace rec
