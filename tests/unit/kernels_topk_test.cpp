#include <algorithm>
#include <numeric>

#include "tests/unit/kernels_fixture.h"

namespace rec::kernels {
namespace {

struct Ranking {
  std::vector<int64_t> rows;
  std::vector<float> scores;
};

struct FilterData {
  std::vector<int64_t> offsets;
  std::vector<int32_t> rows;
  std::vector<uint8_t> allow, deny;

  ItemFilter view() const {
    return {offsets.empty() ? nullptr : offsets.data(), rows.data(), allow.empty() ? nullptr : allow.data(),
            deny.empty() ? nullptr : deny.data()};
  }
  bool passes(int64_t query, int64_t item) const {
    const auto bit = [item](const std::vector<uint8_t>& map) { return map[at(item / 8)] >> (item % 8) & 1; };
    if (!allow.empty() && !bit(allow)) return false;
    if (!deny.empty() && bit(deny)) return false;
    return offsets.empty() || !std::binary_search(rows.begin() + offsets[at(query)],
                                                  rows.begin() + offsets[at(query + 1)], static_cast<int32_t>(item));
  }
};

FilterData random_filter(int64_t n_queries, int64_t n, bool exclusions, bool bitmaps) {
  FilterData filter;
  Rng rng(21, RngStream::kSplit);
  if (exclusions) {
    filter.offsets.push_back(0);
    for (int64_t q = 0; q < n_queries; ++q) {
      for (int64_t i = 0; i < n; ++i)
        if (rng.next_below(4) < static_cast<uint32_t>(q % 4)) filter.rows.push_back(static_cast<int32_t>(i));
      filter.offsets.push_back(std::ssize(filter.rows));
    }
  }
  for (int64_t byte = 0; bitmaps && byte < (n + 7) / 8; ++byte) {
    filter.allow.push_back(static_cast<uint8_t>(rng.next_u32() | rng.next_u32()));
    filter.deny.push_back(static_cast<uint8_t>(rng.next_u32() & rng.next_u32()));
  }
  return filter;
}

// The definition: a full sort of the items that may be ranked.
Ranking full_sort(const std::vector<float>& scores, int64_t n_queries, int64_t n, int64_t stride, int64_t k,
                  const FilterData& filter) {
  Ranking result;
  for (int64_t q = 0; q < n_queries; ++q) {
    std::vector<int64_t> rows;
    const float* of = &scores[at(q * stride)];
    for (int64_t i = 0; i < n; ++i)
      if (of[i] > -kInf && filter.passes(q, i)) rows.push_back(i);
    std::stable_sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) { return of[a] > of[b]; });
    for (int64_t i = 0; i < k; ++i) {
      const bool there = i < std::ssize(rows);
      result.rows.push_back(there ? rows[at(i)] : -1);
      result.scores.push_back(there ? of[rows[at(i)]] + 0.0f : -kInf);
    }
  }
  return result;
}

Ranking ranking_of(int64_t n_queries, int64_t k) {
  return {std::vector<int64_t>(at(n_queries * k), -5), std::vector<float>(at(n_queries * k), kNan)};
}

void expect_same(const Ranking& actual, const Ranking& expected) {
  ASSERT_EQ(actual.rows, expected.rows);
  expect_same_bits(actual.scores, expected.scores);
}

TEST(TopK, EqualsAFullSortAtEveryLevel) {
  for (int64_t d : {1, 8, 17})
    for (int64_t n : {1, 15, 16, 17, 100, 1000})
      for (int64_t n_queries : {1, 4, 61})
        for (bool coarse : {false, true}) {
          auto items = random_floats(n * d, 22), queries = random_floats(n_queries * d, 23);
          // Few distinct values: nearly every score is tied.
          if (coarse)
            for (auto* matrix : {&items, &queries})
              for (float& x : *matrix) x = static_cast<float>(static_cast<int>(x));
          const auto tiles = tiled(items, n, d);
          const int64_t stride = tile_count(n) * kTileItems;
          std::vector<float> scores(at(n_queries * stride));
          scalar().score_tiles({queries.data(), n_queries, tiles.data(), d, scores.data(), stride}, 0, tile_count(n));
          for (int64_t k : {int64_t{1}, int64_t{5}, int64_t{20}, n, n + 3})
            for (int filters = 0; filters < 4; ++filters) {
              const FilterData filter = random_filter(n_queries, n, filters & 1, filters & 2);
              const Ranking expected = full_sort(scores, n_queries, n, stride, k, filter);
              for (const KernelTable* level : all_levels()) {
                if (level == &scalar() && n_queries * n > 20000) continue;
                SCOPED_TRACE(testing::Message() << level->name << " d " << d << " n " << n << " queries " << n_queries
                                                << " k " << k << " filters " << filters << " coarse " << coarse);
                Ranking actual = ranking_of(n_queries, k);
                std::vector<uint64_t> scratch(at(top_k_scratch_bytes(n, k) / 8));
                const TopK t{queries.data(),       tiles.data(),  n, d, filter.view(), k, actual.rows.data(),
                             actual.scores.data(), scratch.data()};
                level->top_k(t, 0, n_queries / 2);
                level->top_k(t, n_queries / 2, n_queries);
                expect_same(actual, expected);
              }
            }
        }
}

TEST(TopKOfScores, LeavesOutNanAndMinusInfinityAndBreaksTiesByRow) {
  for (int64_t n : {1, 15, 16, 17, 1000})
    for (int64_t k : {int64_t{1}, int64_t{5}, n, n + 3})
      for (int filters = 0; filters < 4; ++filters) {
        const int64_t n_queries = 6;
        auto scores = random_floats(n_queries * n, 24);
        Rng rng(25, RngStream::kInit);
        const float special[] = {kNan, -kInf, kInf, 0.0f, -0.0f, -kNan, 1e-42f};
        for (float& x : scores) {
          const uint32_t draw = rng.next_below(14);
          if (draw < 7) x = special[draw];
        }
        std::fill(scores.begin() + 5 * n, scores.end(), kNan);
        const FilterData filter = random_filter(n_queries, n, filters & 1, filters & 2);
        const Ranking expected = full_sort(scores, n_queries, n, n, k, filter);
        for (const KernelTable* level : all_levels()) {
          SCOPED_TRACE(testing::Message() << level->name << " n " << n << " k " << k << " filters " << filters);
          Ranking actual = ranking_of(n_queries, k);
          std::vector<uint64_t> scratch(at(top_k_scratch_bytes(n, k) / 8));
          level->top_k_of_scores(
              {scores.data(), n, filter.view(), k, actual.rows.data(), actual.scores.data(), scratch.data()}, 0,
              n_queries);
          expect_same(actual, expected);
        }
      }
}

TEST(TopK, NeverRanksNanScores) {
  const int64_t n = 40, d = 3, k = 40;
  auto items = random_floats(n * d, 26);
  for (int64_t i : {0, 7, 39}) items[at(i * d + 1)] = kNan;
  const auto queries = random_floats(d, 27);
  const auto tiles = tiled(items, n, d);
  for (const KernelTable* level : all_levels()) {
    Ranking actual = ranking_of(1, k);
    std::vector<uint64_t> scratch(at(top_k_scratch_bytes(n, k) / 8));
    level->top_k({queries.data(), tiles.data(), n, d, {}, k, actual.rows.data(), actual.scores.data(), scratch.data()},
                 0, 1);
    EXPECT_EQ(std::count(actual.rows.begin(), actual.rows.end(), -1), 3) << level->name;
    for (int64_t i : {0, 7, 39}) EXPECT_EQ(std::count(actual.rows.begin(), actual.rows.end(), i), 0);
  }
}

}  // namespace
}  // namespace rec::kernels
