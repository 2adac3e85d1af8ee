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

}  // namespace
}  // namespace rec
