#include "tests/plugin_harness.h"

namespace rec {
namespace {

// The item-to-item weights of items 0 to 2 of n_items. Users 0: {0, 1}, 1: {0, 1, 2}, 2: {2}.
std::vector<float> weights_of(const std::string& params, int64_t n_items) {
  PluginHarness harness("itemknn", params, 3, n_items, {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 2}});
  harness.compute({0, 1, 2}, {0, 1, 2});
  harness.model().apply();
  harness.model().freeze();
  rec_csr_t csr{};
  const float* weights = nullptr;
  harness.model().item_weights(csr, weights);
  return {weights, weights + csr.offsets[n_items]};
}

TEST(ItemKnn, MatchesCosineByHand) {
  // cos(0,1) = 1, cos(0,2) = cos(1,2) = 1 / 2.
  EXPECT_EQ(weights_of(R"({"n_neighbors": 2, "shrink": 0})", 3), (std::vector<float>{1, 0.5f, 1, 0.5f, 0.5f, 0.5f}));
}

// By hand, as implicit's tfidf_weight and bm25_weight define the weights: users have 2, 3 and 1 of 6 items.
TEST(ItemKnn, WeighsUsersAsDocumentsWeighWords) {
  const double idf[] = {std::log(6.) - std::log(3.), std::log(6.) - std::log(4.), std::log(6.) - std::log(2.)};
  const double w[] = {idf[0] * idf[0], idf[1] * idf[1], idf[2] * idf[2]};
  // Rows 0: to 1, 2. 1: to 0, 2. 2: to 0, 1.
  const double near = 1, far = w[1] / std::sqrt((w[0] + w[1]) * (w[1] + w[2]));
  const auto tf_idf = weights_of(R"({"n_neighbors": 2, "weighting": "tf_idf"})", 6);
  ASSERT_EQ(tf_idf.size(), 6u);
  for (size_t e = 0; e < 6; ++e)
    EXPECT_NEAR(tf_idf[e], e == 0 || e == 2 ? near : far, 1e-6) << e;
  // Each of the three items has 2 users; the mean is 1.
  const double length = 1 - 0.75 + 0.75 * 2, gain = 2.2 / (1.2 * length + 1);
  const auto bm25 = weights_of(R"({"n_neighbors": 2, "weighting": "bm25"})", 6);
  ASSERT_EQ(bm25.size(), 6u);
  for (size_t e = 0; e < 6; ++e)
    EXPECT_NEAR(bm25[e], gain * gain * (e == 0 || e == 2 ? w[0] + w[1] : w[1]), 1e-6) << e;
}

}  // namespace
}  // namespace rec
