#include "core/data/columns.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/data_checks.h"

namespace rec {
namespace {

// Three valid interactions; each case breaks one thing.
struct Fixture {
  std::vector<int64_t> users{7, -1, 7}, items{5, 5, 6}, times{3, 2, 1}, offsets{0, 1, 1, 3}, title_offsets{0, 3, 5},
      title_items{6, 99};
  std::vector<float> weights{1, 0.5f, -2};
  std::vector<int32_t> parts{0, 1, 2};
  std::string bytes = "abc", title_bytes = "Sixxx";
  rec_ids_t user_ids{sizeof(rec_ids_t), REC_ID_INT64, users.data(), nullptr, 0, nullptr, 3};
  rec_ids_t item_ids{sizeof(rec_ids_t), REC_ID_INT64, items.data(), nullptr, 0, nullptr, 3};
  rec_ids_t byte_ids{sizeof(rec_ids_t), REC_ID_BYTES, nullptr, bytes.data(), std::ssize(bytes), offsets.data(), 3};
  rec_ids_t titled{sizeof(rec_ids_t), REC_ID_INT64, title_items.data(), nullptr, 0, nullptr, 2};
  rec_ids_t titles{sizeof(rec_ids_t), REC_ID_BYTES, nullptr, title_bytes.data(), std::ssize(title_bytes), title_offsets.data(), 2};
  rec_columns_t columns{};

  Fixture() {
    columns.struct_size = sizeof columns;
    columns.users = &user_ids;
    columns.items = &item_ids;
    columns.times = times.data();
    columns.n_times = std::ssize(times);
    columns.weights = weights.data();
    columns.n_weights = std::ssize(weights);
    columns.parts = parts.data();
    columns.n_parts = std::ssize(parts);
    columns.title_items = &titled;
    columns.titles = &titles;
  }
};

TEST(Columns, BecomeRowsPartsAndTitles) {
  Fixture f;
  const Dataset data = dataset_from_columns(f.columns);
  EXPECT_EQ(rows_of(data), (Rows{"7 5 @3 *1", "-1 5 @2 *0.5 valid", "7 6 @1 *-2 test"}));
  EXPECT_EQ(title_of(data, 0), "");
  EXPECT_EQ(title_of(data, 1), "Six");
  EXPECT_EQ(data.format, "memory");
}

TEST(Columns, NeedOnlyIds) {
  Fixture f;
  rec_columns_t columns{};
  columns.users = &f.byte_ids;
  columns.items = &f.item_ids;
  const Dataset data = dataset_from_columns(columns);
  EXPECT_EQ(rows_of(data), (Rows{"a 5", " 5", "bc 6"}));
}

TEST(Columns, HaveIdsWithoutRows) {
  Fixture f;
  f.columns.more_users = &f.item_ids;  // 5, 5, 6
  f.columns.more_items = &f.user_ids;  // 7, -1, 7
  const Dataset data = dataset_from_columns(f.columns);
  EXPECT_EQ(data.n(), 3);
  EXPECT_EQ(std::vector<int64_t>(data.users.i64().begin(), data.users.i64().end()),
            (std::vector<int64_t>{7, -1, 5, 6}));
  EXPECT_EQ(std::vector<int64_t>(data.items.i64().begin(), data.items.i64().end()),
            (std::vector<int64_t>{5, 6, 7, -1}));
}

struct BadColumns {
  const char* name;
  rec_status_t status;
  const char* argument;
  const char* says;
  void (*change)(Fixture&);
};

class ColumnsRefused : public testing::TestWithParam<BadColumns> {};

TEST_P(ColumnsRefused, WithStatusArgumentAndReason) {
  Fixture f;
  GetParam().change(f);
  const Error error = error_of([&] { dataset_from_columns(f.columns); });
  EXPECT_EQ(error.status, GetParam().status) << error.message;
  EXPECT_EQ(error.argument, GetParam().argument) << error.message;
  EXPECT_NE(error.message.find(GetParam().says), std::string::npos) << error.message;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ColumnsRefused,
    testing::Values(
        BadColumns{"NoUsers", REC_INVALID_ARGUMENT, "users", "NULL", [](Fixture& f) { f.columns.users = nullptr; }},
        BadColumns{"NoItems", REC_INVALID_ARGUMENT, "items", "NULL", [](Fixture& f) { f.columns.items = nullptr; }},
        BadColumns{"NoIds", REC_INVALID_ARGUMENT, "users", "i64", [](Fixture& f) { f.user_ids.i64 = nullptr; }},
        BadColumns{"NegativeLength", REC_INVALID_ARGUMENT, "users", "got -1", [](Fixture& f) { f.user_ids.n = -1; }},
        BadColumns{"OtherLengths", REC_INVALID_ARGUMENT, "items", "3, got 2", [](Fixture& f) { f.item_ids.n = 2; }},
        BadColumns{"NoRows", REC_INVALID_DATA, "users", "no interactions",
                   [](Fixture& f) { f.user_ids.n = f.item_ids.n = 0; }},
        BadColumns{"AutoType", REC_INVALID_ARGUMENT, "users", "type",
                   [](Fixture& f) { f.user_ids.type = REC_ID_AUTO; }},
        BadColumns{"RowType", REC_INVALID_ARGUMENT, "items", "type", [](Fixture& f) { f.item_ids.type = REC_ID_ROW; }},
        BadColumns{"FallingOffsets", REC_INVALID_ARGUMENT, "items", "offsets[2] is 0 after 2",
                   [](Fixture& f) {
                     f.offsets = {0, 2, 0, 3};
                     f.byte_ids.offsets = f.offsets.data();
                     f.columns.items = &f.byte_ids;
                   }},
        BadColumns{"NegativeOffset", REC_INVALID_ARGUMENT, "items", "got -1",
                   [](Fixture& f) {
                     f.offsets[0] = -1;
                     f.columns.items = &f.byte_ids;
                   }},
        BadColumns{"NoOffsets", REC_INVALID_ARGUMENT, "items", "offsets",
                   [](Fixture& f) {
                     f.byte_ids.offsets = nullptr;
                     f.columns.items = &f.byte_ids;
                   }},
        BadColumns{"NoBytes", REC_INVALID_ARGUMENT, "items", "bytes",
                   [](Fixture& f) {
                     f.byte_ids.bytes = nullptr;
                     f.columns.items = &f.byte_ids;
                   }},
        BadColumns{"NanWeight", REC_INVALID_DATA, "weights", "row 1",
                   [](Fixture& f) { f.weights[1] = std::numeric_limits<float>::quiet_NaN(); }},
        BadColumns{"InfiniteWeight", REC_INVALID_DATA, "weights", "row 2",
                   [](Fixture& f) { f.weights[2] = std::numeric_limits<float>::infinity(); }},
        BadColumns{"NegativePart", REC_INVALID_DATA, "parts", "row 0: -1", [](Fixture& f) { f.parts[0] = -1; }},
        BadColumns{"NoSuchPart", REC_INVALID_DATA, "parts", "row 2: 3", [](Fixture& f) { f.parts[2] = 3; }},
        BadColumns{"TitlesAlone", REC_INVALID_ARGUMENT, "title_items", "NULL",
                   [](Fixture& f) { f.columns.title_items = nullptr; }},
        BadColumns{"TitledAlone", REC_INVALID_ARGUMENT, "titles", "NULL",
                   [](Fixture& f) { f.columns.titles = nullptr; }},
        BadColumns{"FewerTitles", REC_INVALID_ARGUMENT, "titles", "2, got 1", [](Fixture& f) { f.titles.n = 1; }},
        BadColumns{"TitlesOfNumbers", REC_INVALID_ARGUMENT, "titles", "BYTES",
                   [](Fixture& f) { f.columns.titles = &f.titled; }},
        BadColumns{"TitledOfOtherType", REC_INVALID_ARGUMENT, "title_items", "must be int64 as items are, got text",
                   [](Fixture& f) { f.columns.title_items = &f.titles; }},
        BadColumns{"TitleNotUtf8", REC_INVALID_DATA, "titles", "row 1", [](Fixture& f) { f.title_bytes[4] = '\xff'; }},
        BadColumns{"MoreItemsOfOtherType", REC_INVALID_ARGUMENT, "more_items",
                   "must be int64 as the rows' ids are, got text",
                   [](Fixture& f) { f.columns.more_items = &f.byte_ids; }},
        BadColumns{"NegativeLimit", REC_INVALID_ARGUMENT, "memory_limit_bytes", "got -5",
                   [](Fixture& f) { f.columns.memory_limit_bytes = -5; }},
        BadColumns{"TooLittleMemory", REC_LIMIT, "", "memory_limit_bytes",
                   [](Fixture& f) { f.columns.memory_limit_bytes = 100; }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace rec
