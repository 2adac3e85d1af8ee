#include "tests/golden/golden_case.h"

namespace rec {
namespace {

// Labelled rows: one item each, with its label.
Batch labelled_batch(const Reference& reference, const std::string& step) {
  Batch batch = golden_pairs(reference, step);
  PluginHarness::add_histories(batch, reference.histories("in.history"));
  const auto labels = reference.floats("in.label");
  std::copy(labels.begin(), labels.end(), batch.column(REC_COLUMN_LABEL).reshape<float>(batch.n_rows));
  return batch;
}

GoldenCase golden(const std::string& name, const std::string& items, const std::string& layers) {
  return {name,
          "hrm",
          R"(, "task": "ctr", "temperature": 0.5, "dropout": 0, "pooling_items": ")" + items +
              R"(", "pooling_layers": ")" + layers + R"(")",
          "adam3",
          "loss.total",
          labelled_batch};
}

INSTANTIATE_TEST_SUITE_P(Hrm, GoldenTest,
                         testing::Values(golden("hrm_max_max", "max", "max"), golden("hrm_mean_mean", "mean", "mean"),
                                         golden("hrm_sum_sum", "sum", "sum"), golden("hrm_mean_max", "mean", "max"),
                                         golden("hrm_max_max_ties", "max", "max"),
                                         golden("hrm_mean_max_ties", "mean", "max")),
                         [](const auto& test) { return test.param.golden; });

// Predictions are sigmoid(score), so the served score must be the one trained on.
TEST(Hrm, ServesTheScoresOfLabelledRows) {
  PluginHarness harness("hrm", R"({"emb_size": 4, "task": "ctr", "dropout": 0, "init_std": 1})", 2, 3, {{0, 0}});
  const auto batch = [] {
    Batch made = PluginHarness::batch_of({0, 1}, {0, 1, 2, 0, 1, 2});
    PluginHarness::add_histories(made, {{1}, {2, 0}});
    return made;
  };
  std::vector<float> live(6), queries(8);
  harness.model().score_live(batch().view(1), live.data());
  harness.model().freeze();
  const rec_tensor_view_t items = harness.model().table(REC_TABLE_ITEM);
  harness.model().encode(batch().view(1), queries.data());
  for (size_t b = 0; b < 2; ++b)
    for (size_t i = 0; i < 3; ++i) {
      float score = 0;
      for (size_t k = 0; k < 4; ++k) score += queries[b * 4 + k] * static_cast<const float*>(items.data)[i * 4 + k];
      EXPECT_NEAR(score, live[b * 3 + i], 1e-4f) << b << ", " << i;
    }
}

// The gradient of a shared table is that of both of its roles.
TEST(Hrm, AddsTheGradientsOfASharedTable) {
  const auto gradients = [](bool shared) {
    PluginHarness harness("hrm",
                          cat(R"({"emb_size": 2, "dropout": 0, "loss": "neg_sampling", "share_item_table": )",
                              shared ? "true" : "false", "}"),
                          1, 3, {{0, 0}});
    harness.set("user_emb", {0.1f, -0.2f});
    const std::vector<float> items{0.5f, -1, 0.25f, 2, -0.75f, 0.3f};
    harness.set("item_emb", items);
    if (!shared) harness.set("seq_item_emb", items);
    Batch batch = PluginHarness::batch_of({0}, {0, 2});
    PluginHarness::add_histories(batch, {{0, 1}});
    harness.compute(std::move(batch));
    auto sum = harness.gradient("item_emb");
    if (!shared) {
      const auto other = harness.gradient("seq_item_emb");
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += other[i];
    }
    return sum;
  };
  const auto apart = gradients(false), shared = gradients(true);
  for (size_t i = 0; i < apart.size(); ++i) EXPECT_NEAR(apart[i], shared[i], 1e-7) << i;
}

// -ln sigma(h . v+) - sum of ln sigma(-h . v-), by hand.
TEST(Hrm, HasThePapersLoss) {
  PluginHarness harness("hrm", R"({"emb_size": 1, "dropout": 0, "loss": "neg_sampling", "pooling_layers": "sum"})", 1,
                        3, {{0, 0}});
  harness.set("user_emb", {1});
  harness.set("seq_item_emb", {0, 2, 0});
  harness.set("item_emb", {0.5f, 0, -1});
  Batch batch = PluginHarness::batch_of({0}, {0, 2});
  PluginHarness::add_histories(batch, {{1}});
  // h = 1 + 2; s+ = 1.5, s- = -3
  EXPECT_NEAR(harness.compute(std::move(batch)), std::log1p(std::exp(-1.5)) + std::log1p(std::exp(-3.0)), 1e-6);
}

TEST(Hrm, TakesZerosForAnUnknownUser) {
  PluginHarness harness("hrm", R"({"emb_size": 64, "init_std": 1, "pooling_layers": "mean"})", 2, 3, {{0, 0}});
  harness.set("user_emb", std::vector<float>(2 * 64));
  EXPECT_EQ(harness.encode({-1}, {{1, 2}}, 64), harness.encode({1}, {{1, 2}}, 64));
}

}  // namespace
}  // namespace rec
