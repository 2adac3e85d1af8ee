#include <map>

#include "core/base/rng.h"
#include "tests/golden/golden_case.h"

namespace rec {
namespace {

// A batch is cut into parts whose gradients are added; small batches are one part each, and a loss is a mean of rows.
TEST(NeuMf, AddsUpThePartsOfABatch) {
  constexpr int64_t kUsers = 40, kItems = 60, kRows = 250, kPieces = 10;
  for (const char* variant : {"\"paths\": \"both\"", "\"paths\": \"gmf\"", "\"paths\": \"mlp\"", "\"dropout\": 0.4",
                              "\"dropout\": 0.4, \"dropout_at\": \"input\""}) {
    SCOPED_TRACE(variant);
    PluginHarness harness("neumf",
                          cat("{\"emb_size\": 9, \"mlp_emb_size\": 7, \"layers\": [12, 5], \"num_neg\": 1, "
                              "\"init_std\": 0.5, \"predict_bias\": true, \"loss\": \"bce\", ",
                              variant, "}"),
                          kUsers, kItems, {{1, 1}}, 3);
    Rng rng(8, RngStream::kInit);
    std::vector<int32_t> users, items;
    for (int64_t b = 0; b < kRows; ++b) {
      users.push_back(static_cast<int32_t>(rng.next_below(kUsers)));
      for (int c = 0; c < 2; ++c) items.push_back(static_cast<int32_t>(rng.next_below(kItems)));
    }
    const double loss = harness.compute(users, items);
    const std::vector<std::string> names = harness.parameters();
    std::map<std::string, std::vector<float>> whole;
    std::map<std::string, std::vector<double>> sums;
    for (const std::string& name : names) {
      whole[name] = harness.gradient(name);
      sums[name].resize(whole[name].size());
    }
    double mean = 0;
    for (int64_t piece = 0; piece < kPieces; ++piece) {
      const int64_t n = kRows / kPieces, from = piece * n;
      Batch batch = PluginHarness::batch_of({users.begin() + from, users.begin() + from + n},
                                            {items.begin() + 2 * from, items.begin() + 2 * (from + n)});
      batch.first_row = from;  // the same dropout as in the whole
      mean += harness.compute(std::move(batch)) / kPieces;
      for (const std::string& name : names) {
        const auto gradient = harness.gradient(name);
        for (size_t i = 0; i < gradient.size(); ++i) sums[name][i] += gradient[i] / static_cast<double>(kPieces);
      }
    }
    EXPECT_NEAR(loss, mean, 1e-6);
    for (const std::string& name : names) {
      double largest = 0;
      for (size_t i = 0; i < sums[name].size(); ++i) {
        ASSERT_NEAR(whole[name][i], sums[name][i], 1e-6) << name << ' ' << i;
        largest = std::max(largest, std::abs(sums[name][i]));
      }
      EXPECT_GT(largest, 1e-4) << name << " has no gradient";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    NeuMf, GoldenTest,
    testing::Values(GoldenCase{"neumf_rechorus", "neumf", R"(, "emb_size": 8, "layers": [10, 6], "num_neg": 3)"},
                    GoldenCase{"neumf_rechorus", "neumf",
                               R"(, "emb_size": 8, "layers": [10, 6], "num_neg": 3, "l2": 0.01)", "adam3_l2"}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

}  // namespace
}  // namespace rec
