#include <cstring>
#include <nlohmann/json.hpp>

#include "core/data/describe.h"
#include "core/data/load.h"
#include "core/data/npy.h"
#include "core/data/split.h"
#include "core/training/trainer.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

std::string npy_header(const std::string& dictionary, int version = 1) {
  std::string out = "\x93NUMPY";
  out += {static_cast<char>(version), '\0', static_cast<char>(dictionary.size()), '\0'};
  if (version == 2) out += {'\0', '\0'};
  return out + dictionary;
}

template <class T>
std::string npy(const std::string& type, int64_t rows, int64_t columns, const std::vector<T>& values, int version = 1) {
  const std::string numbers(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return npy_header(cat("{'descr': '", type, "', 'fortran_order': False, 'shape': (", rows, ", ", columns, "), }   \n"),
                    version) +
         numbers;
}

std::vector<float> floats(const Buffer<float>& buffer) { return {buffer.begin(), buffer.end()}; }
std::vector<int32_t> ints(const Buffer<int32_t>& buffer) { return {buffer.begin(), buffer.end()}; }

TEST(Npy, ReadsBothVersionsAndEveryNumberType) {
  const TempFolder folder;
  const std::pair<const char*, std::string> files[] = {{"f4", npy<float>("<f4", 2, 3, {1, -2, 3, 4, 5, 6})},
                                                       {"f8", npy<double>("<f8", 2, 3, {1, -2, 3, 4, 5, 6}, 2)},
                                                       {"i4", npy<int32_t>("<i4", 2, 3, {1, -2, 3, 4, 5, 6}, 2)},
                                                       {"i8", npy<int64_t>("<i8", 2, 3, {1, -2, 3, 4, 5, 6})}};
  for (const auto& [name, bytes] : files) {
    SCOPED_TRACE(name);
    MemoryBudget budget;
    const NpyMatrix<float> matrix = read_npy_floats(folder.file(name, bytes), budget);
    EXPECT_EQ(matrix.rows, 2);
    EXPECT_EQ(matrix.columns, 3);
    EXPECT_EQ(floats(matrix.values), (std::vector<float>{1, -2, 3, 4, 5, 6}));
    if (name[0] != 'i') continue;
    const NpyMatrix<int64_t> integers = read_npy_integers(folder / name, budget);
    EXPECT_EQ(integers.values[1], -2);
    EXPECT_EQ(integers.values[5], 6);
  }
}

TEST(Npy, RefusesWhatIsNoMatrixNamingTheFileAndWhatWasExpected) {
  const TempFolder folder;
  const std::string good = npy<float>("<f4", 2, 2, {1, 2, 3, 4});
  const auto dictionary = [](const std::string& text) { return npy_header(text) + std::string(16, '\0'); };
  struct Case {
    const char* name;
    std::string bytes;
    std::string says;
  };
  const Case cases[] = {
      {"empty", "", "begins with"},
      {"other", "PK\x03\x04 a zip file", "begins with"},
      {"short", good.substr(0, 9), "ends in its header"},
      {"cut_header", good.substr(0, 40), "ends in its header"},
      {"cut_numbers", good.substr(0, good.size() - 1), "expected 16 bytes of 2 x 2 <f4 after the header, got 15"},
      {"too_long", good + "x", "got 17"},
      {"version3", npy<float>("<f4", 1, 1, {1}, 3), "version 1 or 2, got 3"},
      {"big_endian", npy<float>(">f4", 2, 2, {1, 2, 3, 4}), "'>f4'"},
      {"half", npy<int16_t>("<f2", 1, 1, {0}), "<f4, <f8"},
      {"nan", npy<float>("<f4", 2, 2, {1, 2, std::nanf(""), 4}), "row 1, column 0"},
      {"too_large", npy<double>("<f8", 1, 1, {1e39}), "finite float"},
      {"no_rows", npy<float>("<f4", 0, 3, {}), "0 x 3"},
      {"huge", npy<float>("<f4", INT64_MAX, 3, {}), ""},
      {"overflow", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4)}"), "sound"},
      {"fortran", dictionary("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}"), "C order"},
      {"vector", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}"), "two dimensions, got 1"},
      {"cube", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}"), "two dimensions, got 3"},
      {"no_shape", dictionary("{'descr': '<f4', 'fortran_order': False}"), "sound"},
      {"other_key", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}"), "sound"},
      {"open", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2"), "sound"},
      {"fields", dictionary("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2)}"), "sound"}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    const std::string path = folder.file(row.name, row.bytes);
    MemoryBudget budget;
    const Error error = error_of([&] { read_npy_floats(path, budget); });
    EXPECT_TRUE(error.status == REC_INVALID_DATA || error.status == REC_LIMIT) << error.message;
    if (row.says.empty()) continue;
    EXPECT_EQ(error.file, path);
    EXPECT_NE(error.message.find(path), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(row.says), std::string::npos) << error.message;
  }
  MemoryBudget budget;
  EXPECT_NE(error_of([&] { read_npy_integers(folder.file("g", good), budget); }).message.find("<i4 or <i8"),
            std::string::npos);
}

// Three queries, one without an id, and three items.
void write_two_tower(const TempFolder& folder) {
  folder.file("q_feats.npy", npy<float>("<f4", 3, 2, {10, 11, 20, 21, 30, 31}));
  folder.file("i_feats.npy", npy<double>("<f8", 3, 1, {1, 2, 3}));
  folder.file("q_idmap.csv", "idx,user\n2,u2\n0,u0\n");
  folder.file("i_idmap.csv", "item,row\na,1\nb,2\nc,0\n");
  folder.file("interactions.csv", "query_id,item_id,rating\nu2,b,4\nu9,b,4\nu2,zz,4\nu0,a,5\n");
  folder.file("q_side_cat.npy", npy<int64_t>("<i8", 3, 2, {0, 4, 9, 9, 1, 2}));
  folder.file("item_adj.npy", npy<float>("<f4", 3, 3, {1, 0, 1, 0, 0, 0, 0, 0.5f, 0}));
}

TEST(TwoTowerFolder, GivesFeaturesCategoriesNeighboursAndRowsOfKnownIds) {
  const TempFolder folder;
  write_two_tower(folder);
  const Dataset data = load_dataset(folder.path());
  EXPECT_EQ(data.format, "two_tower");
  EXPECT_EQ(rows_of(data), (Rows{"u2 b *4", "u0 a *5"}));
  EXPECT_EQ(data.n_skipped, 2);
  ASSERT_EQ(data.n_users(), 2);  // in the order of the matrices: u0, u2
  ASSERT_EQ(data.n_items(), 3);  // c, a, b; c has no interaction
  EXPECT_EQ(id_text(data.items, 0), "c");
  ASSERT_EQ(data.user_features.size(), 3u);
  EXPECT_EQ(data.user_features[0].name, "feats");
  EXPECT_EQ(data.user_features[0].width, 2);
  EXPECT_EQ(floats(data.user_features[0].dense), (std::vector<float>{10, 11, 30, 31}));
  EXPECT_EQ(data.user_features[1].kind, FeatureKind::kCategorical);
  EXPECT_EQ(data.user_features[1].vocabulary, 2);
  EXPECT_EQ(ints(data.user_features[1].values), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(ints(data.user_features[2].values), (std::vector<int32_t>{4, 2}));
  ASSERT_EQ(data.item_features.size(), 1u);
  EXPECT_EQ(floats(data.item_features[0].dense), (std::vector<float>{1, 2, 3}));
  ASSERT_EQ(data.relations.size(), 1u);  // cells (0, 2) and (2, 1), both ways; (0, 0) is not a neighbour
  EXPECT_EQ(data.relations[0].name, "item_adj");
  EXPECT_EQ(ints(data.relations[0].items.columns), (std::vector<int32_t>{2, 2, 0, 1}));
}

TEST(TwoTowerFolder, RefusesFilesThatDoNotFitEachOther) {
  struct Case {
    const char* name;
    std::string content, says;
  };
  const Case cases[] = {
      {"q_idmap.csv", "idx,user\n3,u2\n", "within 0 .. 2"},
      {"q_idmap.csv", "idx,user\n0,u2\n0,u3\n", "row 0 occurs twice"},
      {"i_idmap.csv", "item,row\na,1\na,2\n", "'a' occurs twice"},
      {"i_idmap.csv", "item\na\n", "two columns"},
      {"i_idmap.csv", "item,\"row\na,1\n", "i_idmap.csv:1: a quoted cell"},
      {"interactions.csv", "query,item,rating,Rating\nu1,a,1,2\n", "interactions.csv:1: columns 'rating'"},
      {"q_side_cat.npy", npy<int32_t>("<i4", 2, 1, {0, 1}), "expected 3 rows as in q_feats.npy, got 2"},
      {"q_side_cat.npy", npy<int32_t>("<i4", 3, 1, {0, 1, -1}), "got -1"},
      {"q_side_cat.npy", npy<float>("<f4", 3, 1, {0, 1, 1}), "<i4 or <i8"},
      {"item_adj.npy", npy<float>("<f4", 3, 2, {0, 1, 1, 0, 0, 0}), "as many columns"},
      {"i_feats.npy", "x", "begins with"}};
  for (const Case& row : cases) {
    SCOPED_TRACE(cat(row.name, " ", row.says));
    const TempFolder folder;
    write_two_tower(folder);
    folder.file(row.name, row.content);
    const Error error = error_of([&] { load_dataset(folder.path()); });
    EXPECT_EQ(error.status, REC_INVALID_DATA) << error.message;
    EXPECT_EQ(error.file, folder / row.name);
    EXPECT_NE(error.message.find(row.says), std::string::npos) << error.message;
  }
}

TEST(TwoTowerFolder, IsDescribedWithTheNamesOfWhatItHas) {
  const TempFolder folder;
  write_two_tower(folder);
  const auto about = nlohmann::json::parse(describe_dataset(load_dataset(folder.path())));
  EXPECT_EQ(about.at("user_features").dump(), R"(["feats","side_cat.0","side_cat.1"])");
  EXPECT_EQ(about.at("item_features").dump(), R"(["feats"])");
  EXPECT_EQ(about.at("relations").dump(), R"(["item_adj"])");
}

TEST(TwoTowerFolder, NeedsItsFiles) {
  for (const char* name : {"q_feats.npy", "i_feats.npy", "i_idmap.csv"}) {
    const TempFolder folder;
    write_two_tower(folder);
    std::filesystem::remove(folder / name);
    const Error error = error_of([&] { load_dataset(folder.path()); });
    EXPECT_EQ(error.status, REC_NOT_FOUND);
    EXPECT_EQ(error.file, folder / name);
  }
}

TEST(ReChorusMeta, GivesDenseAndCategoricalFeatures) {
  const TempFolder folder;
  folder.file("train.csv", "user_id\titem_id\ttime\n1\t10\t5\n2\t12\t5\n");
  folder.file("dev.csv", "user_id\titem_id\ttime\n1\t12\t6\n");
  folder.file("item_meta.csv", "i_kind\ti_year_f\titem_id\ti_maker_c\n3\t0.5\t12\t1\n7\t9\t99\t9\n");
  folder.file("user_meta.csv", "user_id\tu_age_f\tu_sex_c\n1\t-1.5\t2\n");
  const Dataset data = load_dataset(folder.path());
  ASSERT_EQ(data.item_features.size(), 3u);
  EXPECT_EQ(data.item_features[0].name, "i_kind");
  EXPECT_EQ(data.item_features[0].vocabulary, 4);
  EXPECT_EQ(ints(data.item_features[0].values), (std::vector<int32_t>{0, 3}));
  EXPECT_EQ(floats(data.item_features[1].dense), (std::vector<float>{0, 0.5f}));
  EXPECT_EQ(ints(data.item_features[2].values), (std::vector<int32_t>{0, 1}));
  ASSERT_EQ(data.user_features.size(), 2u);
  EXPECT_EQ(floats(data.user_features[0].dense), (std::vector<float>{-1.5f, 0}));
  EXPECT_EQ(ints(data.user_features[1].values), (std::vector<int32_t>{2, 0}));

  folder.file("user_meta.csv", "user_id\tu_sex_c\n1\tf\n");
  const Error error = error_of([&] { load_dataset(folder.path()); });
  EXPECT_EQ(error.argument, "u_sex_c");
  EXPECT_EQ(error.line, 2);
  folder.file("user_meta.csv", "user_id\tu_sex_c\n1\n");
  EXPECT_NE(error_of([&] { load_dataset(folder.path()); }).message.find("1 columns, expected 2"), std::string::npos);
}

TEST(Features, AreCopiedBySplitsAndCountInTheHash) {
  const TempFolder folder;
  write_two_tower(folder);
  const Dataset data = load_dataset(folder.path());
  SplitOptions options;
  options.kind = REC_SPLIT_LEAVE_ONE_OUT;
  const Dataset split = split_dataset(data, options);
  ASSERT_EQ(split.user_features.size(), 3u);
  EXPECT_EQ(split.user_features[2].vocabulary, data.user_features[2].vocabulary);
  EXPECT_EQ(floats(split.item_features[0].dense), floats(data.item_features[0].dense));
  EXPECT_EQ(dataset_hash(split_dataset(data, options)), dataset_hash(split));
  folder.file("i_feats.npy", npy<double>("<f8", 3, 1, {1, 2, 4}));
  EXPECT_NE(dataset_hash(load_dataset(folder.path())), dataset_hash(data));
}

}  // namespace
}  // namespace rec
