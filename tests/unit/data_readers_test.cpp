#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/files.h"
#include "core/data/interactions.h"
#include "core/data/load.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/golden.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

struct GoodFolder {
  const char* name;
  Files files;
  std::string path;  // below the test's folder
  std::string format;
  Rows rows;
  std::vector<std::string> titles = {};
  DatasetOptions options = {};
};

class Load : public testing::TestWithParam<GoodFolder> {};

TEST_P(Load, ReadsTheRowsPartsAndTitlesOfTheFormat) {
  const TempFolder folder;
  for (const auto& [name, content] : GetParam().files) folder.file(name, content);
  const Dataset data = load_dataset(folder / GetParam().path, GetParam().options);
  EXPECT_EQ(data.format, GetParam().format);
  EXPECT_EQ(rows_of(data), GetParam().rows);
  std::vector<std::string> titles;
  for (int64_t i = 0; !data.title_offsets.empty() && i < data.n_items(); ++i) titles.push_back(title_of(data, i));
  EXPECT_EQ(titles, GetParam().titles);
}

const std::string kInter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";

INSTANTIATE_TEST_SUITE_P(
    Formats, Load,
    testing::Values(
        GoodFolder{"RecboleFolder",
                   {{"shop/shop.inter", kInter + "u\ta\t4\t1.5e9\nv\tb\t2.5\t20.0\n"}},
                   "shop",
                   "recbole",
                   {"u a @1500000000 *4", "v b @20 *2.5"}},
        GoodFolder{"RecboleListsOfWhatCameBefore",
                   {{"s/s.train.inter",
                     "session_id:token\titem_id_list:token_seq\titem_id:token\n"
                     "7\t1 2\t3\n7\t1 2 3\t4\n8\t\t5\n7\tnan 1 2 3 4\t6\n9\t1\tNA\n"},
                    {"s/s.test.inter", "session_id:token\titem_id_list:token_seq\titem_id:token\n10\t2 2\t2\n"}},
                   "s",
                   "recbole",
                   {"7 1", "7 2", "7 3", "7 4", "8 5", "7 6", "9 1", "10 2", "10 2", "10 2 test"}},
        // The list is context in every part, and may be cut to its last items.
        GoodFolder{
            "RecboleListsOfPartsAreContext",
            {{"s/s.train.inter",
              "user_id:token\titem_id_list:token_seq\titem_id:token\n"
              "7\t1\t2\n7\t1 2\t3\n7\t2 3\t1\n7\t3 1\t2\n8\t4 5\t6\n8\t4\t5\n8\t\t4\n"},
             {"s/s.valid.inter", "user_id:token\titem_id_list:token_seq\titem_id:token\n7\t1 2\t4\n8\t5 6\t4\n"},
             {"s/s.test.inter", "user_id:token\titem_id_list:token_seq\titem_id:token\n7\t2 4\t3\n8\t6 4 9\t5\n"}},
            "s",
            "recbole",
            {"7 1", "7 2", "7 3", "7 1", "7 2", "8 4", "8 5", "8 6", "7 4 valid", "8 4 valid", "7 3 test", "8 9",
             "8 5 test"}},
        GoodFolder{"RecboleTitles",
                   {{"x/shop.inter", "user_id:token\titem_id:token\n1\t7\n1\t8\n1\t9\n"},
                    {"x/shop.item",
                     "item_id:token\tcat:token\ttitle:token_seq\n9\tq\tThe "
                     "\"Nine\"\n7\tq\tSeven\n3\tq\tThree\n7\tq\tAgain\n"}},
                   "x/shop.inter",
                   "recbole",
                   {"1 7", "1 8", "1 9"},
                   {"Seven", "", "The \"Nine\""}},
        GoodFolder{"RecboleBenchmark",
                   {{"d/s.test.inter", kInter + "1\t30\t1\t3\n"},
                    {"d/s.train.inter", kInter + "1\t10\t1\t1\n"},
                    {"d/s.valid.inter", kInter + "1\t20\t1\t2\n"},
                    {"d/s.item", "item_id:token\tmovie_title:token_seq\n20\tTwo\n"}},
                   "d",
                   "recbole",
                   {"1 10 @1 *1", "1 20 @2 *1 valid", "1 30 @3 *1 test"},
                   {"", "Two", ""}},
        GoodFolder{"RecboleBenchmarkByOneFile",
                   {{"d/s.test.inter", kInter + "1\t30\t1\t3\n"}, {"d/s.train.inter", kInter + "1\t10\t1\t1\n"}},
                   "d/s.train.inter",
                   "recbole",
                   {"1 10 @1 *1", "1 30 @3 *1 test"}},
        GoodFolder{"RecboleMissingWeightsAreTheMeanOfAllFiles",
                   {{"d/s.train.inter", kInter + "1\t10\t\t1\n1\t11\t2\t2\n"},
                    {"d/s.valid.inter", kInter + "1\t20\t5\t3\n1\t21\t\t4\n"}},
                   "d",
                   "recbole",
                   {"1 10 @1 *3.5", "1 11 @2 *2", "1 20 @3 *5 valid", "1 21 @4 *3.5 valid"}},
        GoodFolder{"RecboleMissingWeightsPassNoBound",
                   {{"s.inter", kInter + "1\t10\t\t1\n1\t11\t2\t2\n"}},
                   "s.inter",
                   "recbole",
                   {"1 11 @2 *2"},
                   {},
                   [] {
                     DatasetOptions options;
                     options.min_weight = 1;
                     return options;
                   }()},
        GoodFolder{"RecboleEmptyValid",
                   {{"d/s.valid.inter", kInter}, {"d/s.train.inter", kInter + "1\t10\t1\t1\n"}},
                   "d",
                   "recbole",
                   {"1 10 @1 *1"}},
        GoodFolder{"RecboleFolderOfSeveral",
                   {{"d/d.inter", "user_id:token\titem_id:token\n1\t2\n"}, {"d/e.inter", "x"}},
                   "d",
                   "recbole",
                   {"1 2"}},
        GoodFolder{"RechorusTabs",
                   {{"r/train.csv", "time\titem_id\tuser_id\n5\t10\t1\n"},
                    {"r/dev.csv", "user_id\titem_id\ttime\tneg_items\n1\t11\t6\t[10, 12]\n"},
                    {"r/test.csv", "neg_items\tuser_id\titem_id\ttime\n[]\t1\t12\t7\n"}},
                   "r",
                   "rechorus",
                   {"1 10 @5", "1 11 @6 valid", "1 12 @7 test"}},
        GoodFolder{"LightGcnFolder",
                   {{"l/train.txt", "0 5 6 \n1\n2 5  7\r\n"}, {"l/valid.txt", "0 7\n"}, {"l/test.txt", "1 6"}},
                   "l",
                   "lightgcn",
                   {"0 5", "0 6", "2 5", "2 7", "0 7 valid", "1 6 test"}},
        GoodFolder{"LightGcnFile", {{"pairs.txt", "0 5 6\n1 6\n"}}, "pairs.txt", "lightgcn", {"0 5", "0 6", "1 6"}},
        GoodFolder{"MovieLens100K",
                   {{"m/u.data", "1\t10\t5\t100\n2\t20\t3\t200\n"}, {"m/u.item", "10|Caf\xe9 (1990)|x|y\n20|B|x|y\n"}},
                   "m",
                   "movielens",
                   {"1 10 @100 *5", "2 20 @200 *3"},
                   {"Caf\xc3\xa9 (1990)", "B"}},
        GoodFolder{"MovieLens1M",
                   {{"m/ratings.dat", "1::10::5::100\r\n"}, {"m/movies.dat", "10::Star: Part 1::Drama|War\n"}},
                   "m/ratings.dat",
                   "movielens",
                   {"1 10 @100 *5"},
                   {"Star: Part 1"}},
        GoodFolder{"MovieLens20M",
                   {{"m/ratings.csv", "userId,movieId,rating,timestamp\n1,10,4.5,100\n"},
                    {"m/movies.csv", "movieId,title,genres\n10,\"Good, \"\"Bad\"\" (1966)\",War\n"}},
                   "m",
                   "movielens",
                   {"1 10 @100 *4.5"},
                   {"Good, \"Bad\" (1966)"}},
        GoodFolder{"RatingsOfNoMovies",
                   {{"ratings.csv", "user_id;item_id;rating\n1;10;4.5\n"}},
                   "ratings.csv",
                   "csv",
                   {"1 10 *4.5"}},
        GoodFolder{"RatingsOfMovieLens",
                   {{"ratings.csv", "userId,movieId,rating,timestamp\n1,10,4.5,100\n"},
                    {"movies.csv", "movieId,title,genres\n10,Ten,War\n"}},
                   "ratings.csv",
                   "movielens",
                   {"1 10 @100 *4.5"},
                   {"Ten"}},
        GoodFolder{"Gru4Rec",
                   {{"s.txt", "SessionId\tItemId\tTime\n7\t1\t10.0\n7\t2\t11\n"}},
                   "s.txt",
                   "gru4rec",
                   {"7 1 @10", "7 2 @11"}},
        GoodFolder{"PlainTsv", {{"s.tsv", "user\titem\n7\t1\n"}}, "s.tsv", "tsv", {"7 1"}}),
    [](const auto& test) { return test.param.name; });

struct BadFolder {
  const char* name;
  Files files;
  std::string path, blamed;  // the file that the error names
  rec_status_t status;
  int64_t line;
  std::vector<std::string> says;
  std::string format = "auto";
};

class LoadRefuses : public testing::TestWithParam<BadFolder> {};

TEST_P(LoadRefuses, WithStatusFileLineAndReason) {
  const TempFolder folder;
  for (const auto& [name, content] : GetParam().files) folder.file(name, content);
  DatasetOptions options;
  options.format = GetParam().format;
  const Error error = error_of([&] { load_dataset(folder / GetParam().path, options); });
  EXPECT_EQ(error.status, GetParam().status) << error.message;
  EXPECT_EQ(error.file, folder / GetParam().blamed) << error.message;
  EXPECT_EQ(error.line, GetParam().line) << error.message;
  for (const std::string& words : GetParam().says)
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
}

const std::string kTrain = "user_id\titem_id\ttime\n1\t10\t5\n1\t12\t5\n";

INSTANTIATE_TEST_SUITE_P(
    Formats, LoadRefuses,
    testing::Values(
        BadFolder{"MissingFile", {}, "no.csv", "no.csv", REC_NOT_FOUND, -1, {"No such file"}},
        BadFolder{"FolderOfNoFormat", {{"d/readme.md", "x"}}, "d", "d", REC_UNSUPPORTED, -1, {"cannot be told"}},
        BadFolder{
            "FileOfNoFormat", {{"a.dat", "hello world\n"}}, "a.dat", "a.dat", REC_UNSUPPORTED, 1, {"hello world"}},
        BadFolder{"AFolderAsCsv", {{"d/x", "x"}}, "d", "d", REC_INVALID_ARGUMENT, -1, {"folder"}, "csv"},
        BadFolder{"RecboleSeveral", {{"d/a.inter", "x"}, {"d/b.inter", "x"}}, "d", "d", REC_UNSUPPORTED, -1, {"a, b"}},
        BadFolder{"RecboleHeaderWithoutTypes",
                  {{"a.inter", "user_id\titem_id\n1\t2\n"}},
                  "a.inter",
                  "a.inter",
                  REC_INVALID_DATA,
                  1,
                  {"'user_id'", "NAME:TYPE"}},
        BadFolder{"RecboleWithCommas",
                  {{"a.inter", "user_id:token,item_id:token\n1,2\n"}},
                  "a.inter",
                  "a.inter",
                  REC_INVALID_DATA,
                  1,
                  {"commas and no tab", "separator"}},
        BadFolder{"RecboleMissingColumn",
                  {{"a.inter", "user_id:token\tthing:token\n1\t2\n"}},
                  "a.inter",
                  "a.inter",
                  REC_INVALID_DATA,
                  1,
                  {"no item column", "user_id, thing"}},
        BadFolder{"RecboleRaggedRow",
                  {{"a.inter", "user_id:token\titem_id:token\n1\t2\n3\n"}},
                  "a.inter",
                  "a.inter",
                  REC_INVALID_DATA,
                  3,
                  {"1 columns", "expected 2"}},
        BadFolder{
            "RecboleOtherColumnsInValid",
            {{"a.train.inter", kInter + "1\t2\t3\t4\n"}, {"a.valid.inter", "user_id:token\titem_id:token\n1\t2\n"}},
            "a.train.inter",
            "a.valid.inter",
            REC_INVALID_DATA,
            1,
            {"no time", "no weight"}},
        BadFolder{"RecboleWithoutAnyWeight",
                  {{"a.inter", kInter + "1\t2\t\t4\n"}},
                  "a.inter",
                  "a.inter",
                  REC_INVALID_DATA,
                  -1,
                  {"weight", "every cell"}},
        BadFolder{"RecboleWithoutTrain", {{"d/a.valid.inter", kInter}}, "d", "d/a.train.inter", REC_NOT_FOUND, -1, {}},
        BadFolder{"RecboleTitleNotUtf8",
                  {{"a.inter", "user_id:token\titem_id:token\n1\t2\n"},
                   {"a.item", "item_id:token\ttitle:token_seq\n2\tCaf\xe9\n"}},
                  "a.inter",
                  "a.item",
                  REC_INVALID_DATA,
                  2,
                  {"title", "UTF-8"}},
        BadFolder{
            "RechorusListIsCode",
            {{"r/train.csv", kTrain}, {"r/dev.csv", "user_id\titem_id\ttime\tneg_items\n1\t10\t6\t__import__('os')\n"}},
            "r",
            "r/dev.csv",
            REC_INVALID_DATA,
            2,
            {"neg_items", "__import__"}},
        BadFolder{"RechorusListOfWords",
                  {{"r/train.csv", kTrain}, {"r/dev.csv", "user_id\titem_id\ttime\tneg_items\n1\t10\t6\t[10, x]\n"}},
                  "r",
                  "r/dev.csv",
                  REC_INVALID_DATA,
                  2,
                  {"[10, x]", "integers"}},
        BadFolder{"RechorusListWithAHole",
                  {{"r/train.csv", kTrain}, {"r/dev.csv", "user_id\titem_id\ttime\tneg_items\n1\t10\t6\t[10,,12]\n"}},
                  "r",
                  "r/dev.csv",
                  REC_INVALID_DATA,
                  2,
                  {"[10,,12]"}},
        BadFolder{"RechorusUnknownItemInList",
                  {{"r/train.csv", kTrain},
                   {"r/test.csv", "user_id\titem_id\ttime\tneg_items\n1\t10\t6\t[11]\n1\t10\t6\t[13]\n"}},
                  "r",
                  "r/test.csv",
                  REC_INVALID_DATA,
                  3,
                  {"no item 13", "up to 12"}},
        BadFolder{"LightGcnText",
                  {{"l/train.txt", "0 1 2\n1 x 3\n"}},
                  "l",
                  "l/train.txt",
                  REC_INVALID_DATA,
                  2,
                  {"item_id", "'x'"}},
        BadFolder{"LightGcnOverflow",
                  {{"l/train.txt", "99999999999999999999 1\n"}},
                  "l",
                  "l/train.txt",
                  REC_INVALID_DATA,
                  1,
                  {"user_id", "does not fit"}},
        BadFolder{"MovieLensShortRow",
                  {{"u.data", "1\t2\t3\n"}},
                  "u.data",
                  "u.data",
                  REC_INVALID_DATA,
                  1,
                  {"3 columns", "expected 4"}},
        BadFolder{"MovieLensBadTitles",
                  {{"m/u.data", "1\t2\t3\t4\n"}, {"m/u.item", "2;x\n"}},
                  "m",
                  "m/u.item",
                  REC_INVALID_DATA,
                  1,
                  {"'2;x'"}},
        BadFolder{"MovieLensHeaderWithOpenQuote",
                  {{"m/ratings.csv", "userId,\"movieId,rating\n1,2,3\n"}},
                  "m",
                  "m/ratings.csv",
                  REC_INVALID_DATA,
                  1,
                  {"never closed"}},
        BadFolder{"MovieLensTitlesHeaderWithOpenQuote",
                  {{"m/ratings.csv", "userId,movieId\n1,2\n"}, {"m/movies.csv", "\nmovieId,\"title\n2,x\n"}},
                  "m",
                  "m/movies.csv",
                  REC_INVALID_DATA,
                  2,
                  {"never closed"}},
        BadFolder{"RechorusHeaderWithOpenQuote",
                  {{"r/train.csv", kTrain}, {"r/dev.csv", "user_id\t\"item_id\n1\t2\n"}},
                  "r",
                  "r/dev.csv",
                  REC_INVALID_DATA,
                  1,
                  {"never closed"}},
        BadFolder{"RechorusMetaHeaderWithOpenQuote",
                  {{"r/train.csv", kTrain}, {"r/dev.csv", kTrain}, {"r/item_meta.csv", "item_id\t\"i_x\n10\t2\n"}},
                  "r",
                  "r/item_meta.csv",
                  REC_INVALID_DATA,
                  1,
                  {"never closed"}},
        BadFolder{"RecboleTwoTitleColumns",
                  {{"a.inter", "user_id:token\titem_id:token\n1\t2\n"},
                   {"a.item", "item_id:token\ttitle:token_seq\tTitle:token_seq\n2\tx\ty\n"}},
                  "a.inter",
                  "a.item",
                  REC_INVALID_DATA,
                  1,
                  {"'title'", "'Title'"}},
        BadFolder{"RecboleByteIdsOfNoColumn",
                  {{"a.inter", "user_id:token\titem_id:token\n1\t2\n"}, {"a.byte_ids", "user_id\nrating\n"}},
                  "a.inter",
                  "a.byte_ids",
                  REC_INVALID_DATA,
                  2,
                  {"'rating'"}},
        BadFolder{"Gru4RecOtherNames",
                  {{"s.tsv", "user\titem\n1\t2\n"}},
                  "s.tsv",
                  "s.tsv",
                  REC_INVALID_DATA,
                  1,
                  {"SessionId"},
                  "gru4rec"},
        BadFolder{"BrokenGzip",
                  {{"a.csv.gz", "\x1f\x8b\x08 broken"}},
                  "a.csv.gz",
                  "a.csv.gz",
                  REC_CORRUPT_DATA,
                  -1,
                  {"gzip"}}),
    [](const auto& test) { return test.param.name; });

TEST(LoadOptions, ThatAreNoneNameTheArgument) {
  const TempFolder folder;
  const std::string path = folder.file("a.csv", "user,item\n1,2\n");
  struct Case {
    const char* argument;
    std::function<void(DatasetOptions&)> change;
  };
  const Case cases[] = {{"user_id_type", [](auto& o) { o.user_id_type = 9; }},
                        {"item_id_type", [](auto& o) { o.item_id_type = REC_ID_ROW; }},
                        {"bad_rows", [](auto& o) { o.bad_rows = 2; }},
                        {"format", [](auto& o) { o.format = "cvs"; }},
                        {"separator", [](auto& o) { o.separator = "::"; }},
                        {"separator", [](auto& o) { o.separator = "\""; }},
                        {"min_weight", [](auto& o) { o.min_weight = std::numeric_limits<double>::quiet_NaN(); }},
                        {"max_bad_rows", [](auto& o) { o.max_bad_rows = -1; }},
                        {"memory_limit_bytes", [](auto& o) { o.memory_limit_bytes = -1; }}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.argument);
    DatasetOptions options;
    row.change(options);
    const Error error = error_of([&] { load_dataset(path, options); });
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT);
    EXPECT_EQ(error.argument, row.argument);
  }
}

TEST(Load, AUserWithoutItemsIsAUser) {
  const TempFolder folder;
  folder.file("train.txt", "0 5\n9\n");
  EXPECT_EQ(load_dataset(folder.path()).n_users(), 2);
}

TEST(ReChorus, AnItemThatOnlyOccursInListsIsAnItem) {
  const TempFolder folder;
  folder.file("train.csv", kTrain);
  folder.file("dev.csv", "user_id\titem_id\ttime\tneg_items\n1\t10\t6\t[11, 12]\n");
  const Dataset data = load_dataset(folder.path());
  EXPECT_EQ(data.n_items(), 3);
  ASSERT_EQ(data.candidates.size(), 2);
  EXPECT_EQ(data.items.int64_at(data.candidates[0]), 11);
  EXPECT_EQ(data.candidate_offsets[2], 0);
  EXPECT_EQ(data.candidate_offsets[3], 2);
}

TEST(ReChorus, CommaSeparatedQuotedListsWork) {
  const TempFolder folder;
  folder.file("train.csv", "user_id,item_id,time\n1,10,5\n1,12,5\n");
  folder.file("test.csv", "user_id,item_id,time,neg_items\n1,10,6,\"[10, 12]\"\n");
  EXPECT_EQ(load_dataset(folder.path()).candidates.size(), 2);
}

// Sets and histories of the reference's readers, protocol.json.
TEST(ReChorus, GivesTheReferencesTablesSetsHistoriesAndCandidates) {
  const auto golden = golden_json("protocol.json").at("cases").at("rechorus_readers");
  const TempFolder folder;
  for (const char* name : {"train.csv", "dev.csv", "test.csv", "item_meta.csv"})
    folder.file(name, golden.at("files").at(name).get<std::string>());
  const Dataset data = load_dataset(folder.path());
  // The reference counts its row 0, which is neither a user nor an item.
  EXPECT_EQ(data.n_users() + 1, golden.at("n_users").get<int64_t>());
  EXPECT_EQ(data.n_items() + 1, golden.at("n_items").get<int64_t>());

  const auto check_sets = [&](const char* name, const Interactions& interactions) {
    const Csr sets = distinct_rows(interactions.by_user);
    for (const auto& [user, items] : golden.at(name).items()) {
      std::set<int64_t> got;
      for (int32_t item : sets.row(data.users.find(std::stoll(user)))) got.insert(data.items.int64_at(item));
      EXPECT_EQ(got, items.get<std::set<int64_t>>()) << name << " " << user;
    }
  };
  check_sets("train_clicked_set", build_interactions(data, true, false, false));
  check_sets("residual_clicked_set", build_interactions(data, false, true, true));

  const Interactions all = build_interactions(data, true, true, true);
  for (const auto& [user, history] : golden.at("user_history").items()) {
    const int64_t row = data.users.find(std::stoll(user));
    std::vector<std::vector<int64_t>> got;
    for (int64_t p = all.by_user.offsets[row]; p < all.by_user.offsets[row + 1]; ++p)
      got.push_back({data.items.int64_at(all.by_user.columns[p]), all.entry_time[p]});
    EXPECT_EQ(got, history.get<std::vector<std::vector<int64_t>>>()) << user;
  }

  for (const auto& [name, part] : {std::pair{"rows_dev", Part::kValid}, std::pair{"rows_test", Part::kTest}}) {
    int64_t next = std::find(data.part.begin(), data.part.end(), part) - data.part.begin();
    for (const auto& row : golden.at(name).at("rows")) {
      std::vector<int64_t> candidates;
      for (int64_t c = data.candidate_offsets[next]; c < data.candidate_offsets[next + 1]; ++c)
        candidates.push_back(data.items.int64_at(data.candidates[c]));
      EXPECT_EQ(data.users.int64_at(data.user[next]), row[0].get<int64_t>());
      EXPECT_EQ(candidates, row[3].get<std::vector<int64_t>>()) << name;
      ++next;
    }
  }
}

}  // namespace
}  // namespace rec
