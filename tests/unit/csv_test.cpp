#include <gtest/gtest.h>

#include <cstring>
#include <ctime>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/load.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

struct GoodFile {
  const char* name;
  std::string text;
  Rows rows;
  DatasetOptions options = {};
};

const Rows kTwoRows{"1 10", "2 20"};

class CsvReads : public testing::TestWithParam<GoodFile> {};

TEST_P(CsvReads, TheRowsOfTheFile) {
  const TempFolder folder;
  const Dataset data = load_dataset(folder.file("data.csv", GetParam().text), GetParam().options);
  EXPECT_EQ(rows_of(data), GetParam().rows);
}

DatasetOptions with(const std::function<void(DatasetOptions&)>& change) {
  DatasetOptions options;
  change(options);
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Files, CsvReads,
    testing::Values(
        GoodFile{"LineFeeds", "user_id,item_id\n1,10\n2,20\n", kTwoRows},
        GoodFile{"CarriageReturnLineFeeds", "user_id,item_id\r\n1,10\r\n2,20\r\n", kTwoRows},
        GoodFile{"LoneCarriageReturns", "user_id,item_id\r1,10\r2,20\r", kTwoRows},
        GoodFile{"NoFinalNewline", "user_id,item_id\n1,10\n2,20", kTwoRows},
        GoodFile{"ByteOrderMark", "\xef\xbb\xbfuser_id,item_id\n1,10\n2,20\n", kTwoRows},
        GoodFile{"EmptyLines", "\nuser_id,item_id\n\n1,10\n\n\n2,20\n\n", kTwoRows},
        GoodFile{"Tabs", "user_id\titem_id\n1\t10\n2\t20\n", kTwoRows},
        GoodFile{"Semicolons", "user_id;item_id\n1;10\n2;20\n", kTwoRows},
        GoodFile{"Bars", "user_id|item_id\n1|10\n2|20\n", kTwoRows},
        GoodFile{"GivenSeparator", "user_id:item_id\n1:10\n2:20\n", kTwoRows, with([](auto& o) { o.separator = ":"; })},
        GoodFile{"Quotes",
                 "user_id,item_id\n\"a,b\",\"say \"\"hi\"\"\"\n\"two\nlines\",x\n",
                 {"a,b say \"hi\"", "two\nlines x"}},
        GoodFile{"QuotedHeader", "\"user_id\",\"item_id\"\n1,10\n2,20\n", kTwoRows},
        GoodFile{"OtherOrderAndColumns",
                 "x,time,item,rating,user\na,5,10,3.5,1\nb,6,20,4,2\n",
                 {"1 10 @5 *3.5", "2 20 @6 *4"}},
        GoodFile{"MovieLensNames", "userId,movieId,rating,timestamp\n1,10,0.5,7\n", {"1 10 @7 *0.5"}},
        GoodFile{"GivenColumns", "buyer,product\n1,10\n2,20\n", kTwoRows, with([](auto& o) {
                   o.user_column = "buyer";
                   o.item_column = "product";
                 })},
        GoodFile{"IgnoredTimeAndWeight", "user,item,rating,time\n1,10,x,y\n2,20,x,y\n", kTwoRows, with([](auto& o) {
                   o.time_column = "";
                   o.weight_column = "";
                 })},
        GoodFile{"HeaderlessPairs", "1,10\n2,20\n", kTwoRows},
        GoodFile{"HeaderlessRatingsAndTimes", "1,10,4.5,100\n2,20,3,200\n", {"1 10 @100 *4.5", "2 20 @200 *3"}},
        GoodFile{"HeaderlessWithEverythingElseIgnored", "1,10,4.5,100\n2,20,3,200\n", kTwoRows,
                 with([](auto& o) { o.weight_column = o.time_column = o.label_column = o.impression_key = ""; })},
        GoodFile{
            "FloatTimes", "user,item,time\n1,10,1.2e9\n2,20,978300760.0\n", {"1 10 @1200000000", "2 20 @978300760"}},
        GoodFile{
            "NegativeTimesAndIds", "user,item,time\n-5,-9223372036854775808,-1\n", {"-5 -9223372036854775808 @-1"}},
        GoodFile{"FractionsOfSeconds",
                 "user,item,time\n1,10,5.5\n1,20,5.25\n2,30,-0.5\n",
                 {"1 20 @5", "1 10 @5", "2 30 @-1"}},
        GoodFile{"Milliseconds",
                 "user,item,time\n1,10,1433221332117\n1,20,1433221332016\n2,30,1433223236124\n",
                 {"1 20 @1433221332", "1 10 @1433221332", "2 30 @1433223236"}},
        GoodFile{"Nanoseconds", "user,item,time\n1,10,1433221332117000000\n", {"1 10 @1433221332"}},
        GoodFile{"GivenUnit", "user,item,time\n1,10,5000\n1,20,4999\n", {"1 10 @5", "1 20 @4"}, with([](auto& o) {
                   o.time_unit = REC_TIME_MILLISECONDS;
                 })},
        GoodFile{"Dates",
                 "user,item,time\n1,10,2014-04-07\n1,20,2014-04-07T10:51:09.277Z\n2,30,2014-04-07 10:51:09+02:00\n",
                 {"1 10 @1396828800", "1 20 @1396867869", "2 30 @1396860669"}},
        GoodFile{
            "GivenTimeFormat", "user,item,time\n1,10,31/12/99 11:59:01 PM\n", {"1 10 @946684741"}, with([](auto& o) {
              o.time_format = "%d/%m/%y %I:%M:%S %p";
            })},
        GoodFile{"BlanksAroundCells", "user, item, rating\n1, 10, 4\n2 ,20\t,5\n", {"1 10 *4", "2 20 *5"}},
        GoodFile{"BlanksAroundQuotes", "user, item\n 1 , \"10\" \n2,20\n", kTwoRows},
        GoodFile{"BlanksAsSeparators", "user item rating\n1  10 4\n 2 \t20 5 \n", {"1 10 *4", "2 20 *5"}},
        GoodFile{"QuotesThatAreNone", "user\titem\n1\t\"10\n2\t5\"\n", {"1 \"10", "2 5\""}},
        GoodFile{"QuotesInsideTabs", "user\titem\n1\t\"10\"\n2\t\"a\" b\n", {"1 10", "2 \"a\" b"}},
        GoodFile{"QuotesTurnedOff", "user,item\n\"1,10\n2,20\"\n", {"\"1 10", "2 20\""}, with([](auto& o) {
                   o.quotes = REC_QUOTES_NONE;
                 })},
        GoodFile{"HeaderlessText",
                 "A1,B1,5.0,1363996800\nA2,B2,1.0,1363996801\n",
                 {"A1 B1 @1363996800 *5", "A2 B2 @1363996801 *1"}},
        GoodFile{"HeaderlessUserItemTime", "A1,B1,1363996800\n", {"A1 B1 @1363996800"}},
        GoodFile{"HeaderlessUserItemRating", "A1,B1,4\n", {"A1 B1 *4"}},
        GoodFile{"HeaderlessWithADate",
                 "1,2014-04-07T10:51:09.277Z,10,0\n1,2014-04-07T10:51:09.100Z,20,S\n",
                 {"1 20 @1396867869", "1 10 @1396867869"}},
        GoodFile{"HeaderlessByPosition", "x,10,7,1,9\ny,20,8,2,9\n", {"1 10 @7", "2 20 @8"}, with([](auto& o) {
                   o.user_column = "4", o.item_column = "2", o.time_column = "3";
                 })},
        GoodFile{"PositionsThatAreCellsOfTheFirstRow", "2,1\n3,10\n4,10\n", {"2 1", "3 10", "4 10"}, with([](auto& o) {
                   o.user_column = "1", o.item_column = "2";
                 })},
        GoodFile{"Comments", "% bip weighted\n% 2 2\n1 10 4\n2 20 5\n", {"1 10 *4", "2 20 *5"}},
        GoodFile{"CommentsAndAHeader", "# a graph\n# of edges\nuser\titem\n1\t10\n2\t20\n", kTwoRows},
        GoodFile{"MatrixMarket",
                 "%%MatrixMarket matrix coordinate real general\n% a comment\n9 90 2\n1 10 4\n2 20 5\n",
                 {"1 10 *4", "2 20 *5"}},
        GoodFile{"SpreadsheetSeparator", "sep=;\r\nuser;item\r\n1;10\r\n2;20\r\n", kTwoRows},
        GoodFile{"LinesOfBlanks", "user,item\n1,10\n  \n\t\n2,20\n \n\x1a", kTwoRows},
        GoodFile{"ColumnsWithoutAName", "user,item,rating,,\n1,10,5,,\n2,20,4,,\n", {"1 10 *5", "2 20 *4"}},
        GoodFile{"HeaderlessWithATimeFormat", "1,10,1/5/2014\n2,20,2/5/2014\n", {"1 10 @1398902400", "2 20 @1398988800"},
                 with([](auto& o) { o.time_format = "%d/%m/%Y"; })},
        GoodFile{"WordsOfSpreadsheetsAndFrames", "user,item\n1,10\n#N/A,3\n<NA>,4\n2,20\n", kTwoRows},
        GoodFile{"PlusSigns", "user,item,rating\n1,10,+4\n2,20,+5.5\n", {"1 10 *4", "2 20 *5.5"}},
        GoodFile{"HeaderSaidToBeNone", "ann,film\nbob,book\n", {"ann film", "bob book"}, with([](auto& o) {
                   o.header = REC_HEADER_NO;
                 })},
        GoodFile{"HeaderOfNumbers", "1,2\n1,10\n2,20\n", kTwoRows,
                 with([](auto& o) { o.header = REC_HEADER_YES, o.user_column = "1", o.item_column = "2"; })},
        GoodFile{"MissingIds", "user,item\n1,10\nNA,20\nnan,30\n2,NULL\nNone,1\n\\N,2\n2,20\n", kTwoRows},
        GoodFile{"MissingIdsByOtherWords", "user,item\n1,10\nNA,20\n?,30\n", {"1 10", "NA 20"}, with([](auto& o) {
                   o.missing = "?,none";
                 })},
        GoodFile{"TextAmongNumbers", "user,item\n1,10\nann,20\n1,30\n", {"1 10", "ann 20", "1 30"}},
        GoodFile{"NumberBeyondInt64", "user,item\n1,10\n9223372036854775808,20\n", {"1 10", "9223372036854775808 20"}},
        GoodFile{"TextIds", "user,item\n007,5.0\n7,5\n", {"007 5.0", "7 5"}},
        GoodFile{"TextUsersNumberItems", "user,item\nann,1\n\xf0\x9f\x98\x80,2\n", {"ann 1", "\xf0\x9f\x98\x80 2"}},
        GoodFile{"DeclaredTextIds", "user,item\n1,10\nx,y\n", {"1 10", "x y"}, with([](auto& o) {
                   o.user_id_type = REC_ID_BYTES;
                   o.item_id_type = REC_ID_BYTES;
                 })},
        GoodFile{
            "MinWeight", "user,item,rating\n9,90,1\n1,10,4\n", {"1 10 *4"}, with([](auto& o) { o.min_weight = 4; })},
        GoodFile{"SkippedRows",
                 "user,item,time\n1,10,1\n2\n3,30,soon\n4,,4\n2,20,5\n",
                 {"1 10 @1", "2 20 @5"},
                 with([](auto& o) { o.bad_rows = REC_BAD_ROW_SKIP; })}),
    [](const auto& test) { return test.param.name; });

struct BadFile {
  const char* name;
  std::string text;
  int64_t line;
  std::vector<std::string> says;
  DatasetOptions options = {};
};

class CsvRefuses : public testing::TestWithParam<BadFile> {};

TEST_P(CsvRefuses, WithStatusFileLineAndReason) {
  const TempFolder folder;
  const std::string path = folder.file("data.csv", GetParam().text);
  const Error error = error_of([&] { load_dataset(path, GetParam().options); });
  EXPECT_EQ(error.status, REC_INVALID_DATA) << error.message;
  EXPECT_EQ(error.file, path);
  EXPECT_EQ(error.line, GetParam().line) << error.message;
  EXPECT_NE(error.message.find(path), std::string::npos) << error.message;
  for (const std::string& words : GetParam().says)
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
}

INSTANTIATE_TEST_SUITE_P(
    Files, CsvRefuses,
    testing::Values(
        BadFile{"Empty", "", 1, {"empty"}}, BadFile{"OnlyAByteOrderMark", "\xef\xbb\xbf", 1, {"empty"}},
        BadFile{"OnlyEmptyLines", "\n\n\n", 4, {"empty lines"}},
        BadFile{"HeaderOnly", "user_id,item_id\n", -1, {"no interactions"}},
        BadFile{"Utf16", std::string("\xff\xfeu\0s\0", 6), 1, {"UTF-16"}},
        BadFile{"Utf16WithoutMark", std::string("u\0s\0e\0", 6), 1, {"UTF-16"}},
        BadFile{"Zip", std::string("PK\x03\x04", 4) + "xx", 1, {"zip archive"}},
        BadFile{"Gzip", "\x1f\x8b\x08xxxxxx", 1, {"gzip", ".gz"}},
        BadFile{"NulByte", std::string("user,item\n1,10\n2,2\0\n", 20), 3, {"NUL", "offset 18"}},
        BadFile{"UnterminatedQuote", "user,item\n1,10\n\"2,20\n3,30\n", 3, {"never closed"}},
        BadFile{"UnterminatedQuoteThoughSkipping",
                "user,item\n1,10\n2,\"20\n3,30\n",
                3,
                {"never closed"},
                with([](auto& o) { o.bad_rows = REC_BAD_ROW_SKIP; })},
        BadFile{"TextAfterAQuote", "user,item\n\"1\"x,10\n", 2, {"after the closing quote"}},
        BadFile{"ShortRow", "user,item,time\n1,10,5\n2,20\n", 3, {"2 columns", "expected 3"}},
        BadFile{"LongRow", "user,item\n1,10,5\n", 2, {"3 columns", "expected 2"}},
        BadFile{"RowAfterQuotedNewlines", "user,item\n\"a\nb\",1\nc\n", 4, {"1 columns"}},
        BadFile{"ColumnTwice", "user,item,item\n1,2,3\n", 1, {"'item'", "twice"}},
        BadFile{"TwoUserColumns", "user_id,userId,item\n1,2,3\n", 1, {"'user_id'", "'userId'"}},
        BadFile{"NoUserColumn", "who,item\na,b\n", 1, {"no user column", "who, item", "user_column"}},
        BadFile{"NoItemColumn", "user,what\na,b\n", 1, {"no item column", "user, what", "item_column"}},
        BadFile{"UnknownGivenColumn", "user,item\na,b\n", 1, {"time_column", "'stamp'"}, with([](auto& o) {
                  o.time_column = "stamp";
                })},
        BadFile{"HeaderlessWithManyColumns", "a,b,1,2,3\n", 1, {"no header", "5 columns", "user_column"}},
        BadFile{"HeaderlessWithANamedWeight", "1,10,4.5\n", 1, {"'score'", "no header", "\"3\""}, with([](auto& o) {
                  o.weight_column = "score";
                })},
        BadFile{"HeaderlessWithANamedTime", "1,10,4.5,100\n", 1, {"'when'", "no header"}, with([](auto& o) {
                  o.time_column = "when";
                })},
        BadFile{"NoSeparator", "userid\n1\n", 1, {"no separator"}},
        BadFile{"BehindComments", "# a\n# b\nuser,item\n1,10\n2\n", 5, {"1 columns"}},
        BadFile{"HeaderAgain", "user,item\n1,10\nuser,item\n2,20\n", 3, {"the header stands here again"}},
        BadFile{"EmptyUser", "user,item\n,10\n", 2, {"user_id", "empty"}},
        BadFile{"EmptyItem", "user,item\n1,\n", 2, {"item_id", "empty"}},
        BadFile{"OverflowingInt64Id",
                "user,item\n1,10\n9223372036854775808,20\n",
                3,
                {"'9223372036854775808'", "does not fit"},
                with([](auto& o) { o.user_id_type = REC_ID_INT64; })},
        BadFile{"DeclaredInt64", "user,item\nx,10\n", 2, {"user_id", "'x'"}, with([](auto& o) {
                  o.user_id_type = REC_ID_INT64;
                })},
        BadFile{"HexRating", "user,item,rating\n1,10,0x10\n", 2, {"weight", "'0x10'", "not a number"}},
        BadFile{"CommaRating", "user;item;rating\n1;10;1,5\n", 2, {"'1,5'", "decimals are written with a point"}},
        BadFile{"ColumnsWithoutEnd", "user,item\n1,10\n" + std::string(150'000, ',') + "\n", 3, {"more than 100000 columns"}},
        BadFile{"HeaderWithoutEnd", std::string(150'000, ',') + "\n1,10\n", 1, {"more than 100000 columns"}},
        BadFile{"JsonLines", "\n{\"user\": 1, \"item\": 10}\n", 1, {"JSON"}},
        BadFile{"JsonArray", "[{\"user\": 1, \"item\": 10}]\n", 1, {"JSON"}},
        BadFile{"WebPage", "<!DOCTYPE html>\n<html></html>\n", 1, {"HTML"}},
        BadFile{"LfsPointer", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n", 1, {"git lfs pull"}},
        BadFile{"HugeRating", "user,item,rating\n1,10,1e400\n", 2, {"'1e400'"}},
        BadFile{"RatingBeyondFloat", "user,item,rating\n1,10,1e300\n", 2, {"'1e300'", "finite float"}},
        BadFile{"NanRating", "user,item,rating\n1,10,nan\n", 2, {"'nan'", "finite"}},
        BadFile{"InfiniteRating", "user,item,rating\n1,10,-inf\n", 2, {"'-inf'", "finite"}},
        BadFile{"EmptyRating", "user,item,rating\n1,10,\n", 2, {"weight", "not a number"}},
        BadFile{"DateAmongNumbers", "user,item,time\n1,10,5\n1,20,2020-01-01\n", 3, {"time", "date", "numbers"}},
        BadFile{"NoSuchDay", "user,item,time\n1,10,2021-02-29\n", 2, {"time", "'2021-02-29'", "ISO 8601"}},
        BadFile{"OtherDateFormat", "user,item,time\n1,10,29.2.2020\n", 2, {"time", "'29.2.2020'"}},
        BadFile{"NotAsTheFormatSays", "user,item,time\n1,10,2020-01-01\n", 2, {"time format"}, with([](auto& o) {
                  o.time_format = "%d.%m.%Y";
                })},
        BadFile{"NanTime", "user,item,time\n1,10,nan\n", 2, {"'nan'"}},
        BadFile{"OverflowingTime", "user,item,time\n1,10,9223372036854775808\n", 2, {"fits an int64"}},
        BadFile{
            "MinWeightWithoutWeights", "user,item\n1,10\n", 1, {"min_weight"}, with([](auto& o) { o.min_weight = 1; })},
        BadFile{"MinWeightAboveAll", "user,item,rating\n1,10,3\n", -1, {"min_weight"}, with([](auto& o) {
                  o.min_weight = 4;
                })},
        BadFile{"TooManyBadRows",
                "user,item\n1\n2\n3\n4,5\n",
                4,
                {"more than 2 bad rows", "max_bad_rows"},
                with([](auto& o) {
                  o.bad_rows = REC_BAD_ROW_SKIP;
                  o.max_bad_rows = 2;
                })}),
    [](const auto& test) { return test.param.name; });

TEST(Csv, CountsSkippedRowsAndGivesThemNoIds) {
  const TempFolder folder;
  DatasetOptions options;
  options.bad_rows = REC_BAD_ROW_SKIP;
  const Dataset data = load_dataset(folder.file("a.csv", "user,item,time\n1,10,1\n2,20,x\n3,x,5\n"), options);
  EXPECT_EQ(data.n_skipped, 1);
  EXPECT_EQ(data.n_users(), 2);
  EXPECT_EQ(data.n_items(), 2);
}

TEST(Csv, RefusesALimitOfBadRowsWhereNoneIsSkipped) {
  const TempFolder folder;
  DatasetOptions options;
  options.max_bad_rows = 3;
  const Error error = error_of([&] { load_dataset(folder.file("a.csv", "user,item\n1,10\n"), options); });
  EXPECT_EQ(error.status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(error.argument, "max_bad_rows");
}

TEST(Csv, RefusesTheTrainingFileAsATest) {
  const TempFolder folder;
  const std::string path = folder.file("a.csv", "user,item\n1,10\n");
  DatasetOptions options;
  options.test_path = path.substr(0, path.size() - 5) + "./a.csv";
  const Error error = error_of([&] { load_dataset(path, options); });
  EXPECT_EQ(error.status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(error.argument, "test_path");
}

TEST(Csv, MemoryOfLinesIsLimited) {
  const TempFolder folder;
  DatasetOptions options;
  options.memory_limit_bytes = 20 << 20;
  std::string line = "1";
  for (int i = 0; i < 3'000'000; ++i) line += " 2";
  options.format = "lightgcn";
  EXPECT_EQ(error_of([&] { load_dataset(folder.file("a.txt", line + "\n"), options); }).status, REC_LIMIT);
}

TEST(Csv, ReadingStopsWhenItIsCancelled) {
  CancelToken cancel;
  cancel.request();
  const TempFolder folder;
  const std::string path = folder.file("a.csv", "user,item\n1,10\n");
  EXPECT_EQ(error_of([&] { read_text_file(path, {}, &cancel); }).status, REC_CANCELLED);
  EXPECT_EQ(error_of([&] { PieceFile(path).read(0, 5, &cancel); }).status, REC_CANCELLED);
  Buffer<int64_t> ids(100'000);
  for (int64_t i = 0; i < ids.size(); ++i) ids[i] = -i;
  EXPECT_EQ(error_of([&] { IdMap::from_int64(std::move(ids), &cancel); }).status, REC_CANCELLED);
}

TEST(Csv, FormsListsByAnImpressionColumnRatherThanTheTime) {
  const TempFolder folder;
  const std::string rows = "\n1,10,1,5,a\n1,11,0,5,a\n1,12,1,5,b\n1,13,0,5,b\n";
  for (const std::string name : {"impression_id", "impression"}) {
    const Dataset data = load_dataset(folder.file("a.csv", "user,item,label,time," + name + rows), {});
    EXPECT_EQ(data.impression[0], data.impression[1]);
    EXPECT_NE(data.impression[1], data.impression[2]);
    const auto key = std::pair<std::string, std::string>("impression_key", name);
    EXPECT_NE(std::ranges::find(data.read_as, key), data.read_as.end());
  }
}

TEST(Csv, FilesOfPartsKeepThem) {
  const TempFolder folder;
  const std::string train = folder.file("a.csv", "user,item\n1,10\n"),
                    valid = folder.file("v.csv", "user,item\n1,20\n"), test = folder.file("t.csv", "user,item\n2,20\n");
  EXPECT_FALSE(load_dataset(train).has_parts);
  DatasetOptions options;
  options.valid_path = valid;
  options.test_path = test;
  const Dataset data = load_dataset(train, options);
  EXPECT_TRUE(data.has_parts);
  EXPECT_EQ(std::vector(data.part.begin(), data.part.end()), (std::vector{Part::kTrain, Part::kValid, Part::kTest}));
  DatasetOptions all;
  all.part = REC_PART_TEST;
  const Dataset whole = load_dataset(test, all);
  EXPECT_TRUE(whole.has_parts);
  EXPECT_EQ(whole.part[0], Part::kTest);
}

TEST(Csv, APartOfEveryRowLeavesNoOtherParts) {
  const TempFolder folder;
  DatasetOptions options;
  options.part = REC_PART_TEST;
  options.test_path = folder.file("t.csv", "user,item\n1,10\n");
  const Error error = error_of([&] { load_dataset(options.test_path, options); });
  EXPECT_EQ(error.status, REC_INVALID_ARGUMENT);
  EXPECT_EQ(error.argument, "part");
}

// Users and times whose order decides nothing else: rows of one second move within their user's places only.
TEST(Csv, RowsOfASecondMoveAsWholes) {
  const TempFolder folder;
  const Dataset data = load_dataset(folder.file(
      "a.csv", "user,item,rating,time\n1,10,1,7.9\n2,11,2,7.8\n1,12,3,7.1\n2,13,4,7.2\n1,14,5,6.5\n1,15,6,7.1\n"));
  EXPECT_EQ(rows_of(data), (Rows{"1 12 @7 *3", "2 13 @7 *4", "1 15 @7 *6", "2 11 @7 *2", "1 14 @6 *5", "1 10 @7 *1"}));
}

// A number and its plain text are one id, whatever the type of the column.
TEST(Ids, OfBothTypesAreTheSame) {
  const TempFolder folder;
  DatasetOptions text;
  text.user_id_type = text.item_id_type = REC_ID_BYTES;
  const std::string path = folder.file("a.csv", "user,item\n1,10\n-2,20\n");
  const Dataset numbers = load_dataset(path), texts = load_dataset(path, text);
  ASSERT_EQ(texts.items.type(), REC_ID_BYTES);
  EXPECT_TRUE(numbers.users.same_ids(texts.users));
  EXPECT_TRUE(texts.items.same_ids(numbers.items));
  EXPECT_EQ(texts.users.find(int64_t{-2}), 1);
  EXPECT_EQ(numbers.users.find("-2"), 1);
  for (const char* other : {"-02", " -2", "-2.0", "+1", ""}) EXPECT_EQ(numbers.users.find(other), -1) << other;
}

TEST(Ids, OfAColumnThatTurnsOutToBeTextKeepTheirRows) {
  MemoryBudget budget(0);
  IdColumn column("user_id", REC_ID_AUTO, &budget);
  for (int64_t i = 0; i < 5000; ++i) EXPECT_EQ(column.add(column.key(cat(i))), i);
  EXPECT_EQ(column.add(column.key(std::string_view("x"))), 5000);
  for (int64_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(column.find(column.key(cat(i))), i);
    EXPECT_EQ(column.find(column.key(i)), i);
  }
  EXPECT_EQ(column.find(column.key(std::string_view("007"))), -1);
  EXPECT_EQ(column.finish().type(), REC_ID_BYTES);
}

TEST(Csv, ASkippedRowDoesNotDecideTheTypeOfIds) {
  const TempFolder folder;
  DatasetOptions options;
  options.bad_rows = REC_BAD_ROW_SKIP;
  options.item_id_type = REC_ID_INT64;
  const Dataset data = load_dataset(folder.file("a.csv", "user,item\nx9,notanumber\n1,10\n2,20\n"), options);
  EXPECT_EQ(data.users.type(), REC_ID_INT64);
  EXPECT_EQ(rows_of(data), kTwoRows);
  EXPECT_EQ(data.n_skipped, 1);
}

TEST(Csv, AWideHeaderIsCheckedInNoTime) {
  const TempFolder folder;
  std::string header = "user,item", row = "1,2";
  for (int i = 0; i < 50'000; ++i) {
    header += cat(",column", i);
    row += ",";
  }
  const auto cpu_time_of = [&](const std::string& text) {
    const std::string path = folder.file("a.csv", text);
    const std::clock_t begin = std::clock();
    load_dataset(path);
    return static_cast<double>(std::clock() - begin);
  };
  // The same number of cells, one below the other, so that only the number of columns differs.
  std::string tall = "user,item\n";
  for (int i = 0; i < 50'000; ++i) tall += cat(i, ",", i, "\n");
  EXPECT_LT(cpu_time_of(header + "\n" + row + "\n"), 20 * cpu_time_of(tall));
}

TEST(Csv, AMessageAboutAHeaderIsShortAndPrintable) {
  const TempFolder folder;
  std::string text = "who,what," + std::string(100'000, 'x') + ",\xff\xfe\x01";
  for (int i = 0; i < 10'000; ++i) text += cat(",column", i);
  DatasetOptions wants_time;
  wants_time.time_column = "~~~~";
  for (const DatasetOptions& options : {DatasetOptions{}, wants_time})
    for (const std::string& header : {text, "user,item," + text, "user,user," + text, text + ",user,\xffuser,who"}) {
      const Error error = error_of([&] { load_dataset(folder.file("a.csv", header + "\n1\n"), options); });
      EXPECT_EQ(error.status, REC_INVALID_DATA);
      EXPECT_LT(error.message.size(), 5000);
      EXPECT_LT(error.argument.size(), 100);
      EXPECT_EQ(printable(error.message.substr(0, 50)), error.message.substr(0, 50));
      EXPECT_EQ(invalid_utf8(error.message), std::nullopt);
    }
}

// The id that the finaliser of MurmurHash3, without a key, turns into x.
int64_t id_of_hash(uint64_t x) {
  const auto inverse = [](uint64_t a) {
    uint64_t b = a;
    for (int i = 0; i < 6; ++i) b *= 2 - a * b;
    return b;
  };
  x ^= x >> 33;
  x *= inverse(0xc4ceb9fe1a85ec53ULL);
  x ^= x >> 33;
  x *= inverse(0xff51afd7ed558ccdULL);
  return static_cast<int64_t>(x ^ x >> 33);
}

TEST(IdColumn, IdsChosenToMeetInOneSlotTakeNoLonger) {
  const auto cpu_time_for = [](const std::function<int64_t(int64_t)>& id) {
    MemoryBudget budget(0);
    IdColumn column("user_id", REC_ID_INT64, &budget);
    const std::clock_t begin = std::clock();
    for (int64_t i = 1; i <= 100'000; ++i) column.add(column.key(id(i)));
    EXPECT_EQ(column.size(), 100'000);
    return static_cast<double>(std::clock() - begin);
  };
  const double plain = cpu_time_for([](int64_t i) { return i; });
  EXPECT_LT(cpu_time_for([](int64_t i) { return id_of_hash(static_cast<uint64_t>(i) << 40); }), 20 * plain);
}

// Texts of 16 bytes that all have one hash under std::hash of GCC, MurmurHash2 with a seed that is known.
std::string text_of_one_hash(uint64_t i) {
  constexpr uint64_t kM = 0xc6a4a7935bd1e995ULL, kInverse = 0x5f7a0ea7e59b19bdULL;
  const auto block = [](uint64_t k) {
    k *= kM;
    return (k ^ k >> 47) * kM;
  };
  const uint64_t state = (0xc70f6907ULL ^ 16 * kM ^ block(i)) * kM;
  uint64_t k = state * kInverse;  // becomes the block that takes the state to 0
  k = (k ^ k >> 47) * kInverse;
  std::string text(16, '\0');
  std::memcpy(text.data(), &i, 8);
  std::memcpy(text.data() + 8, &k, 8);
  return text;
}

TEST(IdColumn, TextsChosenToHaveOneHashTakeNoLonger) {
  const auto cpu_time_for = [](const std::function<std::string(uint64_t)>& text) {
    MemoryBudget budget(0);
    IdColumn column("user_id", REC_ID_BYTES, &budget);
    const std::clock_t begin = std::clock();
    for (uint64_t i = 1; i <= 20'000; ++i) column.add(column.key(std::string_view(text(i))));
    EXPECT_EQ(column.size(), 20'000);
    return static_cast<double>(std::clock() - begin);
  };
  const double plain = cpu_time_for([](uint64_t i) { return cat("a text of ", i); });
  EXPECT_LT(cpu_time_for(text_of_one_hash), 20 * plain);
}

TEST(Csv, SurvivesEveryTruncationAndEveryByteFlip) {
  const TempFolder folder;
  const std::string text =
      "user_id,item_id,rating,time\r\n1,\"a\"\"b\",4.5,12\n-2,\"c,\nd\",1e0,13\n3,\xc3\xa9,2,1.4e1\n";
  int n_read = 0;
  const auto attempt = [&](const std::string& content) {
    try {
      load_dataset(folder.file("f.csv", content));
      ++n_read;
    } catch (const Error& error) {
      EXPECT_TRUE(error.status == REC_INVALID_DATA || error.status == REC_UNSUPPORTED) << error.message;
    }
  };
  for (size_t n = 0; n < text.size(); ++n) attempt(text.substr(0, n));
  for (size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      attempt(flipped);
    }
  }
  EXPECT_GT(n_read, 20);
}

TEST(Csv, TheOrderWithinASecondCountsAsMemory) {
  const TempFolder folder;
  std::string text = "user,item,time\n", fractions = text;
  for (int i = 0; i < 60'000; ++i) {
    text += cat(i % 7, ',', i % 9, ',', 1'500'000'000 + i, '\n');
    fractions += cat(i % 7, ',', i % 9, ',', 1'500'000'000 + i, ".5\n");
  }
  DatasetOptions options;
  options.memory_limit_bytes = std::ssize(fractions) + 21 * 65'536 + 300'000;
  EXPECT_EQ(load_dataset(folder.file("whole.csv", text), options).n(), 60'000);
  EXPECT_EQ(error_of([&] { load_dataset(folder.file("fractions.csv", fractions), options); }).status, REC_LIMIT);
}

TEST(Csv, AMemoryLimitIsMetBeforeTheMemoryIsTaken) {
  const TempFolder folder;
  std::string text = "user,item\n";
  for (int i = 0; i < 5000; ++i) text += cat(i, ",", i, "\n");
  DatasetOptions options;
  options.memory_limit_bytes = 50'000;
  EXPECT_EQ(error_of([&] { load_dataset(folder.file("a.csv", text), options); }).status, REC_LIMIT);
  options.memory_limit_bytes = 50'000'000;
  EXPECT_EQ(load_dataset(folder / "a.csv", options).n(), 5000);
}

TEST(Csv, ACancelledLoadSaysSo) {
  const TempFolder folder;
  CancelToken cancel;
  cancel.request();
  EXPECT_EQ(error_of([&] { load_dataset(folder.file("a.csv", "user,item\n1,2\n"), {}, &cancel); }).status,
            REC_CANCELLED);
}

}  // namespace
}  // namespace rec
