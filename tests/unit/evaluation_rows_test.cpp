// What an evaluation keeps of its rows, and items that training had no row of.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/base/rng.h"
#include "core/evaluation/evaluation.h"
#include "core/serving/recommender.h"
#include "tests/unit/data_checks.h"

namespace rec {
namespace {

constexpr int64_t kUsers = 30, kItems = 25, kWidth = 3;

// Every user has events of all parts; items 23 and 24 are in the test part only, and have the best scores.
struct World {
  std::vector<int64_t> users, items;
  std::vector<int32_t> parts;
  Dataset data;
  std::shared_ptr<Model> model = std::make_shared<Model>();
  Buffer<float> user_table = Buffer<float>(kUsers * kWidth), item_table = Buffer<float>(kItems * kWidth);

  explicit World(bool knows_untrained) {
    Rng rng(3, RngStream::kInit);
    for (int64_t i = 0; i < 23; ++i) add(i % kUsers, i, REC_PART_TRAIN);
    for (int64_t u = 0; u < kUsers; ++u)
      for (int n = 0; n < 4; ++n) add(u, rng.next_below(23), n == 3 ? REC_PART_TEST : REC_PART_TRAIN);
    add(5, 23, REC_PART_TEST);
    add(6, 24, REC_PART_TEST);
    data = dataset_of(users, items, parts, [](rec_columns_t&) {});
    for (float& x : user_table) x = static_cast<float>(1 + rng.next_below(3));
    for (float& x : item_table) x = static_cast<float>(rng.next_below(4));
    for (int64_t k = 23 * kWidth; k < kItems * kWidth; ++k) item_table[k] = 10;
    model->name = "tables";
    model->catalog = make_catalog(data, build_interactions(data, true, false, false));
    model->user_table = borrow_tensor("u", {kUsers, kWidth}, user_table.data());
    model->item_table = borrow_tensor("i", {kItems, kWidth}, item_table.data());
    if (knows_untrained) model->untrained = untrained_items(data, false);
  }
  void add(int64_t user, int64_t item, int32_t part) {
    users.push_back(user);
    items.push_back(item);
    parts.push_back(part);
  }
  float score(int64_t user, int64_t item) const {
    float sum = 0;
    for (int64_t k = 0; k < kWidth; ++k)
      sum = std::fma(user_table[user * kWidth + k], item_table[item * kWidth + k], sum);
    return sum;
  }
};

TEST(EvaluationRows, KeepWhatEachRankedAsTheSlowDefinitionDoes) {
  const World world(false);
  for (const int32_t rows : {REC_ROWS_USER, REC_ROWS_EVENT})
    for (const char* metric : {"recall@2", "gauc"})  // by the top of the list, and by all scores
      for (const int32_t candidates : {REC_CANDIDATES_FULL, REC_CANDIDATES_UNIFORM}) {
        Protocol protocol;
        protocol.rows = rows;
        protocol.candidates = candidates;
        protocol.n_candidates = 5;
        protocol.keep_lists = 7;
        const Report report = evaluate(world.model, world.data, protocol, parse_metrics(metric), 2, nullptr);
        ASSERT_EQ(report.list_offsets.size(), report.users.size() + 1);
        for (size_t row = 0; row < report.users.size(); ++row) {
          const int64_t user = report.users[row], at = report.interactions[row];
          EXPECT_EQ(world.users[at], user);
          EXPECT_EQ(world.parts[at], REC_PART_TEST);
          const int64_t begin = report.list_offsets[row], end = report.list_offsets[row + 1];
          if (candidates == REC_CANDIDATES_UNIFORM) EXPECT_LE(end - begin, 7);
          std::vector<std::pair<float, int64_t>> want;
          for (int64_t item = 0; item < kItems; ++item) {
            bool is_known = false, is_positive = false;
            for (size_t i = 0; i < world.users.size(); ++i) {
              if (world.users[i] != user || world.items[i] != item) continue;
              is_known |= world.parts[i] == REC_PART_TRAIN;
              is_positive |= world.parts[i] == REC_PART_TEST && (rows == REC_ROWS_USER || world.items[at] == item);
            }
            const auto listed = std::find(report.list_items.begin() + begin, report.list_items.begin() + end, item);
            if (listed != report.list_items.begin() + end) {
              const int64_t place = listed - report.list_items.begin();
              EXPECT_EQ(report.list_relevant[place] != 0, is_positive);
              EXPECT_EQ(report.list_scores[place], world.score(user, item));
            }
            if (is_positive || !is_known) want.emplace_back(-world.score(user, item), item);
          }
          if (candidates != REC_CANDIDATES_FULL) continue;
          std::sort(want.begin(), want.end());
          want.resize(std::min<size_t>(want.size(), 7));
          ASSERT_EQ(end - begin, std::ssize(want));
          for (size_t j = 0; j < want.size(); ++j) EXPECT_EQ(report.list_items[begin + j], want[j].second);
        }
      }
}

TEST(EvaluationRows, KeepNoListsUnlessAsked) {
  const World world(false);
  const Report report = evaluate(world.model, world.data, Protocol(), parse_metrics("recall@2"), 1, nullptr);
  EXPECT_TRUE(report.list_offsets.empty());
  EXPECT_EQ(report.interactions.size(), report.users.size());
}

TEST(UntrainedItems, AreThoseWithoutATrainingRow) {
  const World world(true);
  ASSERT_EQ(world.model->untrained.size(), 4u);
  for (int64_t item = 0; item < kItems; ++item) EXPECT_EQ(world.model->is_untrained(item), item >= 23) << item;
  const Dataset whole = dataset_of({1, 2}, {10, 11}, {0, 0}, [](rec_columns_t&) {});
  EXPECT_TRUE(untrained_items(whole, false).empty());
  const std::vector<float> labels{1, 0};
  const Dataset shown = dataset_of({1, 2}, {10, 11}, {0, 0}, [&](rec_columns_t& columns) {
    columns.labels = labels.data();
    columns.n_labels = std::ssize(labels);
  });
  EXPECT_EQ(untrained_items(shown, false), (std::vector<uint8_t>{2})) << "shown only";
  EXPECT_TRUE(untrained_items(shown, true).empty());
}

TEST(UntrainedItems, AreInNoRankingAndHitNothing) {
  const World plain(false), world(true);
  for (const char* metric : {"hit@25", "gru4rec.recall@25"}) {
    Protocol protocol;
    protocol.rows = REC_ROWS_EVENT;
    protocol.keep_lists = kItems;
    const Report before = evaluate(plain.model, plain.data, protocol, parse_metrics(metric), 1, nullptr);
    const Report after = evaluate(world.model, world.data, protocol, parse_metrics(metric), 1, nullptr);
    EXPECT_TRUE(std::ranges::find(before.list_items, 24) != before.list_items.end());
    for (const int64_t item : after.list_items) EXPECT_LT(item, 23);
    for (size_t row = 0; row < after.users.size(); ++row)
      EXPECT_EQ(after.values[row], world.items[after.interactions[row]] < 23) << metric;
    EXPECT_EQ(before.means[0], 1);
  }
  Protocol drawn;
  drawn.candidates = REC_CANDIDATES_UNIFORM;
  drawn.keep_lists = kItems;
  const Report report = evaluate(world.model, world.data, drawn, parse_metrics("hit@1"), 1, nullptr);
  for (const int64_t item : report.list_items) EXPECT_LT(item, 23);
}

TEST(UntrainedItems, AreNotRecommendedUnlessNamed) {
  const World plain(false), world(true);
  const auto top = [](const World& of, const uint8_t* deny) {
    const Recommender recommender(of.model, {});
    const int64_t user = 4;
    rec_ids_t ids{};
    ids.struct_size = sizeof ids;
    ids.type = REC_ID_INT64;
    ids.n = 1;
    ids.i64 = &user;
    Request request;
    request.users = IdList(ids, "users");
    request.k = 25;
    request.deny = deny;
    std::vector<int64_t> rows(25);
    recommender.top_k(request, rows.data(), nullptr, nullptr);
    rows.resize(std::ranges::find(rows, REC_NO_ROW) - rows.begin());
    return rows;
  };
  EXPECT_EQ(top(plain, nullptr).size(), 25u);
  const std::vector<int64_t> rows = top(world, nullptr);
  EXPECT_EQ(rows.size(), 23u);
  EXPECT_EQ(std::ranges::find(rows, 24), rows.end());
  const std::vector<uint8_t> deny{0x01, 0, 0, 0};
  const std::vector<int64_t> fewer = top(world, deny.data());
  EXPECT_EQ(fewer.size(), 22u);
  EXPECT_EQ(std::ranges::find(fewer, 0), fewer.end());
}

}  // namespace
}  // namespace rec
