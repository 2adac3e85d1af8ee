#include "tests/golden/golden_case.h"

namespace rec {
namespace {

Batch rechorus_batch(const Reference& reference, const std::string& step) {
  Batch batch = golden_pairs(reference, step);
  std::vector<std::vector<int32_t>> histories;
  for (int32_t item : reference.get<int32_t>("in.last_item_id")) histories.push_back({item});
  PluginHarness::add_histories(batch, histories);
  return batch;
}

Batch recbole_batch(const Reference& reference, const std::string& step) {
  Batch batch = golden_pairs(reference, step);
  auto histories = reference.histories("in.item_id_list", "in.item_length");
  for (auto& history : histories) history = {history.back()};
  PluginHarness::add_histories(batch, histories);
  return batch;
}

INSTANTIATE_TEST_SUITE_P(
    Fpmc, GoldenTest,
    testing::Values(GoldenCase{"fpmc_rechorus", "fpmc", R"(, "num_neg": 3)", "adam3", "loss.total", rechorus_batch},
                    GoldenCase{"fpmc_rechorus", "fpmc", R"(, "num_neg": 3, "l2": 0.01)", "adam3_l2", "loss.total",
                               rechorus_batch},
                    GoldenCase{"fpmc_recbole", "fpmc", R"(, "loss": "bpr_log", "frozen_row": 0)", "adam3", "loss.total",
                               recbole_batch},
                    GoldenCase{"fpmc_recbole_pad", "fpmc", R"(, "loss": "bpr_log", "frozen_row": 0)", "adam3",
                               "loss.total", recbole_batch}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

// Two items a basket: the basket is their mean, and each of them gets half of its gradient.
TEST(Fpmc, AveragesTheItemsOfABasket) {
  PluginHarness harness("fpmc", R"({"emb_size": 1, "basket_size": 2, "loss": "bpr"})", 1, 3, {{0, 0}});
  harness.set("ui_emb", {0});
  harness.set("iu_emb", {0, 0, 0});
  harness.set("li_emb", {2, 6, 0});
  harness.set("il_emb", {1, 0, -1});
  Batch batch = PluginHarness::batch_of({0}, {0, 2});
  PluginHarness::add_histories(batch, {{0, 1}});
  EXPECT_EQ(harness.score_live(std::move(batch)), (std::vector<float>{4, -4}));
  Batch again = PluginHarness::batch_of({0}, {0, 2});
  PluginHarness::add_histories(again, {{0, 1}});
  harness.compute(std::move(again));
  // d ln(1 + e^(s- - s+)) = -sigmoid(-8) (il_0 - il_2) for the basket, half of it for each item.
  const float want = -2 / (1 + std::exp(8.f)) / 2;
  const auto gradient = harness.gradient("li_emb");
  EXPECT_NEAR(gradient[0], want, 1e-9);
  EXPECT_NEAR(gradient[1], want, 1e-9);
  EXPECT_EQ(gradient[2], 0);
}

TEST(Fpmc, TakesZerosForAnUnknownUser) {
  PluginHarness harness("fpmc", R"({"emb_size": 64, "init_std": 1})", 2, 3, {{0, 0}});
  harness.set("ui_emb", std::vector<float>(2 * 64));
  EXPECT_EQ(harness.encode({-1}, {{1}}, 128), harness.encode({1}, {{1}}, 128));
}

}  // namespace
}  // namespace rec
