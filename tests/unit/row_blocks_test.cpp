// Files read in blocks, by several threads, against the same files read row by row.
#include "core/data/row_blocks.h"

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/data/load.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

// What load_dataset does with a large file.
Dataset read_in_blocks(const std::string& path, const DatasetOptions& options, Quotes quotes, char separator,
                       int64_t block_bytes, int threads) {
  DatasetBuilder builder(options.user_id_type, options.item_id_type, 0, nullptr, options.time_unit);
  RowSink sink(options, builder);
  TextFile head = open_text_head(path);
  DelimitedReader reader(head, separator, quotes);
  std::vector<std::string_view> cells;
  reader.next(cells);
  std::vector<std::string> header(cells.begin(), cells.end());
  const ColumnPlan plan = plan_columns(header, options);
  sink.begin_file(path, plan.optional());
  const TableRows rows{path, separator, quotes, head.begin + reader.next_offset(), reader.next_line(), block_bytes};
  EXPECT_TRUE(reads_in_blocks(rows, plan));
  read_row_blocks(rows, plan, threads, sink);
  if (builder.n() == 0) throw Error(REC_INVALID_DATA, "there are no interactions in it");
  Dataset data = builder.finish();
  sink.tell(data);
  return data;
}

std::vector<std::string> outcome(const std::function<Dataset()>& read) {
  try {
    const Dataset data = read();
    std::vector<std::string> out = rows_of(data);
    out.push_back(cat(data.users.type(), " ", data.items.type(), " ", data.n_users(), " ", data.n_items(), " skipped ",
                      data.n_skipped, " missing ", data.n_missing));
    return out;
  } catch (const Error& error) {
    const size_t what = error.message.find("there are no interactions");
    return {cat(int{error.status}, " line ", error.line, " ",
                error.message.substr(what == std::string::npos ? 0 : what, 60))};
  }
}

void expect_same(const TempFolder& folder, const std::string& text, const DatasetOptions& options = {},
                 char separator = ',', Quotes quotes = Quotes::kRfc4180) {
  DatasetOptions given = options;
  given.separator = std::string(1, separator);
  given.header = REC_HEADER_YES;
  const std::string path = folder.file("a.csv", text);
  const auto want = outcome([&] { return load_dataset(path, given); });
  for (const int64_t block_bytes : {5, 40, 1000})
    for (const int threads : {1, 3}) {
      const auto got = outcome([&] { return read_in_blocks(path, given, quotes, separator, block_bytes, threads); });
      ASSERT_EQ(got, want) << "blocks of " << block_bytes << " bytes, " << threads << " threads:\n" << printable(text);
    }
}

DatasetOptions skipping() {
  DatasetOptions options;
  options.bad_rows = REC_BAD_ROW_SKIP;
  return options;
}

TEST(RowBlocks, GiveWhatRowsGive) {
  const TempFolder folder;
  const std::string head = "user,item,rating,time\n";
  for (const std::string& rows : {std::string("1,10,4,100\n2,20,5,200\n1,20,3,50\n"),
                                  std::string("1,10,4,100\r\n2,20,5,200\r\n"),
                                  std::string("1,10,4,100\n\n\r\n2,20,5,200"),
                                  std::string("1, 10 ,4,100\n\t2,20,5 ,200 \n"),
                                  std::string("1,10,4,100\n2,20,5,200\nann,20,3,50\n3,30,3,60\n"),
                                  std::string("1,10,4,100\nNA,20,5,200\n3,nan,3,50\n"),
                                  std::string("1,10,4,1433221332117\n1,20,5,1433221332016\n"),
                                  std::string("1,10,4,100.5\n1,20,5,100.25\n2,20,5,100\n"),
                                  std::string("1,10,4,2014-04-07\n2,20,5,2014-04-07T10:51:09.277Z\n"),
                                  std::string("1,10,4,100\r2,20,5,200\r3,30,3,60\n"),
                                  std::string("1,10,4,100\n2,20,5\n3,30,3,60\n"),
                                  std::string("1,10,4,100\n2,20,five,200\n3,30,3,60\n"),
                                  std::string("1,10,4,100\n2,20,5,2014-04-07\n3,30,3,60\n"),
                                  std::string("1,10,4,100\n,20,5,200\n3,30,3,60\n"),
                                  std::string("1,10,4,100\n\"2\",20,5,200\n3,30,3,60\nx,30,3,60\n"),
                                  std::string("1,10,4,100\n\"a\nb\",20,5,200\n3,30,3,60\n"),
                                  std::string("1,10,4,100\n\"ab,20,5,200\n3,30,3,60\n"),
                                  std::string("1,10\",4,100\n2,20,5,200\n"),
                                  std::string("\n\n"),
                                  "1,10,4,100\n2," + std::string(500, 'x') + ",5,200\n3,30,3,60\n"}) {
    expect_same(folder, head + rows);
    expect_same(folder, head + rows, skipping());
  }
  DatasetOptions heavy, text, numbers;
  heavy.min_weight = 4;
  text.user_id_type = text.item_id_type = REC_ID_BYTES;
  numbers.user_id_type = REC_ID_INT64;
  for (const DatasetOptions& options : {heavy, text, numbers})
    expect_same(folder, head + "1,10,4,100\n2,20,3,200\nann,20,5,50\n7,30,3,60\n", options);
  expect_same(folder, "user\titem\n1\t\"10\n2\t\"a b\"\n3\t5\"\n", {}, '\t', Quotes::kWithinLine);
}

// Rows put together at random from good, odd and bad cells.
TEST(RowBlocks, GiveWhatRowsGiveForAnyFile) {
  const TempFolder folder;
  Rng rng(1, RngStream::kInit);
  const auto pick = [&](std::initializer_list<const char*> words) {
    return *(words.begin() + rng.next_below(static_cast<uint32_t>(words.size())));
  };
  for (int file = 0; file < 120; ++file) {
    std::string text = "user,item,rating,time\n";
    const bool odd = file % 3 != 0;
    for (uint32_t n = rng.next_below(40); n > 0; --n) {
      const bool strange = odd && rng.next_below(12) == 0;
      text += strange ? pick({"ann", "NA", "", "007", " 5", "\"6\"", "9223372036854775808", "\"a\nb\""})
                      : cat(rng.next_below(9));
      text += ',';
      text += strange ? pick({"x", "None", "8 ", "5\"", "10"}) : cat(rng.next_below(20));
      text += cat(',', rng.next_below(5), ',');
      text += strange ? pick({"soon", "1.5", "2014-04-07", "7", "1433221332117"}) : cat(1433221332 + rng.next_below(3));
      text += strange ? pick({",1", "\r", "\n\n", "\r\n"}) : "\n";
    }
    expect_same(folder, text, file % 2 == 0 ? DatasetOptions() : skipping());
    if (HasFatalFailure()) return;
  }
}

// A line longer than blocks is charged before it is read; a limit makes fewer blocks at once, and no error.
TEST(RowBlocks, KeepToTheLimitOfMemory) {
  const TempFolder folder;
  const auto load = [&](const std::string& text, int64_t limit, int threads) {
    const std::string path = folder.file("a.csv", text);
    DatasetOptions options;
    DatasetBuilder builder(REC_ID_AUTO, REC_ID_AUTO, limit, nullptr);
    RowSink sink(options, builder);
    ColumnPlan plan;
    plan.user = 0, plan.item = 1, plan.n_columns = 2;
    sink.begin_file(path, plan.optional());
    TableRows rows{path};
    rows.block_bytes = 1 << 12;
    read_row_blocks(rows, plan, threads, sink);
    return builder.n();
  };
  std::string rows;
  for (int i = 0; i < 20'000; ++i) rows += cat(i % 50, ',', i % 70, '\n');
  EXPECT_EQ(load(rows, 2 << 20, 64), 20'000);
  const Error error = error_of([&] { load("1,10\n2," + std::string(3 << 20, 'x') + "\n", 2 << 20, 2); });
  EXPECT_EQ(error.status, REC_LIMIT) << error.message;
}

TEST(RowBlocks, RefuseANul) {
  const TempFolder folder;
  const std::string path = folder.file("a.csv", std::string("user,item\n1,10\n2,2\0\n", 20));
  DatasetOptions options;
  const Error error = error_of([&] {
    // The head is checked by itself, so the NUL has to come after it: read the rows of the damaged file by the other's head.
    DatasetBuilder builder(REC_ID_AUTO, REC_ID_AUTO, 0, nullptr);
    RowSink sink(options, builder);
    ColumnPlan plan;
    plan.user = 0, plan.item = 1, plan.n_columns = 2;
    sink.begin_file(path, plan.optional());
    read_row_blocks({path, ',', Quotes::kRfc4180, 10, 2, 4}, plan, 2, sink);
  });
  EXPECT_EQ(error.status, REC_INVALID_DATA);
  EXPECT_EQ(error.line, 3);
  EXPECT_NE(error.message.find("offset 18"), std::string::npos) << error.message;
}

// A file that is large enough for load_dataset to read it in blocks.
TEST(RowBlocks, ReadLargeFiles) {
  const TempFolder folder;
  std::string text = "user_id,item_id,rating,timestamp\n";
  Rng rng(2, RngStream::kInit);
  while (text.size() < (size_t{9} << 20))
    text += cat(rng.next_below(5000), ',', rng.next_below(3000), ',', 1 + rng.next_below(5), ',',
                1433221332 + rng.next_below(1000000), '\n');
  const std::string path = folder.file("large.csv", text);
  DatasetOptions one, two;
  one.threads = 1;
  two.threads = 2;
  const Dataset a = load_dataset(path, one), b = load_dataset(path, two);
  EXPECT_EQ(a.n(), std::count(text.begin(), text.end(), '\n') - 1);
  EXPECT_TRUE(a.users.same_ids(b.users) && a.items.same_ids(b.items));
  EXPECT_TRUE(std::ranges::equal(a.user, b.user) && std::ranges::equal(a.item, b.item) &&
              std::ranges::equal(a.time, b.time) && std::ranges::equal(a.weight, b.weight));
  text += "x,y\n";
  const Error error = error_of([&] { load_dataset(folder.file("large.csv", text)); });
  EXPECT_EQ(error.line, a.n() + 2);
}

}  // namespace
}  // namespace rec
