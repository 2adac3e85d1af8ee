#include "tests/plugin_harness.h"

namespace rec {
namespace {

TEST(ItemKnn, MatchesCosineByHand) {
  // Users 0: {0, 1}, 1: {0, 1, 2}, 2: {2}: cos(0,1) = 1, cos(0,2) = cos(1,2) = 1 / 2.
  PluginHarness harness("itemknn", R"({"n_neighbors": 2, "shrink": 0})", 3, 3,
                        {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 2}});
  harness.compute({0, 1, 2}, {0, 1, 2});
  harness.model().apply();
  harness.model().freeze();
  rec_csr_t csr{};
  const float* weights = nullptr;
  harness.model().item_weights(csr, weights);
  ASSERT_EQ(csr.offsets[3], 6);
  EXPECT_EQ(std::vector<float>(weights, weights + 6), (std::vector<float>{1, 0.5f, 1, 0.5f, 0.5f, 0.5f}));
}

// By hand, as implicit's tfidf_weight and bm25_weight define the weights: users have 2, 3 and 1 of 6 items.
TEST(ItemKnn, WeighsUsersAsDocumentsWeighWords) {
  const PluginHarness::Pairs pairs{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 2}};
  const double idf[] = {std::log(6.) - std::log(3.), std::log(6.) - std::log(4.), std::log(6.) - std::log(2.)};
  const double w[] = {idf[0] * idf[0], idf[1] * idf[1], idf[2] * idf[2]};
  const auto weights_of = [&](const std::string& params) {
    PluginHarness harness("itemknn", params, 3, 6, pairs);
    harness.compute({0, 1, 2}, {0, 1, 2});
    harness.model().apply();
    harness.model().freeze();
    rec_csr_t csr{};
    const float* weights = nullptr;
    harness.model().item_weights(csr, weights);
    return std::vector<float>(weights, weights + csr.offsets[6]);
  };
  // Rows 0: to 1, 2. 1: to 0, 2. 2: to 0, 1.
  const double near = 1, far = w[1] / std::sqrt((w[0] + w[1]) * (w[1] + w[2]));
  const auto tf_idf = weights_of(R"({"n_neighbors": 2, "weighting": "tf_idf"})");
  ASSERT_EQ(tf_idf.size(), 6u);
  for (size_t e = 0; e < 6; ++e)
    EXPECT_NEAR(tf_idf[e], e == 0 || e == 2 ? near : far, 1e-6) << e;
  // Each of the three items has 2 users; the mean is 1.
  const double length = 1 - 0.75 + 0.75 * 2, gain = 2.2 / (1.2 * length + 1);
  const auto bm25 = weights_of(R"({"n_neighbors": 2, "weighting": "bm25"})");
  ASSERT_EQ(bm25.size(), 6u);
  for (size_t e = 0; e < 6; ++e)
    EXPECT_NEAR(bm25[e], gain * gain * (e == 0 || e == 2 ? w[0] + w[1] : w[1]), 1e-6) << e;
}

}  // namespace
}  // namespace rec
