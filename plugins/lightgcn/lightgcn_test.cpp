#include <set>

#include "tests/golden/cancel_case.h"
#include "tests/golden/golden_case.h"

namespace rec {
namespace {

INSTANTIATE_TEST_SUITE_P(
    LightGcn, GoldenTest,
    testing::Values(
        GoldenCase{"lightgcn_rechorus", "lightgcn",
                   R"(, "n_layers": 3, "loss": "bpr_multi", "num_neg": 3, "reg_weight": 0, "adj_eps": 1e-10)"},
        GoldenCase{"lightgcn_rechorus", "lightgcn",
                   R"(, "n_layers": 3, "loss": "bpr_multi", "num_neg": 3, "reg_weight": 0, "l2": 0.01)", "adam3_l2"},
        GoldenCase{"lightgcn_recbole", "lightgcn",
                   R"(, "n_layers": 2, "loss": "bpr_log", "reg_weight": 0.1, "reg_norm": "plain", "adj_eps": 1e-7)"},
        GoldenCase{"lightgcn_recbole_pow", "lightgcn",
                   R"(, "n_layers": 2, "loss": "bpr_log", "reg_weight": 0.1, "reg_norm": "squared", "adj_eps": 1e-7)"},
        GoldenCase{"lightgcn_official", "lightgcn", R"(, "n_layers": 3, "loss": "bpr", "reg_weight": 0.1)"}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

TEST(LightGcn, HasTheSameLossOnOneNegative) {
  check_one_negative("lightgcn_rechorus", "lightgcn", R"({"emb_size": 8, "loss": "bpr_multi", "reg_weight": 0})");
}

// Paper, section 3.1.2: with K layers on the graph {u0 - i0}, every layer swaps the two embeddings, so an even number of
// layers above 0 averages them by known counts.
TEST(LightGcn, PropagatesAlongASingleEdgeByHand) {
  PluginHarness harness("lightgcn", R"({"emb_size": 2, "n_layers": 2})", 1, 1, {{0, 0}});
  harness.set("user_emb", {1, 2});
  harness.set("item_emb", {10, 20});
  harness.model().freeze();
  const auto* user = static_cast<const float*>(harness.model().table(REC_TABLE_USER).data);
  // E0 + E1 + E2 = u + i + u, a third of it.
  EXPECT_FLOAT_EQ(user[0], 4);
  EXPECT_FLOAT_EQ(user[1], 8);
}

TEST(LightGcn, LeavesAnIsolatedNodeWithItsOwnLayerZeroShare) {
  PluginHarness harness("lightgcn", R"({"emb_size": 1, "n_layers": 3})", 2, 1, {{0, 0}});
  harness.set("user_emb", {1, 8});
  harness.set("item_emb", {1});
  harness.model().freeze();
  EXPECT_FLOAT_EQ(static_cast<const float*>(harness.model().table(REC_TABLE_USER).data)[1], 2);
}

TEST(LightGcn, TakesLayerWeightsInsteadOfTheMean) {
  PluginHarness harness("lightgcn", R"({"emb_size": 1, "n_layers": 1, "layer_weights": [0.25, 0.5]})", 1, 1, {{0, 0}});
  harness.set("user_emb", {4});
  harness.set("item_emb", {6});
  harness.model().freeze();
  EXPECT_FLOAT_EQ(static_cast<const float*>(harness.model().table(REC_TABLE_USER).data)[0], 0.25f * 4 + 0.5f * 6);
  EXPECT_THROW(PluginHarness("lightgcn", R"({"n_layers": 2, "layer_weights": [1]})", 1, 1, {{0, 0}}), Error);
}

// The gradient under edge dropout is that of the loss over the same dropped graph, checked by finite differences.
TEST(LightGcn, HasTheGradientOfTheGraphItDropped) {
  PluginHarness::Pairs pairs;
  for (int32_t u = 0; u < 6; ++u)
    for (int32_t i = 0; i < 7; ++i)
      if ((u * 5 + i * 3) % 4 != 0) pairs.emplace_back(u, i);
  PluginHarness harness("lightgcn", R"({"emb_size": 2, "n_layers": 2, "edge_dropout": 0.4, "reg_weight": 0})", 6, 7,
                        pairs);
  std::vector<float> users(12), items(14);
  for (size_t k = 0; k < 12; ++k) users[k] = 0.3f * static_cast<float>(k % 5) - 0.5f;
  for (size_t k = 0; k < 14; ++k) items[k] = 0.2f * static_cast<float>(k % 7) - 0.6f;
  const auto loss = [&](size_t k, float step) {
    std::vector<float> moved = users;
    moved[k] += step;
    harness.set("user_emb", moved);
    harness.set("item_emb", items);
    return harness.compute({0, 3}, {1, 2, 4, 6});
  };
  loss(0, 0);
  const auto gradient = harness.gradient("user_emb");
  double size = 0;
  for (size_t k = 0; k < 12; ++k) {
    EXPECT_NEAR(gradient[k], (loss(k, 1e-2f) - loss(k, -1e-2f)) / 2e-2, 2e-4) << k;
    size += std::abs(gradient[k]);
  }
  EXPECT_GT(size, 0.05);
}

// A batch with few of the graph's edges takes shortcuts; the mean over single rows equals the result of all at once.
TEST(LightGcn, GivesOneRowAtATimeWhatItGivesAllAtOnce) {
  PluginHarness::Pairs pairs;
  for (int32_t u = 0; u < 60; ++u)
    for (int32_t k = 0; k < 3; ++k) pairs.emplace_back(u, (u * 7 + k * (u % 5 + 1)) % 40);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const char* layers : {"1", "2", "3", "4"}) {
    SCOPED_TRACE(layers);
    PluginHarness harness("lightgcn", std::string(R"({"emb_size": 5, "reg_weight": 0, "n_layers": )") + layers + "}",
                          60, 40, pairs);
    std::vector<float> users(300), items(200);
    for (size_t k = 0; k < users.size(); ++k) users[k] = 0.3f * static_cast<float>(k % 11) - 1.5f;
    for (size_t k = 0; k < items.size(); ++k) items[k] = 0.2f * static_cast<float>(k % 13) - 1.2f;
    harness.set("user_emb", users);
    harness.set("item_emb", items);
    std::vector<int32_t> all_users, all_items;
    double loss = 0;
    std::vector<double> of_users(users.size()), of_items(items.size());
    for (int32_t u = 0; u < 60; ++u) {
      const std::vector<int32_t> row{(u * 7) % 40, (u * 11 + 3) % 40};
      all_users.push_back(u);
      all_items.insert(all_items.end(), row.begin(), row.end());
      loss += harness.compute({u}, row) / 60;
      const auto g_users = harness.gradient("user_emb"), g_items = harness.gradient("item_emb");
      for (size_t k = 0; k < users.size(); ++k) of_users[k] += g_users[k] / 60;
      for (size_t k = 0; k < items.size(); ++k) of_items[k] += g_items[k] / 60;
    }
    EXPECT_NEAR(harness.compute(all_users, all_items), loss, 1e-5);
    const auto g_users = harness.gradient("user_emb"), g_items = harness.gradient("item_emb");
    for (size_t k = 0; k < users.size(); ++k) ASSERT_NEAR(g_users[k], of_users[k], 1e-6) << k;
    for (size_t k = 0; k < items.size(); ++k) ASSERT_NEAR(g_items[k], of_items[k], 1e-6) << k;
  }
}

TEST(LightGcn, DropsOtherEdgesInEachBatchAndNoneWhenItRanks) {
  const PluginHarness::Pairs pairs{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 1}, {2, 2}};
  PluginHarness dropped("lightgcn", R"({"emb_size": 2, "edge_dropout": 0.5})", 3, 3, pairs);
  PluginHarness whole("lightgcn", R"({"emb_size": 2})", 3, 3, pairs);
  std::set<double> losses;
  for (int64_t index = 0; index < 20; ++index) {
    Batch batch = PluginHarness::batch_of({0, 1}, {0, 1, 2, 1});
    batch.index = index;
    losses.insert(dropped.compute(std::move(batch)));
  }
  EXPECT_GT(losses.size(), 10u);
  EXPECT_EQ(dropped.score_live({0, 1}, {0, 1, 2, 1}), whole.score_live({0, 1}, {0, 1, 2, 1}));
}

TEST(LightGcn, IsTheSameModelAfterACancel) {
  expect_same_model_after_a_cancel("lightgcn", R"({"emb_size": 4, "n_layers": 2, "epochs": 3, "batch_size": 40})");
}

}  // namespace
}  // namespace rec
