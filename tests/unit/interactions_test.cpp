#include "core/data/interactions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/rng.h"
#include "core/data/dataset_builder.h"
#include "tests/unit/data_checks.h"

namespace rec {
namespace {

struct Event {
  int64_t user, item, time;
  Part part;
};

Dataset dataset_of(const std::vector<Event>& events, bool has_time = true) {
  DatasetBuilder builder(REC_ID_INT64, REC_ID_INT64, 0, nullptr);
  builder.declare({has_time, true});
  for (const Event& e : events) builder.add(e.user, e.item, e.time, static_cast<float>(e.time), e.part);
  return builder.finish();
}

std::vector<std::vector<int32_t>> rows_of(const Csr& csr) {
  std::vector<std::vector<int32_t>> rows;
  for (int64_t r = 0; r < csr.n_rows(); ++r) rows.emplace_back(csr.row(r).begin(), csr.row(r).end());
  return rows;
}

using Lists = std::vector<std::vector<int32_t>>;

const std::vector<Event> kEvents{{0, 0, 9, Part::kTrain}, {1, 1, 5, Part::kTrain}, {0, 1, 3, Part::kTrain},
                                 {0, 2, 3, Part::kTrain}, {0, 0, 1, Part::kTrain}, {0, 2, 2, Part::kTest},
                                 {2, 2, 2, Part::kValid}};

TEST(Interactions, OfAUserAreInTimeOrderAndEqualTimesInTheOrderRead) {
  const Dataset data = dataset_of(kEvents);
  const Interactions train = build_interactions(data, true, false, false);
  EXPECT_EQ(rows_of(train.by_user), (Lists{{0, 1, 2, 0}, {1}, {}}));
  EXPECT_EQ(rows_of(train.by_item), (Lists{{0, 0}, {0, 1}, {0}}));
  EXPECT_EQ(std::vector<int64_t>(train.entry_time.begin(), train.entry_time.end()),
            (std::vector<int64_t>{1, 3, 3, 9, 5}));
  EXPECT_EQ(std::vector<float>(train.entry_weight.begin(), train.entry_weight.end()),
            (std::vector<float>{1, 3, 3, 9, 5}));
  EXPECT_EQ(std::vector<int32_t>(train.entry_user.begin(), train.entry_user.end()),
            (std::vector<int32_t>{0, 0, 0, 0, 1}));
}

TEST(Interactions, TakeOnlyTheWantedParts) {
  const Dataset data = dataset_of(kEvents);
  EXPECT_EQ(rows_of(build_interactions(data, false, true, true).by_user), (Lists{{2}, {}, {2}}));
  EXPECT_EQ(build_interactions(data, true, true, true).by_user.nnz(), 7);
  EXPECT_EQ(build_interactions(data, false, false, false).by_user.nnz(), 0);
}

TEST(Interactions, WithoutTimesKeepTheOrderRead) {
  const Interactions all = build_interactions(dataset_of(kEvents, false), true, true, true);
  EXPECT_EQ(rows_of(all.by_user), (Lists{{0, 1, 2, 0, 2}, {1}, {2}}));
  EXPECT_TRUE(all.entry_time.empty());
}

TEST(Graph, HasEachPairOnceAscending) {
  const Interactions train = build_interactions(dataset_of(kEvents), true, false, false);
  const Graph graph = build_graph(train.by_user, 3);
  EXPECT_EQ(rows_of(graph.users), (Lists{{0, 1, 2}, {1}, {}}));
  EXPECT_EQ(rows_of(graph.items), (Lists{{0}, {0, 1}, {0}}));
  EXPECT_TRUE(graph.users.row_contains(0, 2));
  EXPECT_FALSE(graph.users.row_contains(2, 2));
}

TEST(Interactions, EqualASlowDefinitionOnRandomEvents) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed, RngStream::kSplit);
    std::vector<Event> events;
    for (uint32_t i = 0, n = 1 + rng.next_below(400); i < n; ++i)
      events.push_back(
          {rng.next_below(9), rng.next_below(30), rng.next_below(20), static_cast<Part>(rng.next_below(3))});
    const Dataset data = dataset_of(events);
    const Interactions got = build_interactions(data, true, true, false);
    const Graph graph = build_graph(got.by_user, data.n_items());
    for (int64_t user = 0; user < data.n_users(); ++user) {
      std::vector<std::pair<int64_t, int32_t>> slow;
      for (int64_t i = 0; i < data.n(); ++i)
        if (data.user[i] == user && data.part[i] != Part::kTest) slow.emplace_back(data.time[i], data.item[i]);
      std::stable_sort(slow.begin(), slow.end(), [](auto& a, auto& b) { return a.first < b.first; });
      std::vector<int32_t> items;
      for (const auto& [time, item] : slow) items.push_back(item);
      EXPECT_EQ(rows_of(got.by_user)[user], items);
      const std::set<int32_t> distinct(items.begin(), items.end());
      EXPECT_EQ(rows_of(graph.users)[user], std::vector<int32_t>(distinct.begin(), distinct.end()));
    }
    for (int64_t item = 0; item < data.n_items(); ++item)
      for (int32_t user : graph.items.row(item))
        EXPECT_TRUE(graph.users.row_contains(user, static_cast<int32_t>(item)));
    EXPECT_EQ(graph.items.nnz(), graph.users.nnz());
    EXPECT_EQ(got.by_item.nnz(), got.by_user.nnz());
  }
}

TEST(IdMap, FindsEveryIdAndNoOther) {
  const std::vector<int64_t> ids{5, -3, INT64_MIN, INT64_MAX, 0};
  const IdMap map = IdMap::from_int64(Buffer<int64_t>(std::span<const int64_t>(ids)));
  for (int32_t row = 0; row < 5; ++row) EXPECT_EQ(map.find(ids[row]), row);
  EXPECT_EQ(map.find(int64_t{6}), -1);
  EXPECT_EQ(map.find(std::string_view("5")), 0);
  for (const char* other : {"05", "5 ", "x", ""}) EXPECT_EQ(map.find(std::string_view(other)), -1) << other;

  const std::string text("b\0a\xff", 4);
  const std::vector<int64_t> offsets{0, 2, 3, 3, 4};
  const IdMap bytes =
      IdMap::from_bytes(Buffer<int64_t>(std::span<const int64_t>(offsets)), Buffer<char>(std::span<const char>(text)));
  EXPECT_EQ(bytes.find(std::string_view("b\0", 2)), 0);
  EXPECT_EQ(bytes.find(std::string_view("a")), 1);
  EXPECT_EQ(bytes.find(std::string_view("")), 2);
  EXPECT_EQ(bytes.find(std::string_view("\xff")), 3);
  EXPECT_EQ(bytes.find(std::string_view("b")), -1);
  EXPECT_EQ(bytes.copy().find(std::string_view("a")), 1);
  EXPECT_EQ(IdMap().find(int64_t{0}), -1);
}

TEST(IdMap, RefusesDuplicatesAndFilesThatLie) {
  const auto i64 = [](std::vector<int64_t> v) { return Buffer<int64_t>(std::span<const int64_t>(v)); };
  const auto i32 = [](std::vector<int32_t> v) { return Buffer<int32_t>(std::span<const int32_t>(v)); };
  const auto text = [](std::string v) { return Buffer<char>(std::span<const char>(v)); };
  EXPECT_EQ(error_of([&] { IdMap::from_int64(i64({4, 7, 4})); }).status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(error_of([&] { IdMap::from_bytes(i64({0, 1, 2}), text("aa")); }).status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(IdMap::from_sorted(REC_ID_INT64, i64({4, 3}), {}, i32({1, 0})).find(int64_t{3}), 1);
  struct Case {
    const char* name;
    int32_t type;
    std::vector<int64_t> ids;
    std::string bytes;
    std::vector<int32_t> sorted;
  };
  const Case cases[] = {{"type", 7, {1}, "", {0}},
                        {"too few", REC_ID_INT64, {1, 2}, "", {0}},
                        {"outside", REC_ID_INT64, {1, 2}, "", {0, 2}},
                        {"negative", REC_ID_INT64, {1, 2}, "", {-1, 1}},
                        {"twice", REC_ID_INT64, {1, 2}, "", {0, 0}},
                        {"descending", REC_ID_INT64, {1, 2}, "", {1, 0}},
                        {"equal ids", REC_ID_INT64, {1, 1}, "", {0, 1}},
                        {"no offsets", REC_ID_BYTES, {}, "", {}},
                        {"falling offsets", REC_ID_BYTES, {0, 2, 1}, "a", {0, 1}},
                        {"offsets past the bytes", REC_ID_BYTES, {0, 1, 5}, "ab", {0, 1}},
                        {"bytes left over", REC_ID_BYTES, {0, 1}, "ab", {0}}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    const Error error = error_of([&] { IdMap::from_sorted(row.type, i64(row.ids), text(row.bytes), i32(row.sorted)); });
    EXPECT_EQ(error.status, REC_CORRUPT_DATA) << error.message;
  }
}

}  // namespace
}  // namespace rec
