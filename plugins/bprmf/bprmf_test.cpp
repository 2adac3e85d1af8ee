#include "tests/golden/golden_case.h"

namespace rec {
namespace {

INSTANTIATE_TEST_SUITE_P(
    BprMf, GoldenTest,
    testing::Values(
        GoldenCase{"bprmf_rechorus", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3)"},
        GoldenCase{"bprmf_rechorus", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3, "l2": 0.01)", "adam3_l2"},
        GoldenCase{"bprmf_recbole", "bprmf", R"(, "loss": "bpr_log")"},
        GoldenCase{"bprmf_lightgcn_repo", "bprmf", R"(, "loss": "bpr", "reg_weight": 0.1)"},
        GoldenCase{"bprmf_rechorus_steps", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3)"},
        GoldenCase{"bprmf_rechorus_steps", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3, "l2": 0.01)", "adam3_l2"},
        GoldenCase{"bprmf_rechorus_lazy", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3)"},
        GoldenCase{"bprmf_rechorus_lazy", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3, "optimizer": "lazy_adam")",
                   "adam3_lazy"}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

TEST(BprMf, HasTheSameLossOnOneNegative) {
  check_one_negative("bprmf_rechorus", "bprmf", R"({"emb_size": 8, "loss": "bpr_multi"})");
}

TEST(BprMf, ScoresLiveAsItScoresFrozen) {
  PluginHarness harness("bprmf", R"({"emb_size": 3, "lr": 0.1})", 3, 4, {});
  for (int step = 0; step < 5; ++step) {
    harness.compute({0}, {1, 2});  // users 1 and 2 and item 0 miss steps until they are read
    harness.model().apply();
  }
  const auto live = harness.score_live({2, 1}, {0, 3});
  harness.model().freeze();
  const rec_tensor_view_t users = harness.model().table(REC_TABLE_USER), items = harness.model().table(REC_TABLE_ITEM);
  const auto dot = [&](int64_t u, int64_t i) {
    float score = 0;
    for (int64_t k = 0; k < 3; ++k)
      score = std::fma(static_cast<const float*>(users.data)[u * 3 + k],
                       static_cast<const float*>(items.data)[i * 3 + k], score);
    return score;
  };
  EXPECT_EQ(live, (std::vector<float>{dot(2, 0), dot(1, 3)}));
}

// Each row's user and item count once, however many rows use the item as a negative.
TEST(BprMf, RegularisesTheRowsOfABatchThatIsItsOwnNegatives) {
  const auto loss = [](const char* reg_weight) {
    PluginHarness harness("bprmf", cat(R"({"emb_size": 2, "sampler": "in_batch", "reg_weight": )", reg_weight, "}"), 3,
                          3, {{0, 0}});
    harness.set("user_emb", {1, 0, 0, 2, 3, 0});
    harness.set("item_emb", {1, 1, 0, 1, 2, 0});
    Batch batch = PluginHarness::batch_of({0, 1, 2}, {0, 1, 2, 1, 2, 0, 2, 0, 1});
    std::fill_n(batch.column(REC_COLUMN_LOG_Q).reshape<float>(3, 3), 9, 0.f);
    return harness.compute(std::move(batch));
  };
  EXPECT_NEAR(loss("0.1") - loss("0"), 0.1 * 0.5 * (1 + 4 + 9 + 2 + 1 + 4) / 3, 1e-6);
}

TEST(Bprmf, LeavesToTheHostWhatItSaysOfAFailure) {
  PluginHarness harness("bprmf", R"({"emb_size": 2})", 1, 2, {{0, 0}});
  try {
    harness.compute(PluginHarness::batch_of({0}, {0}));
    ADD_FAILURE() << "a loss over one column";
  } catch (const Error& error) {
    EXPECT_NE(error.message.find("two columns"), std::string::npos) << error.message;
  }
}

}  // namespace
}  // namespace rec
