// Labelled rows and impression lists: what the readers make of them, compared with the reference's lists.
#include "core/data/impressions.h"

#include <map>
#include <set>

#include "core/data/columns.h"
#include "core/data/describe.h"
#include "core/data/load.h"
#include "core/data/split.h"
#include "core/data/write.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/golden.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

using Items = std::vector<int64_t>;

Items ids_of(const Dataset& data, std::span<const int32_t> rows) {
  Items ids;
  for (int32_t row : rows) ids.push_back(data.items.int64_at(row));
  return ids;
}

// "user: clicked | shown" of each list.
Rows lists_of(const Dataset& data, Part part = Part::kTrain) {
  const ImpressionLists lists = impression_lists(data, part);
  Rows rows;
  for (int64_t l = 0; l < lists.n(); ++l) {
    std::string row = id_text(data.users, lists.users[l]) + ":";
    for (int64_t id : ids_of(data, lists.positives.row(l))) row += " " + std::to_string(id);
    row += " |";
    for (int64_t id : ids_of(data, lists.negatives.row(l))) row += " " + std::to_string(id);
    rows.push_back(row);
  }
  return rows;
}

Dataset load(const TempFolder& folder, const std::string& name, std::optional<std::string> key = std::nullopt) {
  DatasetOptions options;
  options.impression_key = std::move(key);
  return load_dataset(folder / name, options);
}

// protocol.json: files grouped by time and by impression id.
TEST(Impressions, AreTheReferencesLists) {
  const auto golden = golden_json("protocol.json").at("cases").at("rechorus_impression_reader");
  const TempFolder folder;
  for (const auto& [name, text] : golden.at("files").items()) folder.file(name, text.get<std::string>());
  for (const char* key : {"time", "impression_id"}) {
    SCOPED_TRACE(key);
    const Dataset data = load(folder, "", key);
    const auto& expected = golden.at(key);
    EXPECT_EQ(data.n_users() + 1, expected.at("n_users").get<int64_t>());  // the reference counts a row 0
    EXPECT_EQ(data.n_items() + 1, expected.at("n_items").get<int64_t>());
    for (const auto& [name, part] : {std::pair{"rows_train", Part::kTrain}, std::pair{"rows_dev", Part::kValid},
                                     std::pair{"rows_test", Part::kTest}}) {
      // The reference sorts lists by (user, key) and keeps the items of a side as a set.
      std::map<std::pair<int64_t, int64_t>, std::pair<Items, Items>> wanted, got;
      const auto sorted = [](Items items) {
        std::sort(items.begin(), items.end());
        return items;
      };
      for (const auto& row : expected.at(name))
        wanted[{row.at("user_id"), row.at("time")}] = {row.at("pos_items"), row.at("neg_items")};
      const ImpressionLists lists = impression_lists(data, part);
      for (int64_t l = 0; l < lists.n(); ++l)
        got[{data.users.int64_at(lists.users[l]), data.time[lists.first_row[l]]}] = {
            sorted(ids_of(data, lists.positives.row(l))), sorted(ids_of(data, lists.negatives.row(l)))};
      EXPECT_EQ(got, wanted) << name;
      EXPECT_EQ(lists.n(), static_cast<int64_t>(expected.at(name).size()));
    }
    // The reference's clicked set counts every row, whatever its label.
    const Csr clicked = distinct_rows(build_interactions(data, true, false, false, Labels::kAll).by_user);
    for (const auto& [user, items] : expected.at("train_clicked_set").items()) {
      Items got = ids_of(data, clicked.row(data.users.find(std::stoll(user))));
      std::sort(got.begin(), got.end());
      EXPECT_EQ(got, items.get<Items>()) << user;
    }
  }
}

constexpr const char* kShown =
    "user_id,item_id,time,label,impression_id\n"
    "1,10,5,1,a\n1,11,5,0,a\n2,10,5,0,b\n1,12,5,0,c\n1,11,5,0,a\n1,13,5,1,c\n2,14,6,1,b\n1,10,9,0,d\n";

TEST(Impressions, TellListsApartByTimeOrByAColumn) {
  const TempFolder folder;
  folder.file("a.csv", kShown);
  // By time user 1 has one list at 5; user 2 has one clicked list at 6 and one shown at 5, both one-sided.
  EXPECT_EQ(lists_of(load(folder, "a.csv", "time")), (Rows{"1: 10 13 | 11 12"}));
  const Rows by_id{"1: 10 | 11", "2: 14 | 10", "1: 13 | 12"};
  EXPECT_EQ(lists_of(load(folder, "a.csv")), by_id) << "the column comes first";
  EXPECT_EQ(lists_of(load(folder, "a.csv", "impression_id")), by_id);
  folder.file("b.csv", "user_id,item_id,label,impression_id\n1,10,1,a\n1,11,0,a\n");
  EXPECT_EQ(lists_of(load(folder, "b.csv")), (Rows{"1: 10 | 11"})) << "no time: the column it is";
  EXPECT_TRUE(load(folder, "a.csv", "").impression.empty());
}

TEST(Impressions, BeginWithTheirEarliestRow) {
  const TempFolder folder;
  folder.file(
      "a.csv",
      "user_id,item_id,time,label,impression_id\n1,10,20,0,a\n1,11,15,1,a\n1,12,15,0,a\n2,10,3,1,b\n2,11,3,0,b\n");
  EXPECT_EQ(impression_lists(load(folder, "a.csv", "impression_id"), Part::kTrain).first_row,
            (std::vector<int64_t>{1, 3}));
}

TEST(Impressions, RowsOfAnotherPartAreAnotherList) {
  const TempFolder folder;
  folder.file("train.csv", "user_id\titem_id\ttime\tlabel\n1\t10\t5\t1\n1\t11\t5\t0\n");
  folder.file("test.csv", "user_id\titem_id\ttime\tlabel\n1\t12\t5\t1\n1\t11\t5\t0\n");
  const Dataset data = load(folder, "");
  EXPECT_EQ(lists_of(data, Part::kTrain), (Rows{"1: 10 | 11"}));
  EXPECT_EQ(lists_of(data, Part::kTest), (Rows{"1: 12 | 11"}));
  EXPECT_EQ(std::vector<int32_t>(data.impression.begin(), data.impression.end()), (std::vector<int32_t>{0, 0, 1, 1}));
}

TEST(Labels, OnlyClickedRowsArePositives) {
  const TempFolder folder;
  folder.file("a.csv", kShown);
  const Dataset data = load(folder, "a.csv");
  EXPECT_TRUE(data.weight.empty()) << "a label is no weight";
  EXPECT_EQ(build_interactions(data, true, false, false).by_user.nnz(), 3);
  EXPECT_EQ(build_interactions(data, true, false, false, Labels::kAll).by_user.nnz(), 8);
  const auto json = nlohmann::json::parse(describe_dataset(data));
  EXPECT_EQ(json.at("label"), (nlohmann::json{{"n_positive", 3}, {"n_negative", 5}}));
  EXPECT_EQ(json.at("n_impressions"), 4);
  EXPECT_EQ(json.at("n_train"), 8);
}

TEST(Labels, AreKeptBySplitAndByWriting) {
  const TempFolder folder;
  folder.file("a.csv", kShown);
  const Dataset data = split_dataset(load(folder, "a.csv", "impression_id"), {});
  write_dataset(data, folder / "out");
  const Dataset back = load(folder, "out");
  std::multiset<std::string> before, after;
  for (const auto& [set, into] : {std::pair{&data, &before}, std::pair{&back, &after}})
    for (int64_t i = 0; i < set->n(); ++i) into->insert(cat(rows_of(*set)[i], " ", set->label[i]));
  EXPECT_EQ(before, after);
  EXPECT_EQ(lists_of(data), lists_of(back)) << "lists by their own ids, not by the time";
}

TEST(Labels, WithoutListsAreWrittenWithoutLists) {
  const TempFolder folder;
  folder.file("a.csv", kShown);
  write_dataset(load(folder, "a.csv", ""), folder / "out");
  EXPECT_TRUE(load(folder, "out").impression.empty());
  EXPECT_EQ(lists_of(load(folder, "out", "time")), lists_of(load(folder, "a.csv", "time"))) << "unless they are asked for";
  write_dataset(load(folder, "a.csv", "impression_id"), folder / "out");
  EXPECT_FALSE(load(folder, "out").impression.empty()) << "of the data set before";
}

TEST(Labels, OfTheCallersColumnsAreChecked) {
  const std::vector<int64_t> users{1, 1, 1}, items{7, 8, 9}, times{5, 5, 5}, lists{1, 2, 1};
  std::vector<float> labels{1, 0, 0};
  const rec_ids_t u{sizeof u, REC_ID_INT64, users.data(), nullptr, 0, nullptr, 3};
  const rec_ids_t v{sizeof v, REC_ID_INT64, items.data(), nullptr, 0, nullptr, 3};
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &u;
  columns.items = &v;
  columns.times = times.data();
  columns.n_times = std::ssize(times);
  columns.labels = labels.data();
  columns.n_labels = std::ssize(labels);
  EXPECT_EQ(lists_of(dataset_from_columns(columns)), (Rows{"1: 7 | 8 9"}));
  columns.impressions = lists.data();
  columns.n_impressions = std::ssize(lists);
  EXPECT_EQ(lists_of(dataset_from_columns(columns)), (Rows{"1: 7 | 9"}));
  labels[2] = 0.5f;
  const Error half = error_of([&] { dataset_from_columns(columns); });
  EXPECT_EQ(half.status, REC_INVALID_DATA);
  EXPECT_EQ(half.message, "labels: row 2: 0.5 is neither 0 nor 1");
  columns.labels = nullptr;
  EXPECT_EQ(error_of([&] { dataset_from_columns(columns); }).argument, "impressions");
}

TEST(Labels, RefusalsNameColumnFileAndLine) {
  struct Case {
    const char *name, *text, *key;
    int64_t line;
    const char* message;
  };
  for (const Case& row :
       {Case{"NeitherZeroNorOne", "user_id,item_id,label\n1,2,1\n1,3,5\n", nullptr, 3, "'5' is neither"},
        Case{"NoSuchKey", "user_id,item_id,label\n1,2,1\n", "page", 1, "no column 'page'"},
        Case{"KeyWithoutLabels", "user_id,item_id,time\n1,2,1\n", "time", 1, "no label column"}}) {
    SCOPED_TRACE(row.name);
    const TempFolder folder;
    folder.file("a.csv", row.text);
    const Error error = error_of(
        [&] { load(folder, "a.csv", row.key == nullptr ? std::nullopt : std::optional<std::string>(row.key)); });
    EXPECT_EQ(error.status, REC_INVALID_DATA);
    EXPECT_EQ(error.file, folder / "a.csv");
    EXPECT_EQ(error.line, row.line);
    EXPECT_NE(error.message.find(row.message), std::string::npos) << error.message;
  }
  const TempFolder folder;
  folder.file("a.csv", "user_id,item_id,label\n1,2,1\n1,3,0\n");
  const Dataset keyless = load(folder, "a.csv");
  EXPECT_EQ(error_of([&] { impression_lists(keyless, Part::kTrain); }).status, REC_INVALID_DATA);
}

}  // namespace
}  // namespace rec
