#include "core/worker/archive.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/data/load.h"
#include "core/training/trainer.h"
#include "core/worker/channel.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

TEST(Archive, GivesADataSetBackWithEverythingInIt) {
  const TempFolder folder;
  folder.file("train.csv", "user_id\titem_id\ttime\tlabel\n1\t10\t5\t1\n1\t12\t5\t0\n2\t12\t5\t1\n");
  folder.file("dev.csv", "user_id\titem_id\ttime\tlabel\n1\t12\t6\t1\n");
  folder.file("item_meta.csv", "i_kind\ti_year_f\titem_id\tr_also\n3\t0.5\t12\t[10]\n7\t9\t10\t[]\n");
  folder.file("user_meta.csv", "user_id\tu_age_f\tu_sex_c\n1\t-1.5\t2\n");
  const auto data = std::make_shared<const Dataset>(load_dataset(folder.path()));
  ASSERT_FALSE(data->user_features.empty() || data->relations.empty() || data->label.empty());
  ASSERT_FALSE(data->item_features.empty());
  const std::shared_ptr<const Dataset> back = shared_dataset(share_dataset(*data));
  EXPECT_EQ(dataset_hash(*back), dataset_hash(*data));
  EXPECT_TRUE(back->users.same_ids(data->users));
  EXPECT_TRUE(back->items.same_ids(data->items));
  const auto same = [](const auto& a, const auto& b) { return std::ranges::equal(a.span(), b.span()); };
  EXPECT_TRUE(same(back->user, data->user) && same(back->item, data->item) && same(back->part, data->part));
  EXPECT_TRUE(same(back->time, data->time) && same(back->weight, data->weight));
  EXPECT_TRUE(same(back->label, data->label) && same(back->impression, data->impression));
  EXPECT_TRUE(same(back->title_offsets, data->title_offsets) && same(back->title_bytes, data->title_bytes));
  ASSERT_EQ(back->item_features.size(), data->item_features.size());
  for (size_t f = 0; f < data->item_features.size(); ++f) {
    const Feature &given = data->item_features[f], &got = back->item_features[f];
    EXPECT_EQ(got.name, given.name);
    EXPECT_EQ(got.kind, given.kind);
    EXPECT_EQ(got.width, given.width);
    EXPECT_EQ(got.vocabulary, given.vocabulary);
    EXPECT_TRUE(same(got.dense, given.dense) && same(got.values, given.values));
    if (!got.dense.empty()) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(got.dense.data()) % 64, 0u);
    }
  }
  EXPECT_EQ(back->format, data->format);
  EXPECT_EQ(back->source, data->source);
}

TEST(Archive, KeepsRelationsAndCandidates) {
  Dataset data;
  data.users = IdMap::from_int64(Buffer<int64_t>(1, 5));
  data.items = IdMap::from_int64(Buffer<int64_t>(1, -7));
  data.user = Buffer<int32_t>(1, 0);
  data.item = Buffer<int32_t>(1, 0);
  data.part = Buffer<Part>(1, Part::kTest);
  data.candidate_offsets = Buffer<int64_t>(2, 1);
  data.candidates = Buffer<int32_t>(1, 0);
  data.relations.push_back({std::string("r\0\xff", 3), {Buffer<int64_t>(2, 1), Buffer<int32_t>(1, 0)}});
  data.n_skipped = 9;
  const auto back = shared_dataset(share_dataset(data));
  EXPECT_EQ(back->relations.at(0).name, data.relations[0].name);
  EXPECT_EQ(back->relations[0].items.columns[0], 0);
  EXPECT_EQ(back->candidate_offsets[1], 1);
  EXPECT_EQ(back->candidates.size(), 1);
  EXPECT_EQ(back->n_skipped, 9);
  EXPECT_TRUE(back->time.empty() && back->label.empty());
}

TEST(Archive, GivesAReportBackBitForBit) {
  Report report{{"ndcg@20", "auc"}, {0.25, 1.0 / 3}, {0.5, 0.125}, {0.1, std::nan(""), 0.3, 0.4}, {7, -1}, {3, 9}};
  report.set_lists(std::vector<RankedList>{{{4, 2}, {0.5, -1}, {1, 0}}, {}});
  const auto back = shared_report(share_report(report), report.names, {8, 5, 10, 2});
  EXPECT_EQ(back->interactions, report.interactions);
  EXPECT_EQ(back->list_offsets, (std::vector<int64_t>{0, 2, 2}));
  EXPECT_EQ(back->list_items, (std::vector<int64_t>{4, 2}));
  EXPECT_EQ(back->list_scores, (std::vector<float>{0.5, -1}));
  EXPECT_EQ(back->list_relevant, (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(back->names, report.names);
  EXPECT_EQ(back->means, report.means);
  EXPECT_EQ(back->standard_errors, report.standard_errors);
  EXPECT_EQ(back->users, report.users);
  EXPECT_EQ(std::memcmp(back->values.data(), report.values.data(), 4 * sizeof(double)), 0);
}

template <class Body>
Error error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(REC_OK, "no error");
}

// A report of one row with these lists.
Report with_lists(const std::vector<int64_t>& offsets, const std::vector<int64_t>& items) {
  Report report{{"auc"}, {0.25}, {0.5}, {0.1}, {7}, {0}};
  report.list_offsets = offsets;
  report.list_items = items;
  report.list_scores.resize(items.size());
  report.list_relevant.resize(items.size());
  return report;
}

TEST(Archive, ThatLiesIsRefused) {
  const auto file_of = [](const std::vector<int64_t>& numbers) {
    return MemoryFile::write("test", [&](FileWriter& out) { out.write(numbers.data(), std::ssize(numbers) * 8); });
  };
  const struct {
    const char* name;
    MemoryFile file;
  } cases[] = {
      {"fewer means than names", share_report(Report{{"auc"}, {}, {0.5}, {0.1}, {7}, {0}})},
      {"fewer standard errors than names", share_report(Report{{"auc"}, {0.25}, {}, {0.1}, {7}, {0}})},
      {"another metric", share_report(Report{{"ndcg@20"}, {0.25}, {0.5}, {0.1}, {7}, {0}})},
      {"one more metric", share_report(Report{{"auc", "ndcg@20"}, {0.25, 0.5}, {0.5, 0.5}, {0.1, 0.2}, {7}, {0}})},
      {"a user beyond the data set", share_report(Report{{"auc"}, {0.25}, {0.5}, {0.1}, {8}, {0}})},
      {"a user below none", share_report(Report{{"auc"}, {0.25}, {0.5}, {0.1}, {-2}, {0}})},
      {"fewer values than rows", share_report(Report{{"auc"}, {0.25}, {0.5}, {}, {7}, {0}})},
      {"a row beyond the data set", share_report(Report{{"auc"}, {0.25}, {0.5}, {0.1}, {7}, {10}})},
      {"no row of the data set", share_report(Report{{"auc"}, {0.25}, {0.5}, {0.1}, {7}, {}})},
      {"lists that nobody asked for", share_report(with_lists({0, 0}, {}))},
      {"more names than bytes", file_of({int64_t{1} << 40})},
      {"as many names as bytes", file_of(std::vector<int64_t>(1 << 20, 1 << 20))},
      {"a negative count", file_of({0, -1})},
      {"nothing", file_of({})},
  };
  for (const auto& row : cases)
    EXPECT_EQ(error_of([&] { shared_report(row.file, {"auc"}, {8, 5, 10, 0}); }).status, REC_PLUGIN_FAILED) << row.name;
  const std::pair<const char*, Report> lists[] = {{"none", with_lists({}, {})},
                                                  {"a longer one", with_lists({0, 3}, {1, 2, 3})},
                                                  {"an item beyond the model", with_lists({0, 1}, {5})},
                                                  {"a negative item", with_lists({0, 1}, {-1})},
                                                  {"too few offsets", with_lists({0}, {})},
                                                  {"an end before the items'", with_lists({0, 1}, {1, 2})},
                                                  {"a late begin", with_lists({1, 2}, {1, 2})},
                                                  {"a negative length", with_lists({0, -1}, {})},
                                                  {"the least begin", with_lists({INT64_MIN, 1}, {1})}};
  for (const auto& [name, report] : lists)
    EXPECT_EQ(error_of([&] { shared_report(share_report(report), {"auc"}, {8, 5, 10, 2}); }).status, REC_PLUGIN_FAILED)
        << name;
  EXPECT_EQ(error_of([&] { shared_report(share_report(with_lists({0, 2}, {1, 2})), {"auc"}, {8, 5, 10, 2}); }).status,
            REC_OK);
}

// What another process sends is not believed.
TEST(Channel, RefusesWhatIsNoMessage) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  Channel here((Descriptor(ends[0])));
  const Descriptor there(ends[1]);
  const auto repeated = [](int n, const std::string& text) {
    std::string out;
    while (--n >= 0) out += text;
    return out;
  };
  const std::string cases[] = {"\x91",                         // a list without its element
                               repeated(60'000, "\x91"),       // lists in lists
                               repeated(20'000, "\x81\xa1k"),  // objects in objects
                               "\xdb\x7f\xff\xff\xff",         // a text without its bytes
                               std::string("\xde\x00\x41", 3) + repeated(65, "\xa1k\xc0"),  // too many keys
                               "\xc1",
                               "\x01\x01"};
  for (const std::string& bytes : cases) {
    ASSERT_GT(::send(there.get(), bytes.data(), bytes.size(), 0), 0);
    EXPECT_EQ(error_of([&] { here.receive(); }).status, REC_CORRUPT_DATA) << bytes.substr(0, 4);
  }
  const Json error{{"status", 6}, {"message", "m"}, {"argument", ""}, {"file", ""}, {"line", -1}, {"byte_offset", -1}};
  Json no_failure = error, no_status = error;
  no_failure["status"] = 0;
  no_status.erase("status");
  TrainingEvent event;
  event.metric_names = {"ndcg@20", "auc"};
  event.metric_values = {0.5};
  const struct {
    const char* field;
    Json value;
    rec_status_t status;
  } bodies[] = {
      {"error", error, REC_CORRUPT_DATA},      {"error", no_failure, REC_PLUGIN_FAILED},
      {"error", no_status, REC_PLUGIN_FAILED}, {"error", 3, REC_PLUGIN_FAILED},
      {"event", event, REC_PLUGIN_FAILED},     {"event", nullptr, REC_PLUGIN_FAILED},
      {"log", "no level", REC_PLUGIN_FAILED},  {"lost_lines", "many", REC_PLUGIN_FAILED},
      {"lost_lines", -1, REC_PLUGIN_FAILED},   {"lost_lines", INT64_MAX, REC_PLUGIN_FAILED},
  };
  for (const auto& row : bodies) {
    const Json body{{row.field, row.value}};
    EXPECT_EQ(error_of([&] { take_interim(body, {}); }).status, row.status) << body;
  }
  Json escapes = error;
  escapes["message"] = "\x1b[31m\n";
  EXPECT_EQ(error_of([&] { take_interim({{"error", escapes}}, {}); }).message, " [31m ");
  EXPECT_FALSE(take_interim(Json(7), {}));
}

TEST(Channel, CarriesABodyOfAnySizeAndItsFiles) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  Channel here((Descriptor(ends[0]))), there((Descriptor(ends[1])));
  const MemoryFile first = MemoryFile::write("test", [](FileWriter& out) { out.write("first"); });
  const MemoryFile second = MemoryFile::write("test", [](FileWriter& out) { out.write("second"); });
  for (const size_t size : {size_t{1}, size_t{65'500}, size_t{65'536}, size_t{3} << 20}) {
    const Json body{{"log", std::string(size, 'x') + '\xff'}, {"loss", 0.5}};
    ASSERT_TRUE(here.send(body));
    const auto alone = there.receive();
    ASSERT_TRUE(alone && alone->files.empty()) << size;
    EXPECT_TRUE(alone->body == body) << size;
    ASSERT_TRUE(here.send(body, {&first, &second}));
    const auto with_files = there.receive();
    ASSERT_TRUE(with_files && with_files->files.size() == 2) << size;
    EXPECT_TRUE(with_files->body == body) << size;
    const auto bytes = with_files->files[1].map();
    EXPECT_EQ(std::string(bytes->data(), bytes->size()), "second");
  }
  here.close();
  EXPECT_FALSE(there.receive());
  EXPECT_FALSE(there.send({{"log", "nobody"}}));
}

TEST(MemoryFile, IsSealedSoThatItsPagesCannotGo) {
  const MemoryFile file = MemoryFile::write("test", [](FileWriter& out) { out.write("abcd"); });
  EXPECT_NE(::ftruncate(file.descriptor(), 1), 0);
  EXPECT_EQ(::pwrite(file.descriptor(), "x", 1, 0), -1);
  const auto pages = file.map();
  (*pages)[0] = 'z';  // changes only this mapping
  EXPECT_EQ((*file.map())[0], 'a');
}

TEST(MemoryFile, RefusesAFileThatAnotherProcessCouldShrink) {
  Descriptor open(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_THROW(MemoryFile(std::move(open)), Error);
}

}  // namespace
}  // namespace rec
