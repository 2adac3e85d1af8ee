// Catalogues of several blocks of items against a slow definition over all scores.
#include "core/serving/scorer.h"

#include <cmath>
#include <numeric>
#include <set>

#include "core/base/rng.h"
#include "core/serving/recommender.h"
#include "tests/unit/data_checks.h"

namespace rec {
namespace {

constexpr int64_t kItems = 2 * Scorer::kItems + 12345, kUsers = 3;
constexpr float kNone = -std::numeric_limits<float>::infinity();

// Many items and few different scores, so that ties span blocks.
struct World {
  std::shared_ptr<Model> model = std::make_shared<Model>();
  std::vector<std::vector<float>> weights;  // [kUsers, kItems] the row of item u, which user u has
  Buffer<float> users = Buffer<float>(kUsers * 2), items = Buffer<float>(kItems * 2);

  explicit World(bool by_weights) {
    Rng rng(11, RngStream::kInit);
    std::vector<int64_t> user_ids, item_ids;
    std::vector<int32_t> parts;
    for (int64_t i = 0; i < kItems; ++i) {
      user_ids.push_back(i < kUsers ? i : kUsers - 1);
      item_ids.push_back(i);
      parts.push_back(i < kUsers ? REC_PART_TRAIN : REC_PART_TEST);
    }
    const Dataset data = dataset_of(user_ids, item_ids, parts, [](rec_columns_t&) {});
    model->name = "blocks";
    model->catalog = make_catalog(data, build_interactions(data, true, false, false));
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> columns;
    std::vector<float> values;
    for (int64_t u = 0; u < kUsers; ++u) {
      std::vector<float>& row = weights.emplace_back(kItems);
      for (int64_t i = 0; i < kItems; ++i) {
        if (u != 1 && rng.next_below(1000) != 0) continue;  // the row of item 1 is full
        row[i] = static_cast<float>(1 + rng.next_below(4));
        columns.push_back(static_cast<int32_t>(i));
        values.push_back(row[i]);
      }
      offsets.push_back(std::ssize(columns));
    }
    offsets.resize(kItems + 1, offsets.back());
    if (by_weights) {
      model->weight_offsets = own_tensor("o", {kItems + 1}, Buffer<int64_t>(offsets));
      model->weight_columns = own_tensor("c", {offsets.back()}, Buffer<int32_t>(columns));
      model->weight_values = own_tensor("v", {offsets.back()}, Buffer<float>(values));
    } else {
      for (float& x : users) x = static_cast<float>(rng.next_below(3)) - 1;
      for (float& x : items) x = static_cast<float>(rng.next_below(5)) - 2;
      model->user_table = borrow_tensor("u", {kUsers, 2}, users.data());
      model->item_table = borrow_tensor("i", {kItems, 2}, items.data());
    }
  }
};

// The k best of these scores by (score descending, row ascending), padded.
std::vector<std::pair<int64_t, float>> best(const std::vector<float>& scores, int64_t k, auto&& wanted) {
  std::vector<std::pair<int64_t, float>> list;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > kNone && wanted(static_cast<int64_t>(i))) list.emplace_back(i, scores[i]);
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  list.resize(k, {REC_NO_ROW, kNone});
  return list;
}

TEST(Scorer, RanksBlocksOfItemsAsOneListOfAllScores) {
  const World world(true);
  const auto scorer = make_scorer(world.model);
  std::vector<uint8_t> allow((kItems + 7) / 8, 0xff), deny((kItems + 7) / 8, 0);
  for (size_t i = 0; i < allow.size(); i += 3) allow[i] = 0x5a;
  for (size_t i = 0; i < deny.size(); i += 5) deny[i] = 0x11;
  const std::vector<int32_t> users{0, 1, -1, 2};
  const std::vector<int32_t> excluded{0,
                                      5,
                                      static_cast<int32_t>(Scorer::kItems) - 1,
                                      static_cast<int32_t>(Scorer::kItems),
                                      static_cast<int32_t>(kItems) - 1,
                                      7,
                                      70000};
  const std::vector<int64_t> excluded_offsets{0, 5, 5, 5, 7};
  Queries queries;
  queries.n = 4;
  queries.users = users.data();
  Scorer::Scratch scratch;
  for (const int64_t k : {1, 20, 700, 100000}) {
    SCOPED_TRACE(k);
    kernels::ItemFilter filter;
    filter.exclude_offsets = excluded_offsets.data();
    filter.exclude_rows = excluded.data();
    filter.allow = allow.data();
    filter.deny = deny.data();
    std::vector<int64_t> rows(4 * k);
    std::vector<float> scores(rows.size());
    std::vector<rec_status_t> status(4);
    scorer->top_k(queries, filter, k, rows.data(), scores.data(), status.data(), scratch);
    EXPECT_EQ(status, (std::vector<rec_status_t>{REC_OK, REC_OK, REC_NOT_FOUND, REC_OK}));
    for (size_t q = 0; q < 4; ++q) {
      const std::set<int64_t> out(excluded.begin() + excluded_offsets[q], excluded.begin() + excluded_offsets[q + 1]);
      const auto expected = best(users[q] < 0 ? std::vector<float>() : world.weights[users[q]], k, [&](int64_t i) {
        const auto bit = static_cast<size_t>(i % 8);
        return out.count(i) == 0 && (allow[i / 8] >> bit & 1) != 0 && (deny[i / 8] >> bit & 1) == 0;
      });
      for (size_t j = 0; j < static_cast<size_t>(k); ++j)
        ASSERT_EQ(std::pair(rows[q * static_cast<size_t>(k) + j], scores[q * static_cast<size_t>(k) + j]), expected[j])
            << "place " << j << " of query " << q;
    }
  }
  EXPECT_LE(scratch.scores.capacity(), Scorer::kItems) << "one block, however many items there are";
}

TEST(Scorer, ScoresCandidatesOfAnyBlockAndAllItems) {
  const World world(true);
  const auto scorer = make_scorer(world.model);
  std::vector<int32_t> candidates;
  for (int32_t i = 0; i < kItems; i += 997) candidates.push_back(static_cast<int32_t>(kItems) - 1 - i);
  candidates.push_back(-1);
  const int32_t user = 1;
  Queries queries;
  queries.n = 1;
  queries.users = &user;
  const int64_t offsets[] = {0, std::ssize(candidates)};
  std::vector<float> scores(candidates.size()), all(scorer->all_stride());
  rec_status_t status;
  Scorer::Scratch scratch;
  scorer->candidate_scores(queries, offsets, candidates.data(), scores.data(), &status, scratch);
  for (size_t i = 0; i + 1 < candidates.size(); ++i)
    ASSERT_EQ(scores[i], world.weights[1][candidates[i]]) << candidates[i];
  EXPECT_EQ(scores.back(), kNone);
  scorer->all_scores(queries, all.data(), scorer->all_stride(), &status, scratch);
  all.resize(kItems);
  EXPECT_EQ(all, world.weights[1]);
}

TEST(Scorer, FindsSimilarItemsInAnyBlock) {
  Scorer::Scratch scratch;
  constexpr int64_t kWanted = 50;
  std::vector<int64_t> rows(kWanted);
  std::vector<float> scores(kWanted);
  const World world(false);
  std::vector<float> all(kItems);
  const auto length = [&](int64_t i) {
    return 1 / std::sqrt(static_cast<double>(world.items[2 * i] * world.items[2 * i]) +
                         world.items[2 * i + 1] * world.items[2 * i + 1]);
  };
  const int32_t item = 0;
  for (int64_t i = 0; i < kItems; ++i) {
    const float dot = std::fma(world.items[1], world.items[2 * i + 1], world.items[0] * world.items[2 * i]);
    const auto inverse = [&](int64_t j) { return std::isfinite(length(j)) ? static_cast<float>(length(j)) : 0.f; };
    all[i] = std::clamp(dot * inverse(i) * inverse(item), -1.f, 1.f) + 0.f;
  }
  make_scorer(world.model)->similar(Entity::kItem, item, {}, kWanted, rows.data(), scores.data(), scratch);
  const auto expected = best(all, kWanted, [&](int64_t i) { return i != item; });
  for (size_t j = 0; j < kWanted; ++j) EXPECT_EQ(std::pair(rows[j], scores[j]), expected[j]) << j;
}

// They are the neighbours that a neighbourhood model has kept for the item; whose neighbour the item is does not matter.
TEST(Scorer, TakesTheItemsThatGiveAnItemWeightAsSimilar) {
  const World world(true);
  constexpr int64_t kStep = 7919, kItem = 5;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;
  std::vector<float> values, all(kItems, kNone);
  for (int64_t h = 0; h < kItems; ++h) {
    if (h == kItem || h % kStep == 0) {
      columns.insert(columns.end(), {2, static_cast<int32_t>(kItem)});
      values.insert(values.end(), {9, static_cast<float>(h % 4)});
      if (h % 4 != 0) all[h] = static_cast<float>(h % 4);
    }
    offsets.push_back(std::ssize(columns));
  }
  world.model->weight_offsets = own_tensor("o", {kItems + 1}, Buffer<int64_t>(offsets));
  world.model->weight_columns = own_tensor("c", {offsets.back()}, Buffer<int32_t>(columns));
  world.model->weight_values = own_tensor("v", {offsets.back()}, Buffer<float>(values));
  std::vector<int64_t> rows(20);
  std::vector<float> scores(20);
  Scorer::Scratch scratch;
  make_scorer(world.model)->similar(Entity::kItem, kItem, {}, 20, rows.data(), scores.data(), scratch);
  const auto expected = best(all, 20, [&](int64_t i) { return i != kItem; });
  for (size_t j = 0; j < 20; ++j) EXPECT_EQ(std::pair(rows[j], scores[j]), expected[j]) << j;
}

}  // namespace
}  // namespace rec
