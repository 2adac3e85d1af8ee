// Losses over impression lists and labels: reference values and gradients, finite differences, any number of threads.
#include <cmath>

#include "core/base/rng.h"
#include "core/plugin/host.h"
#include "tests/unit/golden.h"

namespace rec {
namespace {

struct Result {
  rec_status_t status;
  double loss = 0;
  std::vector<float> slope;
};

Result list_loss(int32_t loss, const std::vector<float>& scores, const std::vector<uint8_t>& mask, int64_t n_rows,
                 int threads = 1) {
  ThreadPool pool(threads);
  rec_call_t call{&pool, nullptr, {}};
  Result out{REC_OK, 0, std::vector<float>(scores.size(), -7.f)};
  out.status = host_table().list_loss(&call, loss, scores.data(), mask.data(), n_rows, std::ssize(scores) / n_rows,
                                      &out.loss, out.slope.data());
  return out;
}

struct Named {
  const char* name;
  int32_t loss;
};
constexpr Named kLosses[] = {{"BPR", REC_LIST_LOSS_BPR},
                             {"BPRafter", REC_LIST_LOSS_BPR_AFTER},
                             {"BPRbefore", REC_LIST_LOSS_BPR_BEFORE},
                             {"BPRsimple", REC_LIST_LOSS_BPR_SIMPLE},
                             {"BPRhard", REC_LIST_LOSS_BPR | REC_LIST_LOSS_HARD},
                             {"BPRhardafter", REC_LIST_LOSS_BPR_AFTER | REC_LIST_LOSS_HARD},
                             {"BPRhardbefore", REC_LIST_LOSS_BPR_BEFORE | REC_LIST_LOSS_HARD},
                             {"listnet", REC_LIST_LOSS_LISTNET},
                             {"softmaxCE", REC_LIST_LOSS_SOFTMAX_CE},
                             {"attention_rank", REC_LIST_LOSS_ATTENTION_RANK}};

// Scores and slopes are float32 here, float64 in the reference: 5e-7 relative is a few units in the last place.
void expect_close(double got, double wanted, const std::string& what) {
  EXPECT_LE(std::abs(got - wanted), 5e-7 * (1 + std::abs(wanted))) << what << ": " << got << ", wanted " << wanted;
}

TEST(ListLoss, GivesTheReferencesValuesAndGradients) {
  const auto golden = golden_json("metrics.json").at("cases").at("rechorus_impression_loss");
  ASSERT_EQ(golden.at("losses").size(), std::size(kLosses));
  for (const Named& named : kLosses) {
    SCOPED_TRACE(named.name);
    const auto& expected = golden.at("losses").at(named.name);
    for (size_t n_rows : {size_t{3}, size_t{4}}) {  // the fourth has no negative: it is left out
      std::vector<float> scores;
      std::vector<uint8_t> mask;
      for (size_t b = 0; b < n_rows; ++b) {
        for (float score : golden.at("pred")[b]) scores.push_back(score);
        for (int target : golden.at("target")[b])
          mask.push_back(static_cast<uint8_t>(target < 0 ? REC_SLOT_PADDING : target));
      }
      const Result got = list_loss(named.loss, scores, mask, static_cast<int64_t>(n_rows));
      ASSERT_EQ(got.status, REC_OK);
      // In the reference BPRsimple has one value per row, and the gradient of their sum; here it is their mean.
      const bool simple = expected.at("loss").is_array();
      double loss = 0;
      if (simple)
        for (double row : expected.at("loss")) loss += row / 3;
      else
        loss = expected.at("loss");
      expect_close(got.loss, loss, "loss");
      for (size_t b = 0; b < n_rows; ++b)
        for (size_t c = 0; c < 6; ++c) {
          const double slope = b == 3 ? 0 : expected.at("grad")[b][c].get<double>() / (simple ? 3 : 1);
          expect_close(got.slope[b * 6 + c], slope, "slope " + std::to_string(b) + ", " + std::to_string(c));
        }
    }
  }
}

struct Lists {
  std::vector<float> scores;
  std::vector<uint8_t> mask;
};

Lists random_lists(int64_t n_rows, int64_t n_columns, float spread) {
  Rng rng(n_rows, RngStream::kInit);
  Lists lists;
  for (int64_t i = 0; i < n_rows * n_columns; ++i) {
    lists.scores.push_back(spread * (rng.next_float() - 0.5f));
    constexpr uint8_t kSlots[] = {REC_SLOT_NEGATIVE, REC_SLOT_POSITIVE, REC_SLOT_PADDING};
    lists.mask.push_back(kSlots[rng.next_below(3)]);
  }
  return lists;
}

TEST(ListLoss, SlopesAreThoseOfTheLoss) {
  for (const Named& named : kLosses) {
    SCOPED_TRACE(named.name);
    const Lists lists = random_lists(5, 9, 6);
    const Result got = list_loss(named.loss, lists.scores, lists.mask, 5);
    for (size_t i = 0; i < lists.scores.size(); ++i) {
      std::vector<float> up = lists.scores, down = lists.scores;
      up[i] += 1.f / 256, down[i] -= 1.f / 256;  // exact steps of these scores
      const double slope = (list_loss(named.loss, up, lists.mask, 5).loss -
                            list_loss(named.loss, down, lists.mask, 5).loss) /
                           (static_cast<double>(up[i]) - down[i]);
      EXPECT_NEAR(got.slope[i], slope, 3e-5);
    }
  }
}

TEST(ListLoss, IsTheSameForAnyNumberOfThreads) {
  const Lists lists = random_lists(1000, 12, 4);
  for (const Named& named : kLosses) {
    const Result one = list_loss(named.loss, lists.scores, lists.mask, 1000, 1);
    const Result seven = list_loss(named.loss, lists.scores, lists.mask, 1000, 7);
    EXPECT_EQ(one.loss, seven.loss) << named.name;
    EXPECT_EQ(one.slope, seven.slope) << named.name;
  }
}

TEST(ListLoss, StaysFiniteForScoresFarApart) {
  const std::vector<uint8_t> mask{REC_SLOT_POSITIVE, REC_SLOT_NEGATIVE, REC_SLOT_PADDING};
  for (const Named& named : kLosses) {
    for (const float far : {300.f, -300.f}) {
      const Result got = list_loss(named.loss, {far, -far, -INFINITY}, mask, 1);
      EXPECT_TRUE(std::isfinite(got.loss)) << named.name << ' ' << far;
      for (float slope : got.slope) EXPECT_TRUE(std::isfinite(slope)) << named.name << ' ' << far;
      EXPECT_EQ(got.slope[2], 0) << named.name;
    }
  }
}

TEST(ListLoss, RefusesWhatItDoesNotKnow) {
  const std::vector<float> scores{1, 2};
  EXPECT_EQ(list_loss(0, scores, {1, 0}, 1).status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(list_loss(REC_LIST_LOSS_LISTNET | REC_LIST_LOSS_HARD, scores, {1, 0}, 1).status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(list_loss(REC_LIST_LOSS_BPR, scores, {1, 7}, 1).status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(list_loss(REC_LIST_LOSS_BPR, scores, {1, 0}, 2).status, REC_INVALID_ARGUMENT) << "one column";
}

TEST(LabelLoss, GivesCrossEntropyAndSquaredErrorOfTheSigmoid) {
  const std::vector<float> scores{0.5f, -2.f, 3.f, 0.f, -150.f}, labels{1, 0, 0, 1, 1};
  rec_call_t call{nullptr, nullptr, {}};
  std::vector<float> bce_slope(5), mse_slope(5);
  double bce = 0, mse = 0, bce_wanted = 0, mse_wanted = 0;
  const auto run = [&](int32_t loss, double& value, std::vector<float>& slope) {
    return host_table().label_loss(&call, loss, scores.data(), labels.data(), 5, &value, slope.data());
  };
  ASSERT_EQ(run(REC_LABEL_LOSS_BCE, bce, bce_slope), REC_OK);
  ASSERT_EQ(run(REC_LABEL_LOSS_MSE, mse, mse_slope), REC_OK);
  for (size_t i = 0; i < 5; ++i) {
    const double p = 1 / (1 + std::exp(-static_cast<double>(scores[i]))), y = labels[i];
    const double log_p = std::max(y > 0 ? std::log(p) : std::log(1 - p), -100.0);
    bce_wanted -= log_p / 5;
    mse_wanted += (p - y) * (p - y) / 5;
    EXPECT_NEAR(bce_slope[i], log_p > -100 ? (p - y) / 5 : 0, 1e-7);
    EXPECT_NEAR(mse_slope[i], 2 * (p - y) * p * (1 - p) / 5, 1e-7);
  }
  EXPECT_NEAR(bce, bce_wanted, 1e-12);
  EXPECT_NEAR(mse, mse_wanted, 1e-12);
  EXPECT_EQ(run(3, bce, bce_slope), REC_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace rec
