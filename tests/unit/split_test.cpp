#include "core/data/split.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/log.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/data/dataset_builder.h"
#include "core/data/describe.h"
#include "core/data/load.h"
#include "core/data/write.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/golden.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

// Users 0 .. with the given numbers of interactions; items and times count up within a user, unless `time` is given.
Dataset world(
    const std::vector<int>& counts, bool has_time = true,
    const std::function<int64_t(int64_t, int64_t)>& time = [](int64_t, int64_t k) { return k; }) {
  DatasetBuilder builder(REC_ID_INT64, REC_ID_INT64, 0, nullptr);
  builder.declare({has_time, false});
  for (size_t user = 0; user < counts.size(); ++user)
    for (int64_t k = 0; k < counts[user]; ++k)
      builder.add(static_cast<int64_t>(user), k, time(static_cast<int64_t>(user), k), 0.0f, Part::kTrain);
  return builder.finish();
}

std::array<int64_t, 3> counts_of(const Dataset& data, int64_t user = -1) {
  std::array<int64_t, 3> counts{};
  for (int64_t i = 0; i < data.n(); ++i)
    if (user < 0 || data.user[i] == user) ++counts[static_cast<uint8_t>(data.part[i])];
  return counts;
}

SplitOptions kind(int32_t which, uint64_t seed = 1) {
  SplitOptions options;
  options.kind = which;
  options.seed = seed;
  return options;
}

TEST(RatioSplit, GivesEachUserTheCountsOfRecBole) {
  const auto golden = golden_json("protocol.json").at("cases").at("recbole_split_counts");
  std::vector<int> sizes;
  std::vector<std::array<int64_t, 3>> expected;
  for (const auto& [n, counts] : golden.at("counts").items()) {
    sizes.push_back(std::stoi(n));
    expected.push_back(counts.get<std::array<int64_t, 3>>());
  }
  const Dataset split = split_dataset(world(sizes), kind(REC_SPLIT_RATIO));
  for (size_t user = 0; user < sizes.size(); ++user)
    EXPECT_EQ(counts_of(split, static_cast<int64_t>(user)), expected[user]) << sizes[user];
}

TEST(LeaveOneOut, PutsTheLastEventsWhereRecBolePutsThem) {
  const auto golden = golden_json("protocol.json").at("cases").at("recbole_leave_one_out");
  std::vector<int> sizes;
  for (const auto& group : golden.at("groups")) sizes.push_back(static_cast<int>(group.size()));
  for (bool has_time : {true, false}) {
    const Dataset split = split_dataset(world(sizes, has_time), kind(REC_SPLIT_LEAVE_ONE_OUT));
    std::vector<std::vector<int64_t>> parts(3);
    for (int64_t i = 0; i < split.n(); ++i) parts[static_cast<uint8_t>(split.part[i])].push_back(i);
    EXPECT_EQ(parts, golden.at("leave_2").get<std::vector<std::vector<int64_t>>>()) << has_time;
  }
}

TEST(LeaveOneOut, GoesByTimeNotByTheOrderOfTheFileAndEqualTimesByTheFile) {
  const Dataset split =
      split_dataset(world({4}, true, [](int64_t, int64_t k) { return std::array{9, 2, 5, 5}[static_cast<size_t>(k)]; }),
                    kind(REC_SPLIT_LEAVE_ONE_OUT));
  EXPECT_EQ(rows_of(split), (Rows{"0 0 @9 test", "0 1 @2", "0 2 @5", "0 3 @5 valid"}));
}

TEST(TemporalSplit, TrainIsBeforeValidIsBeforeTest) {
  const Dataset split =
      split_dataset(world({30, 50, 20}, true, [](int64_t u, int64_t k) { return (k * 37 + u * 11) % 101; }),
                    kind(REC_SPLIT_TEMPORAL));
  std::map<Part, std::pair<int64_t, int64_t>> range;
  for (int64_t i = 0; i < split.n(); ++i) {
    auto [at, fresh] = range.try_emplace(split.part[i], split.time[i], split.time[i]);
    at->second = {std::min(at->second.first, split.time[i]), std::max(at->second.second, split.time[i])};
  }
  EXPECT_LE(range[Part::kTrain].second, range[Part::kValid].first);
  EXPECT_LE(range[Part::kValid].second, range[Part::kTest].first);
  EXPECT_EQ(counts_of(split), (std::array<int64_t, 3>{80, 10, 10}));
}

TEST(SessionSplit, KeepsSessionsWholeAndTheLatestForTest) {
  const Dataset split = split_dataset(
      world(std::vector<int>(10, 3), true, [](int64_t u, int64_t k) { return 100 - u + 1000 * (k == 1); }),
      kind(REC_SPLIT_SESSION));
  for (int64_t i = 0; i < split.n(); ++i)
    EXPECT_EQ(split.part[i], split.user[i] == 0 ? Part::kTest : split.user[i] == 1 ? Part::kValid : Part::kTrain);
}

TEST(GlobalRatioSplit, CountsOverAllInteractions) {
  EXPECT_EQ(counts_of(split_dataset(world({1, 1, 98}), kind(REC_SPLIT_RATIO_GLOBAL))),
            (std::array<int64_t, 3>{80, 10, 10}));
}

TEST(Split, LosesNothingAndDependsOnTheSeedAlone) {
  const Dataset data = world({1, 2, 3, 40, 17, 100});
  for (int32_t which = REC_SPLIT_RATIO; which <= REC_SPLIT_RATIO_GLOBAL; ++which) {
    SCOPED_TRACE(which);
    const Dataset a = split_dataset(data, kind(which, 5)), b = split_dataset(data, kind(which, 5)),
                  c = split_dataset(data, kind(which, 6));
    EXPECT_TRUE(std::ranges::equal(a.user.span(), data.user.span()));
    EXPECT_TRUE(std::ranges::equal(a.item.span(), data.item.span()));
    EXPECT_TRUE(std::ranges::equal(a.part.span(), b.part.span()));
    const bool random = which == REC_SPLIT_RATIO || which == REC_SPLIT_RATIO_GLOBAL;
    EXPECT_EQ(std::ranges::equal(a.part.span(), c.part.span()), !random);
  }
}

TEST(RatioSplit, AUsersPartsDoNotDependOnOtherUsers) {
  const Dataset few = split_dataset(world({20, 30}), kind(REC_SPLIT_RATIO)),
                more = split_dataset(world({20, 30, 99}), kind(REC_SPLIT_RATIO));
  for (int64_t i = 0; i < few.n(); ++i) EXPECT_EQ(few.part[i], more.part[i]);
}

TEST(Split, BadOptionsNameTheArgument) {
  const Dataset data = world({5});
  struct Case {
    const char* argument;
    SplitOptions options;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Case cases[] = {{"kind", {9, 0.8, 0.1, 0.1, 0}},         {"train_ratio", {1, 0.8, 0.1, 0.2, 0}},
                        {"train_ratio", {1, 0, 0.5, 0.5, 0}},    {"train_ratio", {1, nan, 0.1, 0.1, 0}},
                        {"valid_ratio", {1, 0.9, -0.1, 0.2, 0}}, {"test_ratio", {1, 0.5, 0.5, 2, 0}}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.argument);
    const Error error = error_of([&] { split_dataset(data, row.options); });
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT) << error.message;
    EXPECT_EQ(error.argument, row.argument);
  }
  for (int32_t which : {REC_SPLIT_TEMPORAL, REC_SPLIT_SESSION})
    EXPECT_EQ(error_of([&] { split_dataset(world({5}, false), kind(which)); }).status, REC_INVALID_DATA);
}

Dataset random_dataset(bool bytes, bool has_time, bool has_weight) {
  DatasetBuilder builder(bytes ? REC_ID_BYTES : REC_ID_INT64, bytes ? REC_ID_BYTES : REC_ID_INT64, 0, nullptr);
  builder.declare({has_time, has_weight});
  Rng rng(3, RngStream::kSplit);
  for (int i = 0; i < 500; ++i) {
    const int64_t user = int64_t{rng.next_below(40)} - 20, item = int64_t{rng.next_below(30)} << 40;
    const int64_t time = static_cast<int64_t>(rng.next_u64() >> 4) - (int64_t{1} << 59);
    const float weight = rng.next_normal();
    const auto part = static_cast<Part>(rng.next_below(3));
    if (bytes)
      builder.add(std::string_view("u \xff\"" + std::to_string(user)),
                  std::string_view("\xf0\x9f\x98\x80" + std::to_string(item)), time, weight, part);
    else
      builder.add(user, item, time, weight, part);
  }
  if (bytes)
    builder.set_title(std::string_view("\xf0\x9f\x98\x80"
                                       "0"),
                      "A \"title\", with\ttab");
  else
    builder.set_title(int64_t{0}, "Zero");
  return builder.finish();
}

TEST(WriteDataset, ReadsBackTheSameRowsOfEveryPart) {
  for (int mask = 0; mask < 8; ++mask) {
    SCOPED_TRACE(mask);
    const Dataset data = random_dataset(mask & 1, mask & 2, mask & 4);
    const TempFolder folder;
    write_dataset(data, folder / "shop/");
    EXPECT_TRUE(std::filesystem::exists(folder / "shop/shop.train.inter"));
    const Dataset back = load_dataset(folder / "shop");
    Rows expected = rows_of(data), got = rows_of(back);
    const auto by_part = [](const std::string& row) {
      return row.ends_with("test") ? 2 : row.ends_with("valid") ? 1 : 0;
    };
    std::stable_sort(expected.begin(), expected.end(), [&](auto& a, auto& b) { return by_part(a) < by_part(b); });
    EXPECT_EQ(got, expected);
    const int32_t titled = mask & 1 ? back.items.find(
                                          "\xf0\x9f\x98\x80"
                                          "0")
                                    : back.items.find(int64_t{0});
    EXPECT_EQ(title_of(back, titled), mask & 1 ? "A \"title\", with tab" : "Zero");
  }
}

Dataset one_row(int64_t item, bool titled) {
  DatasetBuilder builder(REC_ID_INT64, REC_ID_INT64, 0, nullptr);
  builder.add(int64_t{1}, item, 0, 0.0f, Part::kTrain);
  if (titled) builder.set_title(item, "A title");
  return builder.finish();
}

TEST(WriteDataset, LeavesNothingOfAnOlderOne) {
  const TempFolder folder;
  write_dataset(one_row(7, true), folder / "shop");
  write_dataset(one_row(7, false), folder / "shop");
  EXPECT_TRUE(load_dataset(folder / "shop").title_offsets.empty());
}

TEST(WriteDataset, ThatDoesNotFitOnTheDiskLeavesTheOlderOne) {
  const TempFolder folder;
  write_dataset(one_row(7, true), folder / "shop");
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit few{4096, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &few), 0);
  DatasetBuilder builder(REC_ID_INT64, REC_ID_INT64, 0, nullptr);
  for (int64_t i = 0; i < 2000; ++i) builder.add(i, i, 0, 0.0f, Part::kTrain);
  const Dataset large = builder.finish();
  const Error error = error_of([&] { write_dataset(large, folder / "shop"); });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.status, REC_IO) << error.message;
  const Dataset data = load_dataset(folder / "shop");
  EXPECT_EQ(rows_of(data), Rows{"1 7"});
  EXPECT_EQ(title_of(data, 0), "A title");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "shop"), {}), 4);
}

TEST(WriteDataset, ThatFailsHalfWayLeavesNoDataSetRatherThanTwoMixed) {
  const TempFolder folder;
  write_dataset(one_row(7, true), folder / "shop");
  folder.file("shop/shop.item.gz/in_the_way", "");
  EXPECT_NE(error_of([&] { write_dataset(one_row(8, false), folder / "shop"); }).status, REC_OK);
  EXPECT_EQ(error_of([&] { load_dataset(folder / "shop"); }).status, REC_NOT_FOUND);
}

TEST(WriteDataset, ByteIdsThatLookLikeNumbersComeBackAsBytes) {
  for (const auto& [users, items] :
       {std::pair{"1 abc 2", "x y z"}, std::pair{"1 2 3", "4 5 6"}, std::pair{"a b c", "a 5 007"}}) {
    SCOPED_TRACE(cat(users, " / ", items));
    DatasetBuilder builder(REC_ID_BYTES, REC_ID_BYTES, 0, nullptr);
    for (size_t i = 0; i < 3; ++i) builder.add(split(users, ' ')[i], split(items, ' ')[i], 0, 0.0f, Part::kTrain);
    builder.set_title(split(items, ' ')[0], "First");
    const Dataset data = builder.finish();
    const TempFolder folder;
    write_dataset(data, folder / "shop");
    for (const std::string& path : {folder / "shop", folder / "shop/shop.train.inter"}) {
      const Dataset back = load_dataset(path);
      EXPECT_TRUE(back.users.same_ids(data.users));
      EXPECT_TRUE(back.items.same_ids(data.items));
      EXPECT_EQ(title_of(back, 0), "First");
    }
    write_dataset(one_row(7, false), folder / "shop");
    EXPECT_EQ(load_dataset(folder / "shop").users.type(), REC_ID_INT64) << "of the data set before";
  }
}

TEST(WriteDataset, NamesInTheLogWhatItLeavesOut) {
  struct Case {
    const char* left_out;
    std::function<void(DatasetBuilder&)> add;
  };
  static std::string lines;
  const auto sink = [](int32_t, const char* line, void*) { lines += line; };
  const TempFolder folder;
  for (const Case& row : {Case{"", [](auto&) {}},
                          Case{"relations,item_features",
                               [](auto& b) {
                                 b.add_relation("bought_with");
                                 b.item_features().add_dense("size", 2);
                               }},
                          Case{"users_without_rows", [](auto& b) { b.users().add(b.users().key(int64_t{9})); }},
                          Case{"items_without_rows", [](auto& b) { b.items().add(b.items().key(int64_t{9})); }}}) {
    SCOPED_TRACE(row.left_out);
    lines.clear();
    DatasetBuilder builder(REC_ID_INT64, REC_ID_INT64, 0, nullptr);
    builder.add(int64_t{1}, int64_t{2}, 0, 0.0f, Part::kTrain);
    row.add(builder);
    log::set_sink(sink, REC_LOG_WARNING, nullptr, nullptr);
    write_dataset(builder.finish(), folder / "out");
    log::deliver();
    log::set_sink(nullptr, 0, nullptr, nullptr);
    const size_t at = lines.find("left_out=");
    EXPECT_EQ(at == std::string::npos ? "" : lines.substr(at + 9), row.left_out);
  }
}

TEST(WriteDataset, RefusesIdsThatAFileCannotHoldAndWritesNothing) {
  for (const std::string& id :
       {std::string("a\tb"), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3), std::string()}) {
    DatasetBuilder builder(REC_ID_BYTES, REC_ID_BYTES, 0, nullptr);
    builder.add(std::string_view("u"), std::string_view(id), 0, 0.0f, Part::kTrain);
    const TempFolder folder;
    const Dataset data = builder.finish();
    const Error error = error_of([&] { write_dataset(data, folder / "x"); });
    EXPECT_EQ(error.status, REC_INVALID_DATA);
    EXPECT_EQ(error.argument, "item_id");
    EXPECT_NE(error.message.find("row 0"), std::string::npos) << error.message;
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  }
}

TEST(DescribeDataset, CountsWhatIsThere) {
  const TempFolder folder;
  folder.file("train.csv", "user_id,item_id,time\n1,a,5\n1,a,7\n1,b,9\n2,a,1\n");
  folder.file("test.csv", "user_id,item_id,time\n3,b,11\n");
  const auto json = nlohmann::json::parse(describe_dataset(load_dataset(folder.path())));
  const auto expected =
      nlohmann::json::parse(R"({"n_users": 3, "n_items": 2, "n_interactions": 5, "n_train": 4, "n_valid": 0,
    "n_test": 1, "n_duplicates": 1, "n_users_with_one": 2, "time": {"first": 1, "last": 11}, "user_id_type": "int64",
    "item_id_type": "bytes", "format": "rechorus", "n_skipped": 0, "weight": null})");
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(json.at(key), value) << key;
  EXPECT_DOUBLE_EQ(json.at("density"), 4.0 / 6.0);
  EXPECT_EQ(json.at("interactions_per_user").at("max"), 3);
  EXPECT_EQ(json.at("interactions_per_user").at("p50"), 1);
  EXPECT_DOUBLE_EQ(json.at("interactions_per_item").at("mean"), 2.5);
}

}  // namespace
}  // namespace rec
