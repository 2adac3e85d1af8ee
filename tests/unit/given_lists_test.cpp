#include "core/evaluation/given_lists.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/data_checks.h"

namespace rec {
namespace {

// Two rows over numbers: [5 1 9] against {1, 2}, and [] against {7}.
class GivenLists : public testing::Test {
 protected:
  GivenLists() {
    lists_.struct_size = sizeof lists_;
    lists_.ranked_offsets = ranked_offsets_.data();
    lists_.truth_offsets = truth_offsets_.data();
    lists_.n_ranked_offsets = lists_.n_truth_offsets = 3;
  }

  Report evaluate(const std::string& metrics) {
    ranked_ids_ = {sizeof ranked_ids_, REC_ID_INT64, ranked_.data(), nullptr, 0, nullptr, std::ssize(ranked_)};
    truth_ids_ = {sizeof truth_ids_, REC_ID_INT64, truth_.data(), nullptr, 0, nullptr, std::ssize(truth_)};
    lists_.ranked = &ranked_ids_;
    lists_.truth = &truth_ids_;
    lists_.gains = gains_.empty() ? nullptr : gains_.data();
    lists_.n_gains = std::ssize(gains_);
    return evaluate_lists(lists_, parse_metrics(metrics));
  }
  Error refusal(const std::string& metrics = "recall@2") {
    return error_of([&] { evaluate(metrics); });
  }

  std::vector<int64_t> ranked_{5, 1, 9}, ranked_offsets_{0, 3, 3}, truth_{1, 2, 7}, truth_offsets_{0, 2, 3};
  std::vector<float> gains_;
  rec_ids_t ranked_ids_{}, truth_ids_{};
  rec_lists_t lists_{};
};

TEST_F(GivenLists, AreMeasuredByHand) {
  const Report report = evaluate("recall@2,precision@2,ndcg@3,mrr@3,hit@1,map@3,rbp@3,rbp@3[0.5]");
  const double half = 1 / std::log2(3.0), ideal = 1 + half;
  const std::vector<double> first{0.5, 0.5, half / ideal, 0.5, 0, 0.25, 0.15 * 0.85, 0.25};
  ASSERT_EQ(report.values.size(), 2 * first.size());
  for (size_t m = 0; m < first.size(); ++m) {
    EXPECT_NEAR(report.values[2 * m], first[m], 1e-15) << report.names[m];
    EXPECT_EQ(report.values[2 * m + 1], 0) << report.names[m];
    EXPECT_NEAR(report.means[m], first[m] / 2, 1e-15) << report.names[m];
  }
  EXPECT_EQ(report.names.back(), "rbp@3[0.5]");
  EXPECT_EQ(report.users, (std::vector<int64_t>{0, 1}));
}

TEST_F(GivenLists, HaveGains) {
  ranked_ = {5, 1, 2};
  gains_ = {1, 3, 2};
  const double dcg = 1 / std::log2(3.0) + 3 / std::log2(4.0), ideal = 3 + 1 / std::log2(3.0);
  EXPECT_NEAR(evaluate("ndcg@3").values[0], dcg / ideal, 1e-12);
  EXPECT_NEAR(evaluate("ndcg@2").values[0], 1 / std::log2(3.0) / ideal, 1e-12);
  EXPECT_EQ(evaluate("recall@3").values[0], 1);
  gains_ = {0, 3, 2};  // 1 is not relevant
  EXPECT_EQ(evaluate("recall@2").values[0], 0);
  gains_ = {0, 0, 2};
  EXPECT_TRUE(std::isnan(evaluate("recall@2").values[0]));
}

TEST_F(GivenLists, CompareNumbersWithTheirText) {
  const std::string bytes = "17x";
  const std::vector<int64_t> offsets{0, 1, 2, 3};
  truth_offsets_ = {0, 2, 3};
  evaluate("recall@2");
  const rec_ids_t text{sizeof text, REC_ID_BYTES, nullptr, bytes.data(), 3, offsets.data(), 3};
  lists_.truth = &text;  // "1", "7" and "x"
  EXPECT_EQ(evaluate_lists(lists_, parse_metrics("recall@2")).values, (std::vector<double>{0.5, 0}));
}

TEST_F(GivenLists, CountARepeatedRelevantItemOnce) {
  truth_ = {1, 1, 7};
  EXPECT_EQ(evaluate("recall@2").values[0], 1);
}

TEST_F(GivenLists, SayWhatIsWrong) {
  EXPECT_EQ(refusal("auc").argument, "metrics");
  EXPECT_EQ(refusal("rechorus.hr@5").argument, "metrics");
  EXPECT_EQ(refusal("rbp@5[1.5]").argument, "metrics");
  ranked_ = {5, 1, 5};
  EXPECT_NE(refusal().message.find("ranked: row 0: the item at position 3 is in it twice"), std::string::npos);
  ranked_ = {5, 1};
  EXPECT_EQ(refusal().argument, "ranked_offsets");
  ranked_ = {5, 1, 9};
  truth_offsets_ = {0, 3, 2};
  EXPECT_EQ(refusal().argument, "truth_offsets");
  truth_offsets_ = {0, 3};
  lists_.n_truth_offsets = 2;
  EXPECT_EQ(refusal().argument, "truth");
  truth_offsets_ = {0, 2, 3};
  lists_.n_truth_offsets = 3;
  gains_ = {1, 2};
  EXPECT_EQ(refusal().argument, "gains");
  gains_ = {1, -1, 2};
  EXPECT_EQ(refusal().status, REC_INVALID_DATA);
  gains_ = {1, 1, 2};
  EXPECT_EQ(refusal("spark.ndcg@5").argument, "metrics");
  truth_ = {1, 1, 7};
  EXPECT_EQ(refusal().argument, "truth");
  gains_.clear();
  lists_.ranked_offsets = nullptr;
  EXPECT_EQ(refusal().argument, "ranked_offsets");
}

TEST_F(GivenLists, NeedARow) {
  ranked_ = truth_ = {};
  lists_.n_ranked_offsets = lists_.n_truth_offsets = 1;
  EXPECT_EQ(refusal().status, REC_INVALID_DATA);
}

}  // namespace
}  // namespace rec
