#include "core/data/arrow.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "core/data/arrow_abi.h"
#include "tests/unit/data_checks.h"

namespace rec {
namespace {

// A column as its producer stores it.
struct Column {
  std::string name, format;
  int64_t length = 0, offset = 0, null_count = 0;
  std::vector<std::string> buffers = {};  // raw bytes; "" = NULL
  std::shared_ptr<Column> dictionary = {};
};

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
Column numbers(const std::string& name, const std::string& format, const std::vector<T>& values) {
  return {name, format, std::ssize(values), 0, 0, {"", raw(values)}};
}

template <class Offset = int32_t>
Column strings(const std::string& name, const std::string& format, const std::vector<std::string>& values) {
  std::string bytes;
  std::vector<Offset> offsets{0};
  for (const std::string& value : values) {
    bytes += value;
    offsets.push_back(static_cast<Offset>(bytes.size()));
  }
  return {name, format, std::ssize(values), 0, 0, {"", raw(offsets), bytes}};
}

using Batch = std::vector<Column>;

// Checks that every struct handed out is released once.
struct Producer {
  std::vector<Batch> batches;
  size_t next = 0;
  int live = 0, double_releases = 0, stream_releases = 0;
  int fail_schema = 0, fail_at = -1;
  int64_t batch_offset = 0, batch_null_count = 0, batch_length = -1;  // -1: that of its first column
  uint8_t batch_valid = 0;                                            // bits of its rows; 0 = no bitmap
  std::string error = "planted";

  ArrowArrayStream stream() {
    ArrowArrayStream out{};
    out.get_schema = [](ArrowArrayStream* s, ArrowSchema* schema) {
      auto& p = *static_cast<Producer*>(s->private_data);
      if (p.fail_schema != 0) return p.fail_schema;
      p.fill_schema(*schema, "+s", "", p.batches.at(0));
      return 0;
    };
    out.get_next = [](ArrowArrayStream* s, ArrowArray* array) {
      auto& p = *static_cast<Producer*>(s->private_data);
      if (static_cast<int>(p.next) == p.fail_at) return 5;
      *array = ArrowArray{};
      if (p.next < p.batches.size()) p.fill_batch(*array, p.batches[p.next]);
      ++p.next;
      return 0;
    };
    out.get_last_error = [](ArrowArrayStream* s) { return static_cast<Producer*>(s->private_data)->error.c_str(); };
    out.release = [](ArrowArrayStream* s) {
      ++static_cast<Producer*>(s->private_data)->stream_releases;
      s->release = nullptr;
    };
    out.private_data = this;
    return out;
  }

 private:
  template <class T>
  void owned(T& value) {
    ++live;
    value.private_data = this;
    value.release = [](T* self) {
      auto& p = *static_cast<Producer*>(self->private_data);
      --p.live;
      self->release = nullptr;
    };
  }
  void fill_schema(ArrowSchema& schema, const char* format, const char* name, const Batch& children) {
    schema = ArrowSchema{};
    schema.format = format;
    schema.name = name;
    auto& list = schema_lists_.emplace_back(std::make_unique<std::vector<ArrowSchema*>>());
    for (const Column& column : children) {
      auto& child = *schemas_.emplace_back(std::make_unique<ArrowSchema>());
      child.format = column.format.c_str();
      child.name = column.name.c_str();
      if (column.dictionary) {
        auto& dictionary = *schemas_.emplace_back(std::make_unique<ArrowSchema>());
        dictionary.format = column.dictionary->format.c_str();
        if (column.dictionary->dictionary) dictionary.dictionary = &dictionary;
        child.dictionary = &dictionary;
      }
      list->push_back(&child);
    }
    schema.children = list->data();
    schema.n_children = static_cast<int64_t>(list->size());
    owned(schema);
  }
  ArrowArray* array_of(const Column& column) {
    auto& array = *arrays_.emplace_back(std::make_unique<ArrowArray>());
    auto& buffers = *buffer_lists_.emplace_back(std::make_unique<std::vector<const void*>>());
    for (const std::string& buffer : column.buffers) buffers.push_back(buffer.empty() ? nullptr : buffer.data());
    array.length = column.length;
    array.offset = column.offset;
    array.null_count = column.null_count;
    array.n_buffers = std::ssize(buffers);
    array.buffers = buffers.data();
    if (column.dictionary) array.dictionary = array_of(*column.dictionary);
    if (column.dictionary && column.dictionary->dictionary) array.dictionary->dictionary = array.dictionary;
    return &array;
  }
  void fill_batch(ArrowArray& batch, const Batch& columns) {
    auto& list = array_lists_.emplace_back(std::make_unique<std::vector<ArrowArray*>>());
    for (const Column& column : columns) list->push_back(array_of(column));
    batch.length = batch_length >= 0 ? batch_length : columns.empty() ? 0 : columns[0].length - batch_offset;
    batch.offset = batch_offset;
    batch.null_count = batch_null_count;
    batch.n_buffers = 1;
    valid_[0] = batch_valid == 0 ? nullptr : &batch_valid;
    batch.buffers = valid_;
    batch.n_children = static_cast<int64_t>(list->size());
    batch.children = list->data();
    owned(batch);
  }

  const void* valid_[1] = {};
  std::vector<std::unique_ptr<ArrowSchema>> schemas_;
  std::vector<std::unique_ptr<ArrowArray>> arrays_;
  std::vector<std::unique_ptr<std::vector<ArrowSchema*>>> schema_lists_;
  std::vector<std::unique_ptr<std::vector<ArrowArray*>>> array_lists_;
  std::vector<std::unique_ptr<std::vector<const void*>>> buffer_lists_;
};

Dataset read(Producer& producer, const DatasetOptions& options = {}) {
  ArrowArrayStream stream = producer.stream();
  struct Check {
    Producer& p;
    ArrowArrayStream& s;
    ~Check() {
      EXPECT_EQ(p.live, 0) << "schemas and batches not released";
      EXPECT_EQ(p.stream_releases, 1);
      EXPECT_EQ(s.release, nullptr);
    }
  } check{producer, stream};
  return dataset_from_arrow(&stream, options);
}

Dataset read(const Batch& batch, const DatasetOptions& options = {}) {
  Producer producer;
  producer.batches = {batch};
  return read(producer, options);
}

const Column kUsers = numbers<int64_t>("user_id", "l", {7, -1, 7});
const Column kItems = strings("item_id", "u", {"a", "", "\xf0\x9f\x98\x80"});

TEST(Arrow, ReadsBatchesOneAfterAnother) {
  Producer producer;
  producer.batches = {{kUsers, kItems}, {kUsers, kItems}};
  EXPECT_EQ(rows_of(read(producer)), (Rows{"7 a", "-1 ", "7 \xf0\x9f\x98\x80", "7 a", "-1 ", "7 \xf0\x9f\x98\x80"}));
}

TEST(Arrow, ReadsEveryIntegerType) {
  const Column columns[] = {
      numbers<int8_t>("item", "c", {1, -2, 3}),         numbers<uint8_t>("item", "C", {1, 200, 3}),
      numbers<int16_t>("item", "s", {1, -2, 3}),        numbers<uint16_t>("item", "S", {1, 60000, 3}),
      numbers<int32_t>("item", "i", {1, -2, 3}),        numbers<uint32_t>("item", "I", {1, 4000000000u, 3}),
      numbers<int64_t>("item", "l", {1, INT64_MIN, 3}), numbers<uint64_t>("item", "L", {1, INT64_MAX, 3})};
  const int64_t second[] = {-2, 200, -2, 60000, -2, 4000000000, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < std::size(columns); ++i) {
    SCOPED_TRACE(columns[i].format);
    EXPECT_EQ(read(Batch{kUsers, columns[i]}).items.int64_at(1), second[i]);
  }
}

TEST(Arrow, ReadsEveryKindOfText) {
  const std::string nul("x\0y", 3);
  const std::vector<std::string> values{"1", nul, "\xff"};
  Column dictionary = numbers<int8_t>("item", "c", {0, 1, 2});
  dictionary.dictionary = std::make_shared<Column>(strings("", "u", values));
  std::vector<int32_t> views(12);
  views[0] = 1;
  std::memcpy(&views[1], "1", 1);
  views[4] = 3;
  std::memcpy(&views[5], nul.data(), 3);
  views[8] = 14;
  views[10] = 0;
  views[11] = 2;
  const Column view{"item", "vu", 3, 0, 0, {"", raw(views), "__fourteen bytes", raw<int64_t>({16})}};
  for (const Column& column :
       {strings("item", "u", values), strings("item", "z", values), strings<int64_t>("item", "U", values),
        strings<int64_t>("item", "Z", values), dictionary}) {
    SCOPED_TRACE(column.format);
    // Text that looks like a number stays text: the column's own type decides.
    EXPECT_EQ(rows_of(read(Batch{kUsers, column})), (Rows{"7 1", "-1 " + nul, "7 \xff"}));
  }
  EXPECT_EQ(rows_of(read(Batch{kUsers, view})), (Rows{"7 1", "-1 " + nul, "7 fourteen bytes"}));
}

TEST(Arrow, HonoursOffsetsOfColumnsAndOfBatches) {
  Column users = kUsers, items = kItems;
  users.offset = items.offset = 1;
  users.length = items.length = 2;
  EXPECT_EQ(rows_of(read(Batch{users, items})), (Rows{"-1 ", "7 \xf0\x9f\x98\x80"}));
  Producer producer;
  producer.batches = {{users, items}};
  producer.batch_offset = 1;
  EXPECT_EQ(rows_of(read(producer)), Rows{"7 \xf0\x9f\x98\x80"});
}

TEST(Arrow, TurnsTimestampsIntoSecondsRoundedDown) {
  struct Case {
    const char* format;
    int64_t value, seconds;
  };
  for (const Case& row : {Case{"tss:", 5, 5}, Case{"tsm:UTC", 5999, 5}, Case{"tsu:", -1, -1},
                          Case{"tsn:Europe/Paris", 1'999'999'999, 1}, Case{"l", 12, 12}}) {
    SCOPED_TRACE(row.format);
    EXPECT_EQ(read(Batch{kUsers, kItems, numbers<int64_t>("ts", row.format, {0, row.value, 0})}).time[1], row.seconds);
  }
  EXPECT_EQ(read(Batch{kUsers, kItems, numbers<int32_t>("time", "tdD", {0, 2, 0})}).time[1], 172800);
  EXPECT_EQ(read(Batch{kUsers, kItems, numbers<double>("time", "g", {0, 3, 0})}).time[1], 3);
}

TEST(Arrow, ReadsWeightsAndFilters) {
  DatasetOptions options;
  options.min_weight = 2;
  EXPECT_EQ(rows_of(read(Batch{kUsers, kItems, numbers<float>("rating", "f", {1, 2, 3.5f})}, options)),
            (Rows{"-1  *2", "7 \xf0\x9f\x98\x80 *3.5"}));
  EXPECT_EQ(read(Batch{kUsers, kItems, numbers<int8_t>("rating", "c", {1, 2, 5})}).weight[2], 5.0f);
  options.min_weight = 3.3;
  const Dataset data = read(Batch{kUsers, kItems, numbers<double>("rating", "g", {1, 3.3, 3.5})}, options);
  EXPECT_EQ(data.n(), 2);
  EXPECT_EQ(data.notes, (std::vector<std::string>{"1 rows were left out, because their weight is below 3.3"}));
  options.min_weight = 4;
  const Error error = error_of([&] { read(Batch{kUsers, kItems, numbers<float>("rating", "f", {1, 2, 3})}, options); });
  EXPECT_EQ(error.message, "there are no interactions in it; 3 rows have a weight below min_weight, 4");
}

TEST(Arrow, ReadsBooleansAsNumbers) {
  Column clicked = numbers<uint8_t>("label", "b", {0b101});
  clicked.length = 3;
  const Dataset data = read(Batch{kUsers, kItems, clicked});
  EXPECT_EQ(std::vector<float>(data.label.begin(), data.label.end()), (std::vector<float>{1, 0, 1}));
}

TEST(Arrow, ReadsLabelsAndTheListsOfTextOrNumbers) {
  DatasetOptions options;
  options.impression_key = "page";
  const Column labels = numbers<int8_t>("label", "c", {1, 0, 1});
  for (const Column& page : {strings("page", "u", {"a", "b", "a"}), numbers<int64_t>("page", "l", {4, 5, 4})}) {
    const Dataset data = read(Batch{strings("user", "u", {"x", "x", "x"}), kItems, labels, page}, options);
    EXPECT_EQ(data.label[1], 0.0f);
    EXPECT_EQ(data.label[2], 1.0f);
    EXPECT_EQ(data.impression[0], data.impression[2]);
    EXPECT_NE(data.impression[0], data.impression[1]);
  }
  const Error error = error_of([&] { read(Batch{kUsers, kItems, numbers<float>("label", "f", {1, 0, 3})}); });
  EXPECT_EQ(error.message, "label: row 2: 3 is neither 0 nor 1");
}

TEST(Arrow, DeclaredTypesConvert) {
  DatasetOptions options;
  options.user_id_type = REC_ID_BYTES;
  options.item_id_type = REC_ID_INT64;
  const Dataset data = read(Batch{kUsers, strings("item", "u", {"5", "6", "5"})}, options);
  EXPECT_EQ(data.users.type(), REC_ID_BYTES);
  EXPECT_EQ(rows_of(data), (Rows{"7 5", "-1 6", "7 5"}));
}

Column with_null(Column column) {
  column.buffers[0] = std::string(1, '\x05');  // bits 0 and 2
  column.null_count = 1;
  return column;
}

TEST(Arrow, SkipsAndCountsNullRowsWhenAsked) {
  DatasetOptions options;
  options.bad_rows = REC_BAD_ROW_SKIP;
  const Dataset data = read(Batch{with_null(kUsers), kItems}, options);
  EXPECT_EQ(rows_of(data), (Rows{"7 a", "7 \xf0\x9f\x98\x80"}));
  EXPECT_EQ(data.n_skipped, 1);
}

TEST(Arrow, RefusesNullRowsThatTheProducerDidNotCount) {
  struct Case {
    const char* name;
    int64_t null_count, offset;
    uint8_t valid;
    bool refused;
  };
  for (const Case& row : {Case{"Counted", 1, 0, 0b101, true}, Case{"NotCounted", -1, 0, 0b101, true},
                          Case{"BeforeTheOffset", -1, 1, 0b110, false}, Case{"AfterTheOffset", -1, 1, 0b011, true},
                          Case{"AfterTheEnd", -1, 0, 0b111, false}, Case{"NoBitmap", -1, 0, 0, false}}) {
    SCOPED_TRACE(row.name);
    Producer producer;
    producer.batches = {{kUsers, kItems}};
    producer.batch_null_count = row.null_count;
    producer.batch_offset = row.offset;
    producer.batch_valid = row.valid;
    if (row.refused)
      EXPECT_EQ(error_of([&] { read(producer); }).message, "stream: a batch has null rows");
    else
      EXPECT_EQ(read(producer).n(), 3 - row.offset);
  }
}

TEST(Arrow, LooksAtTheNullsOfABatchOnlyWhenItsColumnsHaveItsRows) {
  Producer producer;
  producer.batches = {{kUsers, kItems}};
  producer.batch_null_count = -1;
  producer.batch_valid = 0b111;
  producer.batch_length = int64_t{1} << 40;
  EXPECT_EQ(error_of([&] { read(producer); }).message,
            "user_id: row 0: the batch's column is shorter than its 1099511627776 rows");
}

struct BadStream {
  const char* name;
  rec_status_t status;
  std::string says;
  Batch batch;
  DatasetOptions options = {};
};

class ArrowRefuses : public testing::TestWithParam<BadStream> {};

TEST_P(ArrowRefuses, AndReleasesEverything) {
  const Error error = error_of([&] { read(GetParam().batch, GetParam().options); });
  EXPECT_EQ(error.status, GetParam().status) << error.message;
  EXPECT_NE(error.message.find(GetParam().says), std::string::npos) << error.message;
}

Column changed(Column column, const std::function<void(Column&)>& change) {
  change(column);
  return column;
}

DatasetOptions wanting_int64() {
  DatasetOptions options;
  options.item_id_type = REC_ID_INT64;
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Streams, ArrowRefuses,
    testing::Values(
        BadStream{"NullUser", REC_INVALID_DATA, "user_id: row 1: is null", {with_null(kUsers), kItems}},
        BadStream{"NullItem", REC_INVALID_DATA, "item_id: row 1: is null", {kUsers, with_null(kItems)}},
        BadStream{"NullTime",
                  REC_INVALID_DATA,
                  "time: row 1",
                  {kUsers, kItems, with_null(numbers<int64_t>("time", "l", {1, 2, 3}))}},
        BadStream{"HugeUnsigned",
                  REC_INVALID_DATA,
                  "row 2: 9223372036854775808",
                  {numbers<uint64_t>("user", "L", {1, 2, uint64_t{1} << 63}), kItems}},
        BadStream{"NoItemColumn", REC_INVALID_DATA, "no item column among user_id", {kUsers}},
        BadStream{"NoColumns", REC_INVALID_DATA, "no user column", {}},
        BadStream{"ColumnTwice", REC_INVALID_DATA, "twice", {kUsers, kItems, kItems}},
        BadStream{"UnknownType",
                  REC_INVALID_DATA,
                  "user_id: a column of lists is not read",
                  {changed(kUsers, [](auto& c) { c.format = "+l"; }), kItems}},
        BadStream{"FloatIds",
                  REC_INVALID_DATA,
                  "user_id: a column of floats is not read; wanted are integers or text",
                  {numbers<double>("user", "g", {1, 2, 3}), kItems}},
        BadStream{"TextTime",
                  REC_INVALID_DATA,
                  "time: row 1: 'soon' is neither",
                  {kUsers, kItems, strings("time", "u", {"1", "soon", "3"})}},
        BadStream{"InfiniteTime",
                  REC_INVALID_DATA,
                  "row 1: inf",
                  {kUsers, kItems, numbers<double>("time", "g", {1, INFINITY, 3})}},
        BadStream{"NanWeight",
                  REC_INVALID_DATA,
                  "weight: row 0",
                  {kUsers, kItems, numbers<float>("rating", "f", {NAN, 1, 1})}},
        BadStream{"TextAmongInt64", REC_INVALID_DATA, "row 0: item_id: 'a'", {kUsers, kItems}, wanting_int64()},
        BadStream{"ShortColumn", REC_INVALID_DATA, "shorter", {kUsers, changed(kItems, [](auto& c) { c.length = 2; })}},
        BadStream{
            "NegativeOffset", REC_INVALID_DATA, "shorter", {kUsers, changed(kItems, [](auto& c) { c.offset = -1; })}},
        BadStream{"FewBuffers",
                  REC_INVALID_DATA,
                  "2 buffers",
                  {kUsers, changed(kItems, [](auto& c) { c.buffers.pop_back(); })}},
        BadStream{"NoValues",
                  REC_INVALID_DATA,
                  "no values",
                  {changed(kUsers, [](auto& c) { c.buffers[1].clear(); }), kItems}},
        BadStream{"FallingOffsets",
                  REC_INVALID_DATA,
                  "row 1: offsets fall",
                  {kUsers, changed(kItems, [](auto& c) { c.buffers[1] = raw<int32_t>({0, 2, 1, 3}); })}},
        BadStream{"ViewOfAMissingBuffer",
                  REC_INVALID_DATA,
                  "row 0: the string view points outside its buffers",
                  {numbers<int64_t>("user_id", "l", {7}),
                   {"item_id", "vu", 1, 0, 0, {"", raw<int32_t>({14, 0, 0, 2}), "", raw<int64_t>({16})}}}},
        BadStream{"OffsetsBeyondTheLast",
                  REC_INVALID_DATA,
                  "row 0: offsets go to 100000000, the column has 3 bytes",
                  {kUsers, changed(kItems, [](auto& c) { c.buffers[1] = raw<int32_t>({0, 100000000, 1, 3}); })}},
        BadStream{"OffsetBeyondMemory",
                  REC_INVALID_DATA,
                  "do not fit into memory",
                  {changed(kUsers, [](auto& c) { c.offset = INT64_MAX - 1; }), kItems}},
        BadStream{"DictionaryOfItself",
                  REC_INVALID_DATA,
                  "a dictionary of a dictionary",
                  {kUsers, changed(numbers<int8_t>("item", "c", {0, 1, 0}),
                                   [](auto& c) {
                                     c.dictionary = std::make_shared<Column>(numbers<int8_t>("", "c", {0, 1}));
                                     c.dictionary->dictionary = std::make_shared<Column>();
                                   })}},
        BadStream{
            "IndexOutsideDictionary",
            REC_INVALID_DATA,
            "row 2: index 9",
            {kUsers, changed(numbers<int8_t>("item", "c", {0, 1, 9}),
                             [](auto& c) { c.dictionary = std::make_shared<Column>(strings("", "u", {"a", "b"})); })}},
        BadStream{"NoRows",
                  REC_INVALID_DATA,
                  "no interactions",
                  {numbers<int64_t>("user", "l", {}), numbers<int64_t>("item", "l", {})}}),
    [](const auto& test) { return test.param.name; });

TEST(Arrow, FailuresOfTheProducerCarryItsReason) {
  Producer schema, next;
  schema.batches = next.batches = {{kUsers, kItems}, {kUsers, kItems}};
  schema.fail_schema = 12;
  next.fail_at = 1;
  for (Producer* producer : {&schema, &next}) {
    const Error error = error_of([&] { read(*producer); });
    EXPECT_EQ(error.status, REC_IO);
    EXPECT_NE(error.message.find("planted"), std::string::npos) << error.message;
  }
}

TEST(Arrow, AMissingOrReleasedStreamIsRefused) {
  EXPECT_EQ(error_of([&] { dataset_from_arrow(nullptr, {}); }).status, REC_INVALID_ARGUMENT);
  ArrowArrayStream released{};
  EXPECT_EQ(error_of([&] { dataset_from_arrow(&released, {}); }).status, REC_INVALID_ARGUMENT);
}

TEST(Arrow, BadOptionsReleaseTheStreamToo) {
  DatasetOptions options;
  options.bad_rows = 7;
  EXPECT_EQ(error_of([&] { read(Batch{kUsers, kItems}, options); }).status, REC_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace rec
