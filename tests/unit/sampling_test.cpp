#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/base/thread_pool.h"
#include "core/sampling/frequency.h"
#include "core/sampling/negatives.h"
#include "core/sampling/rules.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/golden.h"

namespace rec {
namespace {

Csr csr(const std::vector<std::vector<int32_t>>& rows) {
  Csr out;
  std::vector<int32_t> columns;
  std::vector<int64_t> offsets{0};
  for (const auto& row : rows) {
    columns.insert(columns.end(), row.begin(), row.end());
    offsets.push_back(std::ssize(columns));
  }
  out.columns = Buffer<int32_t>(std::span<const int32_t>(columns));
  out.offsets = Buffer<int64_t>(std::span<const int64_t>(offsets));
  return out;
}

std::vector<int32_t> range(int32_t n) {
  std::vector<int32_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::vector<int32_t> draws(const NegativeSampler& sampler, int64_t user, int64_t row, int64_t epoch, int64_t n) {
  std::vector<int32_t> out(n);
  sampler.fill(user, row, epoch, n, out.data());
  return out;
}

TEST(CdfDraw, EqualsTheOfficialSamplerOnItsOwnUniformNumbers) {
  for (const char* name : {"gru4rec_official_sampler.safetensors", "gru4rec_official_sampler_ties.safetensors"}) {
    SCOPED_TRACE(name);
    const GoldenTensors golden(name);
    const std::vector<double> cdf = golden.doubles("in.cdf"), u = golden.doubles("rand.u");
    const std::vector<int64_t> expected = golden.ints("out.sample");
    for (size_t i = 0; i < u.size(); ++i) EXPECT_EQ(draw_from_cdf(cdf, u[i]), expected[i]) << i;
  }
}

TEST(CdfDraw, TheCdfOfCountsIsTheOfficialOne) {
  for (const auto& [name, alpha] : {std::pair{"gru4rec_official_sampler.safetensors", 0.75},
                                    std::pair{"gru4rec_official_sampler_ties.safetensors", 0.5}}) {
    SCOPED_TRACE(name);
    const GoldenTensors golden(name);
    const std::vector<float> expected = golden.floats("in.cdf");
    const std::vector<double> cdf = cdf_of(popularity_probabilities(golden.ints("in.item_counts"), alpha));
    // The reference's running sum rounds to float32 in each step.
    for (size_t i = 0; i < cdf.size(); ++i) EXPECT_NEAR(cdf[i], expected[i], 2e-6) << i;
    EXPECT_EQ(cdf.back(), 1.0);
  }
}

TEST(PopularityProbabilities, AreThoseOfTheReference) {
  const GoldenTensors golden("sampler_rules.safetensors");
  const std::vector<double> probabilities = popularity_probabilities(golden.ints("out.popularity.counts"), 0.75);
  const std::vector<double> expected = golden.doubles("f64.popularity.prob");
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(probabilities[i], expected[i], 1e-15) << i;
}

TEST(NegativeSampler, NeverDrawsWhatTheUserHas) {
  for (int32_t n_items : {2, 63, 64, 65, 5000}) {
    for (const NegativeKind kind : {NegativeKind::kUniform, NegativeKind::kPopularity}) {
      SCOPED_TRACE(cat("items ", n_items, " kind ", static_cast<int>(kind)));
      std::vector<int32_t> odd, most = range(n_items);
      for (int32_t i = 1; i < n_items; i += 2) odd.push_back(i);
      most.erase(most.begin() + n_items / 2);
      const Csr positives = csr({{}, {0}, odd, most});
      const std::vector<int64_t> counts(n_items, 3);
      const NegativeSampler sampler(positives, counts, {kind, 0.75, 1});
      for (int64_t user = 0; user < 4; ++user)
        for (int32_t item : draws(sampler, user, 5, 0, 200)) {
          EXPECT_FALSE(positives.row_contains(user, item)) << user << " " << item;
          EXPECT_TRUE(item >= 0 && item < n_items) << item;
        }
    }
  }
}

TEST(NegativeSampler, AUserWhoHasEveryItemGetsAnyItemAtOnce) {
  const Csr positives = csr({range(100)});
  for (const NegativeKind kind : {NegativeKind::kUniform, NegativeKind::kPopularity}) {
    const NegativeSampler sampler(positives, std::vector<int64_t>(100, 1), {kind, 1, 1});
    const auto drawn = draws(sampler, 0, 0, 0, 1000);
    EXPECT_GT(std::set<int32_t>(drawn.begin(), drawn.end()).size(), 90u);
  }
}

TEST(NegativeSampler, TheLastFreeItemsAreDrawnEvenly) {
  std::vector<int32_t> most = range(1000);
  most.erase(most.begin() + 700);
  most.erase(most.begin());
  most.pop_back();
  const Csr positives = csr({most});
  const NegativeSampler sampler(positives, std::vector<int64_t>(1000, 1), {NegativeKind::kUniform, 1, 3});
  std::map<int32_t, int> counts;
  for (int32_t item : draws(sampler, 0, 0, 0, 9000)) ++counts[item];
  ASSERT_EQ(counts.size(), 3u);
  // Five sigma of 9000 draws at a third each.
  for (int32_t item : {0, 700, 999}) EXPECT_NEAR(counts[item], 3000, 5 * 44.8) << item;
}

TEST(NegativeSampler, ItemsWithoutTrainingRowsAreNeverDrawnByPopularity) {
  const std::vector<int64_t> counts{0, 5, 0, 1, 0, 0};
  const Csr positives = csr({{}, {1}, {1, 3}});
  const NegativeSampler sampler(positives, counts, {NegativeKind::kPopularity, 0.0, 1});
  std::map<int32_t, int> seen;
  for (int32_t item : draws(sampler, 0, 0, 0, 2000)) ++seen[item];
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_NEAR(seen[1], 1000, 5 * 22.4);
  for (int32_t item : draws(sampler, 1, 0, 0, 100)) EXPECT_EQ(item, 3);
  for (int32_t item : draws(sampler, 2, 0, 0, 100)) EXPECT_TRUE(item == 1 || item == 3);
}

TEST(NegativeSampler, PopularItemsComeByTheirPower) {
  std::vector<int64_t> counts(500);
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<int64_t>(1 + i % 7 * i % 11);
  const std::vector<double> expected = popularity_probabilities(counts, 0.75);
  const Csr positives = csr({{}});
  const NegativeSampler sampler(positives, counts, {NegativeKind::kPopularity, 0.75, 9});
  const int n = 200000;
  std::vector<int> seen(counts.size());
  for (int32_t item : draws(sampler, 0, 0, 0, n)) ++seen[item];
  for (size_t i = 0; i < counts.size(); ++i) {
    const double sigma = std::sqrt(n * expected[i] * (1 - expected[i]));
    EXPECT_NEAR(seen[i], n * expected[i], 6 * sigma + 1) << i;
  }
}

TEST(NegativeSampler, UniformDrawsAreUniformOverTheComplement) {
  const Csr positives = csr({{1, 4, 5}});
  const NegativeSampler sampler(positives, std::vector<int64_t>(10, 1), {NegativeKind::kUniform, 1, 2});
  std::map<int32_t, int> seen;
  for (int64_t row = 0; row < 7000; ++row) ++seen[draws(sampler, 0, row, 0, 1)[0]];
  ASSERT_EQ(seen.size(), 7u);
  for (const auto& [item, count] : seen) EXPECT_NEAR(count, 1000, 5 * 29.3) << item;
}

TEST(NegativeSampler, GivesTheSameIdsForAnyNumberOfThreadsAndAnyStart) {
  const Csr positives = csr({{1, 2, 3}, {4}, {}});
  const NegativeSampler sampler(positives, std::vector<int64_t>(200, 1), {NegativeKind::kUniform, 1, 11});
  const int64_t n_rows = 1000, k = 3;
  std::vector<int32_t> alone(n_rows * k);
  for (int64_t row = n_rows; row-- > 0;) sampler.fill(row % 3, row, 4, k, alone.data() + row * k);
  for (int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    std::vector<int32_t> shared(alone.size());
    pool.parallel_for(n_rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) sampler.fill(row % 3, row, 4, k, shared.data() + row * k);
    });
    EXPECT_EQ(shared, alone) << threads;
  }
  EXPECT_NE(draws(sampler, 0, 0, 4, 20), draws(sampler, 0, 0, 5, 20));
  EXPECT_NE(draws(sampler, 0, 0, 4, 20), draws(sampler, 0, 1, 4, 20));
}

TEST(NegativeSampler, NothingToDrawFromIsRefused) {
  const Csr positives = csr({{}});
  EXPECT_EQ(error_of([&] { NegativeSampler(positives, {}, {}); }).status, REC_INVALID_ARGUMENT);
  const std::vector<int64_t> zeros(5, 0);
  EXPECT_EQ(error_of([&] { NegativeSampler(positives, zeros, {NegativeKind::kPopularity, 1, 0}); }).status,
            REC_INVALID_ARGUMENT);
}

// The reference's freq_estimator without hashes: one slot per item, distinct items in each step.
TEST(FrequencyEstimator, FollowsTheMovingAverageOfGaps) {
  FrequencyEstimator estimator(3, 0.25);
  double gap = 0;
  int64_t last = 0;
  for (int64_t step = 1; step <= 40; ++step) {
    const bool there = step % 3 == 1 || step == 20;
    estimator.observe(there ? std::vector<int32_t>{1, 0, 1} : std::vector<int32_t>{0});
    if (there) {
      gap = 0.75 * gap + 0.25 * static_cast<double>(step - last);
      last = step;
    }
    EXPECT_FLOAT_EQ(estimator.log_probability(1), static_cast<float>(-std::log(std::max(1.0, gap)))) << step;
  }
  EXPECT_GT(gap, 1.5);
  EXPECT_EQ(estimator.log_probability(0), 0) << "in every batch";
  EXPECT_EQ(estimator.log_probability(2), 0) << "never seen";
}

}  // namespace
}  // namespace rec
