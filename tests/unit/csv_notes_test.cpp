// What is found in a table and not given, what is told of it, and which options it takes.
#include <gtest/gtest.h>

#include "core/data/load.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

TEST(Csv, TellsOfLightRowsAndOfOtherItemColumns) {
  const TempFolder folder;
  DatasetOptions options;
  options.min_weight = 4;
  const Dataset data =
      load_dataset(folder.file("a.csv", "user,item,movie_id,rating\n1,10,7,4\n1,11,7,3\n2,12,7,1\n"), options);
  EXPECT_EQ(data.notes,
            (std::vector<std::string>{"the item is column 'item'; column 'movie_id' could be the one that is wanted",
                                      "2 rows were left out, because their weight is below 4"}));
}

TEST(Csv, NotesWhatCouldBeMeantOtherwise) {
  const TempFolder folder;
  const auto notes = [&](const std::string& name, const std::string& text) {
    return load_dataset(folder.file(name, text), {}).notes;
  };
  using Notes = std::vector<std::string>;
  EXPECT_EQ(
      notes("parts.csv", "user,item,part\n1,10,train\n1,11,test\n"),
      (Notes{"column 'part' is not read: which rows are for validation and test is told by files of their own, or by a "
             "split"}));
  EXPECT_EQ(notes("a.inter", "user_id:token\titem_id:token\tdate:float\n1\t10\t5\n2\t10\t6\n"),
            (Notes{"no column is read as the time; 'date' could be it"}));
  EXPECT_EQ(notes("lists.txt", "0 1 2\n1 4 5\n2 3 5\n"),
            (Notes{"no user has two rows; if each line is a user and all its items, the format is lightgcn"}));
  EXPECT_EQ(notes("padded.csv", "user,item\n1,10\n01,11\n002,12\n"),
            (Notes{"1 ids of users, such as '01', are whole numbers written otherwise, and so are not the ids that "
                   "these numbers "
                   "are"}));
}

// The head of a file that tells its format is cut within a line, whatever comes before the rows.
TEST(Csv, RatingsBehindAMarkOrACommentAreRatings) {
  const TempFolder folder;
  std::string rows;
  for (int i = 0; i < 20'000; ++i) rows += cat(i % 3000 + 1, ' ', i * 7 % 900 + 1, ' ', i % 5 + 1, '\n');
  for (const std::string& before : {std::string(), std::string("\xef\xbb\xbf"), std::string("# user item rating\n"),
                                    std::string("%%MatrixMarket matrix coordinate real general\n3000 900 20000\n"), [] {
                                      std::string many;
                                      for (int i = 0; i < 20'000; ++i) many += "# c\n";
                                      return many;
                                    }()}) {
    const Dataset data = load_dataset(folder.file("ratings.mtx", before + rows), {});
    EXPECT_EQ(data.format, "csv");
    EXPECT_EQ(data.n(), 20'000);
    EXPECT_FALSE(data.weight.empty());
  }
}

TEST(Csv, BlanksPartQuotedCells) {
  const TempFolder folder;
  for (const char* name : {"a.csv", "a.txt"}) {
    const Dataset data =
        load_dataset(folder.file(name, "\"user\" \"item\" \"rating\"\n\"196\" \"a b\" 3\n\"196\"  c 4\n"), {});
    EXPECT_EQ(data.n(), 2) << name;
    EXPECT_EQ(data.items.text_at(0), "a b");
    EXPECT_EQ(data.weight[1], 4);
  }
  DatasetOptions quoted;
  quoted.quotes = REC_QUOTES_CSV;
  EXPECT_THROW(load_dataset(folder.file("b.csv", "user item\n1 \"a\"b\n"), quoted), Error);
}

TEST(Csv, TheCommentSaysThatWordsAreColumns) {
  const TempFolder folder;
  const Dataset named = load_dataset(folder.file("a.txt",
                                                 "# user item category rating timestamp\n1 2 3 4 1000000000\n"
                                                 "2 2 3 4 1000000001\n2 7 3 4 1000000001\n"),
                                     {});
  EXPECT_EQ(named.format, "csv");
  EXPECT_EQ(named.n(), 3);
  EXPECT_EQ(named.n_items(), 2);
  // Without names, a last column of times says so too; what the others are has to be given.
  const std::string rows = "1 2 3 4 5 1000000000\n2 2 3 4 5 1000000001\n";
  DatasetOptions given;
  given.user_column = "1", given.item_column = "2";
  EXPECT_EQ(load_dataset(folder.file("b.txt", rows), given).n(), 2);
  EXPECT_EQ(load_dataset(folder.file("lists.txt", "0 1 2 3 4\n1 2 3 4 5\n"), {}).format, "lightgcn");
}

TEST(Csv, AMarkWithinAFileIsAnError) {
  const TempFolder folder;
  const std::string mark = "\xef\xbb\xbf";
  const std::string joined = folder.file("a.csv", mark + "user,item\n1,10\n" + mark + "user,item\n2,10\n");
  try {
    load_dataset(joined, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status, REC_INVALID_DATA);
    EXPECT_EQ(error.line, 3);
    EXPECT_NE(error.message.find("byte order mark"), std::string::npos) << error.message;
  }
  DatasetOptions skip;
  skip.bad_rows = REC_BAD_ROW_SKIP;
  EXPECT_EQ(load_dataset(joined, skip).n(), 2);
}

TEST(Csv, AnArchiveIsNamed) {
  const TempFolder folder;
  std::string archive(512, '\0');
  archive.replace(0, 5, "a.csv").replace(257, 5, "ustar");
  try {
    load_dataset(folder.file("a.csv", archive), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message.find("a tar archive; unpack it"), std::string::npos) << error.message;
  }
}

TEST(Csv, PositionsOfAFileWithNamesAreToldOnce) {
  const TempFolder folder;
  DatasetOptions given;
  given.user_column = "1", given.item_column = "2";
  try {
    load_dataset(folder.file("a.txt", "# user item category rating timestamp\n1 2 3 4 1000000000\n"), given);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message.find("(header: no)"), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find("or say"), std::string::npos) << error.message;
  }
}

TEST(Csv, ALargeTableStandsBehindManyComments) {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "# comment\n";
  text += "user,item,rating,timestamp\n";
  for (int i = 0; i < 420'000; ++i) text += cat(i % 3000, ',', i % 900, ",4,", 1'400'000'000 + i, '\n');
  ASSERT_GT(text.size(), size_t{8} << 20);
  EXPECT_EQ(load_dataset(folder.file("a.csv", text), {}).n(), 420'000);
}

TEST(Csv, SaysHowItWasRead) {
  const TempFolder folder;
  const Dataset data =
      load_dataset(folder.file("a.csv",
                               "sessionId;userId;itemId;timestamp\n1;7;10;1433221332117\n1;NA;10;1433221332118\n"
                               "2;8;20;1433221332119\n"));
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(data.read_as, (Pairs{{"separator", ";"},
                                 {"header", "yes"},
                                 {"quotes", "as in CSV"},
                                 {"user", "userId"},
                                 {"item", "itemId"},
                                 {"time", "timestamp"},
                                 {"weight", "none"},
                                 {"times", "milliseconds"}}));
  EXPECT_EQ(data.n_missing, 1);
  ASSERT_EQ(data.notes.size(), 2u);
  EXPECT_NE(data.notes[0].find("'userId'; column 'sessionId'"), std::string::npos) << data.notes[0];
  EXPECT_NE(data.notes[1].find("1 rows were left out"), std::string::npos) << data.notes[1];
}

TEST(Csv, NotesWhatCannotBeMeant) {
  const TempFolder folder;
  const auto notes = [&](const std::string& text, const DatasetOptions& options = {}) {
    return load_dataset(folder.file("a.csv", text), options).notes;
  };
  EXPECT_TRUE(notes("user,item,rating,time\n1,10,5,1433221332\n2,20,1,1433221333\n").empty());
  const auto old = notes("user,item,time\n1,10,17\n");
  ASSERT_EQ(old.size(), 1u);
  EXPECT_NE(old[0].find("1970-01-01 00:00:17"), std::string::npos) << old[0];
  DatasetOptions seconds;
  seconds.time_unit = REC_TIME_SECONDS;
  const auto late = notes("user,item,time\n1,10,1433221332117\n", seconds);
  ASSERT_EQ(late.size(), 1u);
  EXPECT_NE(late[0].find("47386"), std::string::npos) << late[0];
  const auto heavy = notes("user,item,rating\n1,10,1433221332\n");
  ASSERT_EQ(heavy.size(), 1u);
  EXPECT_NE(heavy[0].find("weights go up to"), std::string::npos) << heavy[0];
  const auto zeros = notes("user,item,rating\n1,10,0\n2,20,1\n");
  ASSERT_EQ(zeros.size(), 1u);
  EXPECT_NE(zeros[0].find("1 rows have a weight of 0"), std::string::npos) << zeros[0];
  const auto floats = notes("user,item\n12.0,10\n12,20\n1e5,30\n2.5,10\n");
  ASSERT_EQ(floats.size(), 1u);
  EXPECT_NE(floats[0].find("2 ids of users, such as '12.0'"), std::string::npos) << floats[0];
  const auto dates = notes("user,item,date\n1,10,2020-12-18\n");
  ASSERT_EQ(dates.size(), 1u);
  EXPECT_NE(dates[0].find("'date' could be it"), std::string::npos) << dates[0];
  std::string crowd = "user,item\n";
  for (int i = 0; i < 40; ++i) crowd += cat(i % 4 == 0 ? cat(i) : "guest", ",", i, "\n");
  const auto guest = notes(crowd);
  ASSERT_EQ(guest.size(), 1u);
  EXPECT_NE(guest[0].find("'guest' has 30 of the 40"), std::string::npos) << guest[0];
}

// No user repeats in the head of the file.
TEST(Csv, LinesOfThreeOrFourWordsAreRatings) {
  const TempFolder folder;
  EXPECT_EQ(rows_of(load_dataset(folder.file("a.txt", "196 242 3 881250949\n186 302 3 891717742\n"))),
            (Rows{"196 242 @881250949 *3", "186 302 @891717742 *3"}));
  EXPECT_EQ(rows_of(load_dataset(folder.file("a.txt", "196 242 3\n186 302 4\n"))), (Rows{"196 242 *3", "186 302 *4"}));
  EXPECT_EQ(load_dataset(folder.file("a.txt", "0 5 6\n1 6\n")).format, "lightgcn");
}

// Weights are float: 0.7f is above the double 0.7, and 3.3f below 3.3.
TEST(Csv, RowsAtTheLeastWeightStay) {
  const TempFolder folder;
  const std::string path = folder.file("a.csv", "user,item,rating\n1,10,0.7\n1,11,0.8\n2,10,3.3\n2,12,0.7\n");
  for (const auto& [least, n] : {std::pair(0.7, 4), std::pair(0.8, 2), std::pair(3.3, 1)}) {
    DatasetOptions options;
    options.min_weight = least;
    EXPECT_EQ(load_dataset(path, options).n(), n) << least;
  }
  DatasetOptions options;
  options.min_weight = 4;
  EXPECT_NE(error_of([&] { load_dataset(path, options); }).message.find("4 rows have a weight below min_weight, 4"),
            std::string::npos);
}

// As lines of integers they would be users and all their items.
TEST(Csv, ATextWhoseColumnsAreGivenIsATable) {
  const TempFolder folder;
  DatasetOptions swapped;
  swapped.user_column = "2";
  swapped.item_column = "1";
  EXPECT_EQ(rows_of(load_dataset(folder.file("a.txt", "10 1\n11 1\n12 1\n10 2\n"), swapped)),
            (Rows{"1 10", "1 11", "1 12", "2 10"}));
  EXPECT_EQ(rows_of(load_dataset(folder.file("u.data", "10\t1\t4\t881250949\n11\t2\t3\t881250950\n"), swapped)),
            (Rows{"1 10", "2 11"}));
}

TEST(Csv, OptionsThatAFormatHasNoUseForAreRefused) {
  const TempFolder folder;
  const auto refused = [&](const std::string& path, const std::string& format, auto&& give) {
    DatasetOptions options;
    options.format = format;
    give(options);
    const Error error = error_of([&] { load_dataset(path, options); });
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT) << error.message;
    return error.argument;
  };
  const std::string lines = folder.file("a.txt", "10 1\n11 1\n"),
                    colons = folder.file("ratings.dat", "1::10::4::881250949\n");
  EXPECT_EQ(refused(lines, "lightgcn", [](auto& o) { o.user_column = "2"; }), "user_column");
  EXPECT_EQ(refused(lines, "lightgcn", [](auto& o) { o.time_unit = REC_TIME_SECONDS; }), "time_unit");
  EXPECT_EQ(refused(colons, "auto", [](auto& o) { o.separator = ","; }), "separator");
  EXPECT_EQ(refused(colons, "auto", [](auto& o) { o.item_column = "1"; }), "item_column");
  EXPECT_EQ(refused(folder.file("a.inter", "user_id:token\titem_id:token\n1\t10\n"), "auto",
                    [](auto& o) { o.quotes = REC_QUOTES_NONE; }),
            "quotes");
  DatasetOptions without;
  without.time_column = without.weight_column = "";
  EXPECT_EQ(rows_of(load_dataset(colons, without)), (Rows{"1 10"}));
}

TEST(Csv, NamesInACommentAreAHeader) {
  const TempFolder folder;
  const Dataset data = load_dataset(folder.file("a.csv", "# made by savetxt\n# item_id,user_id\n10,1\n11,1\n10,2\n"));
  EXPECT_EQ(rows_of(data), (Rows{"1 10", "1 11", "2 10"}));
  EXPECT_NE(std::ranges::find(data.read_as, std::pair<std::string, std::string>("header", "a comment")),
            data.read_as.end());
  EXPECT_EQ(rows_of(load_dataset(folder.file("b.csv", "# user id of an item,x\n10,1\n"))), (Rows{"10 1"}));
}

TEST(Csv, NotesLinesThatBeginWithTheirLength) {
  const TempFolder folder;
  const auto notes = load_dataset(folder.file("users.dat", "2 10 11\n3 10 12 13\n1 10\n2 12 13\n")).notes;
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("is how many others there are"), std::string::npos) << notes[0];
  EXPECT_TRUE(load_dataset(folder.file("users.dat", "2 10 11\n3 10 12 13\n1 10\n4 12 13\n")).notes.empty());
}

}  // namespace
}  // namespace rec
