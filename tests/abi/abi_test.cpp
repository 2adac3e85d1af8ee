// Older and newer clients: shorter structs, longer structs, numbers that must not change.
#include <cstring>
#include <functional>

#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {
namespace {

Handle<rec_dataset_t> small_world() { return dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12}); }

TEST(OldClient, MayHaveShorterStructs) {
  // A client from the time when rec_columns_t ended with times.
  struct OldColumns {
    uint32_t struct_size;
    int32_t reserved;
    const rec_ids_t* users;
    const rec_ids_t* items;
    const int64_t* times;
    int64_t n_times;
    uint64_t not_ours;
  } columns{};
  const std::vector<int64_t> users{1, 2}, items{5, 6};
  const rec_ids_t user_ids = int64_ids(users), item_ids = int64_ids(items);
  rec_columns_init(reinterpret_cast<rec_columns_t*>(&columns), offsetof(OldColumns, not_ours), nullptr);
  columns.not_ours = 0xdeadbeefdeadbeef;
  columns.users = &user_ids;
  columns.items = &item_ids;
  const auto data = make<rec_dataset_t>([&](rec_dataset_t** out, rec_error_t** error) {
    return rec_dataset_create_from_columns(reinterpret_cast<const rec_columns_t*>(&columns), nullptr, out, error);
  });
  EXPECT_NE(data, nullptr);
  EXPECT_EQ(columns.not_ours, 0xdeadbeefdeadbeef) << "_init wrote past the caller's struct";
}

// A struct shorter than this library's is read as if the rest were zero; nothing past its end is touched.
template <class Struct>
struct Shorter {
  explicit Shorter(const Struct& whole, size_t size) : bytes(sizeof(Struct), '\xee') {
    std::memcpy(bytes.data(), &whole, size);
    reinterpret_cast<Struct*>(bytes.data())->struct_size = static_cast<uint32_t>(size);
  }
  Struct* get() { return reinterpret_cast<Struct*>(bytes.data()); }
  std::string bytes;
};

TEST(OldClient, MayHaveShorterInputsEverywhere) {
  const auto data = small_world();
  const auto model = train(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 1})");
  const auto r = recommender(model.get());
  const std::vector<int64_t> user{1};
  const rec_ids_t users = int64_ids(user);
  Shorter<rec_request_t> request({sizeof(rec_request_t), 0, 2, &users}, offsetof(rec_request_t, history_items));
  std::vector<int64_t> rows(2);
  Shorter<rec_output_t> output({sizeof(rec_output_t), 0, rows.data(), 2}, offsetof(rec_output_t, scores));
  call([&](rec_error_t** e) { return rec_recommender_top_k(r.get(), request.get(), output.get(), e); });
  EXPECT_EQ(rows, top_k(r.get(), user, 2).rows);

  Shorter<rec_run_options_t> run({sizeof(rec_run_options_t), 1}, offsetof(rec_run_options_t, cancel));
  Shorter<rec_protocol_t> protocol({sizeof(rec_protocol_t), REC_PART_TEST}, offsetof(rec_protocol_t, rows));
  Shorter<rec_trainer_options_t> options({sizeof(rec_trainer_options_t), 0},
                                         offsetof(rec_trainer_options_t, checkpoint_path));
  Shorter<rec_split_options_t> split({sizeof(rec_split_options_t), REC_SPLIT_LEAVE_ONE_OUT},
                                     offsetof(rec_split_options_t, train_ratio));
  const auto parts = make<rec_dataset_t>(
      [&](rec_dataset_t** out, rec_error_t** e) { return rec_dataset_split(data.get(), split.get(), run.get(), out, e); });
  const auto t = make<rec_trainer_t>([&](rec_trainer_t** out, rec_error_t** e) {
    return rec_trainer_create(parts.get(), "popularity", nullptr, options.get(), run.get(), out, e);
  });
  call([&](rec_error_t** e) { return rec_trainer_run(t.get(), run.get(), e); });
  const auto popular = model_of(t.get());
  make<rec_report_t>([&](rec_report_t** out, rec_error_t** e) {
    return rec_model_evaluate(popular.get(), parts.get(), "hit@2", protocol.get(), run.get(), out, e);
  });

  // The library's answers are cut off where the caller's struct ends.
  Shorter<rec_ids_t> ids({}, offsetof(rec_ids_t, bytes));
  rec_text_t* owner = nullptr;
  ASSERT_EQ(rec_model_item_ids(model.get(), rows.data(), 1, ids.get(), &owner, nullptr), REC_OK);
  EXPECT_NE(ids.get()->i64, nullptr);
  EXPECT_EQ(ids.bytes.substr(offsetof(rec_ids_t, bytes)).find_first_not_of('\xee'), std::string::npos);
  rec_text_destroy(owner);
}

TEST(NewClient, IsToldOfAFieldThatThisLibraryDoesNotKnow) {
  struct NewOptions {
    rec_recommender_options_t known;
    int64_t field_of_tomorrow;
  } options{};
  const auto model = train(small_world().get(), "popularity", "{}");
  rec_recommender_options_init(&options.known, sizeof options, nullptr);
  rec_recommender_t* out = nullptr;
  EXPECT_EQ(rec_recommender_create(model.get(), &options.known, &out, nullptr), REC_OK) << "zero means default";
  rec_recommender_destroy(out);
  options.field_of_tomorrow = 1;
  EXPECT_EQ(rec_recommender_create(model.get(), &options.known, &out, nullptr), REC_UNSUPPORTED);
  EXPECT_EQ(out, nullptr);
}

TEST(Structs, WithoutInitAreRefused) {
  const auto model = train(small_world().get(), "popularity", "{}");
  rec_recommender_options_t options;
  std::memset(&options, 0, sizeof options);
  rec_recommender_t* out = nullptr;
  EXPECT_EQ(rec_recommender_create(model.get(), &options, &out, nullptr), REC_INVALID_ARGUMENT);
}

TEST(StatusCodes, KeepTheirNumbersAndNames) {
  const std::pair<rec_status_t, const char*> codes[] = {{0, "OK"},
                                                        {1, "INVALID_ARGUMENT"},
                                                        {2, "NOT_FOUND"},
                                                        {3, "UNSUPPORTED"},
                                                        {4, "BAD_STATE"},
                                                        {5, "IO"},
                                                        {6, "CORRUPT_DATA"},
                                                        {7, "INVALID_DATA"},
                                                        {8, "OUT_OF_MEMORY"},
                                                        {9, "LIMIT"},
                                                        {10, "NUMERIC"},
                                                        {11, "DEVICE"},
                                                        {12, "BUSY"},
                                                        {13, "DENIED"},
                                                        {14, "ABI_MISMATCH"},
                                                        {15, "PLUGIN_FAILED"},
                                                        {16, "CANCELLED"},
                                                        {17, "INTERNAL"},
                                                        {18, "UNKNOWN"},
                                                        {-1, "UNKNOWN"}};
  for (const auto& [code, name] : codes) EXPECT_STREQ(rec_status_name(code), name);
  EXPECT_EQ(rec_api_version(), REC_API_VERSION_MAJOR * 1000 + REC_API_VERSION_MINOR);
}

// Null, zero, negative, too many: each gives a code and a message that names the argument, also in release builds.
TEST(Arguments, AreNamedWhenTheyAreBad) {
  const auto data = small_world();
  const auto model = train(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 1})");
  const auto r = recommender(model.get());
  const std::vector<int64_t> user{1};
  const rec_ids_t users = int64_ids(user);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.users = &users;
  request.k = 2;
  std::vector<int64_t> rows(8);
  const auto top = [&](const rec_request_t* given, int64_t* out, rec_error_t** error) {
    const rec_output_t output{sizeof output, 0, out, 8, nullptr, 0, nullptr, 0};
    return rec_recommender_top_k(r.get(), given, &output, error);
  };
  const auto expect = [&](const char* argument, rec_status_t status, const auto& body) {
    SCOPED_TRACE(argument);
    rec_error_t* error = nullptr;
    EXPECT_EQ(body(&error), status);
    const Handle<rec_error_t> owner(error);
    ASSERT_NE(error, nullptr);
    EXPECT_STREQ(rec_error_argument(error), argument) << rec_error_message(error);
    EXPECT_NE(std::string(rec_error_message(error)).find(argument), std::string::npos) << rec_error_message(error);
  };
  expect("request", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(nullptr, rows.data(), e); });
  expect("rows", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, nullptr, e); });
  for (int64_t k : {int64_t{0}, int64_t{-1}, int64_t{1001}, INT64_MAX}) {
    request.k = k;
    expect("k", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, rows.data(), e); });
  }
  request.k = 2;
  request.users = nullptr;
  expect("users", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, rows.data(), e); });
  rec_ids_t bad = users;
  request.users = &bad;
  bad.n = -1;
  expect("users", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, rows.data(), e); });
  bad = users;
  bad.type = 9;
  expect("users", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, rows.data(), e); });
  bad = users;
  bad.type = REC_ID_ROW;
  const std::vector<int64_t> far{3};
  bad.i64 = far.data();
  expect("users", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, rows.data(), e); });
  request.users = &users;
  const uint8_t bits = 0xff;
  request.allow_bits = &bits;
  expect("allow_bits", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, rows.data(), e); });
  request.allow_bits = nullptr;
  // Every wrong count is named.
  const std::vector<int64_t> item{5}, offsets{0, 1}, times{7};
  const rec_ids_t items = int64_ids(item);
  rec_request_t whole = request;
  whole.history_items = whole.candidates = &items;
  whole.history_offsets = whole.candidate_offsets = offsets.data();
  whole.n_history_offsets = whole.n_candidate_offsets = 2;
  whole.history_times = whole.request_times = times.data();
  whole.n_history_times = whole.n_request_times = 1;
  EXPECT_EQ(top(&whole, rows.data(), nullptr), REC_OK);
  const std::pair<const char*, int64_t rec_request_t::*> counts[] = {
      {"history_offsets", &rec_request_t::n_history_offsets},
      {"history_times", &rec_request_t::n_history_times},
      {"request_times", &rec_request_t::n_request_times},
      {"candidate_offsets", &rec_request_t::n_candidate_offsets}};
  for (const auto& [name, count] : counts)
    for (const int64_t other : {whole.*count - 1, whole.*count + 1, int64_t{-1}, INT64_MAX}) {
      rec_request_t wrong = whole;
      wrong.*count = other;
      expect(name, REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&wrong, rows.data(), e); });
    }
  std::vector<float> scores(2);
  std::vector<rec_status_t> status(1);
  const rec_output_t room{sizeof room, 0, rows.data(), 2, scores.data(), 2, status.data(), 1};
  EXPECT_EQ(rec_recommender_top_k(r.get(), &request, &room, nullptr), REC_OK);
  const std::pair<const char*, int64_t rec_output_t::*> rooms[] = {
      {"rows", &rec_output_t::n_rows}, {"scores", &rec_output_t::n_scores}, {"status", &rec_output_t::n_status}};
  for (const auto& [name, count] : rooms) {
    rec_output_t less = room;
    --(less.*count);
    expect(name, REC_INVALID_ARGUMENT,
           [&](rec_error_t** e) { return rec_recommender_top_k(r.get(), &request, &less, e); });
    expect(name, REC_INVALID_ARGUMENT,
           [&](rec_error_t** e) { return rec_recommender_similar_items(r.get(), &items, 2, nullptr, 0, nullptr, 0, &less, e); });
    if (count == &rec_output_t::n_rows) continue;
    less.*count = 0;
    expect(name, REC_INVALID_ARGUMENT,
           [&](rec_error_t** e) { return rec_recommender_score(r.get(), &whole, &less, e); });
  }
  int64_t found = 0;
  expect("out_rows", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_model_item_rows(model.get(), &items, &found, 0, e); });
  const char text[] = "ab";
  const std::vector<int64_t> text_offsets{0, 3};
  const rec_ids_t beyond{sizeof beyond, REC_ID_BYTES, nullptr, text, 2, text_offsets.data(), 1};
  expect("ids", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_model_item_rows(model.get(), &beyond, &found, 1, e); });
  rec_trainer_t* t = nullptr;
  expect("model", REC_NOT_FOUND,
         [&](rec_error_t** e) { return rec_trainer_create(data.get(), "lightgnc", nullptr, nullptr, nullptr, &t, e); });
  expect("model", REC_DENIED,
         [&](rec_error_t** e) { return rec_trainer_create(data.get(), "../../evil", nullptr, nullptr, nullptr, &t, e); });
  expect("params_json", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_trainer_create(data.get(), "bprmf", "[1]", nullptr, nullptr, &t, e); });
  expect("emb_size", REC_INVALID_ARGUMENT, [&](rec_error_t** e) {
    return rec_trainer_create(data.get(), "bprmf", R"({"emb_size": 1000000000})", nullptr, nullptr, &t, e);
  });
  expect("device", REC_DEVICE, [&](rec_error_t** e) {
    return rec_trainer_create(data.get(), "bprmf", R"({"device": "cuda"})", nullptr, nullptr, &t, e);
  });
  // The same without data.
  expect("model", REC_NOT_FOUND,
         [&](rec_error_t** e) { return rec_trainer_check("lightgnc", nullptr, nullptr, e); });
  expect("emb_size", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_trainer_check("bprmf", R"({"emb_size": 0})", nullptr, e); });
  rec_trainer_options_t named{};
  named.struct_size = sizeof named;
  EXPECT_EQ(rec_trainer_check("bprmf", R"({"emb_size": 8})", &named, nullptr), REC_OK);
  named.metrics = "ndcg@20";
  named.main_metric = "recall@20";
  expect("main_metric", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_trainer_check("bprmf", nullptr, &named, e); });
  named.metrics = "ndgc@20";
  expect("metrics", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_trainer_check("bprmf", nullptr, &named, e); });
  rec_report_t* report = nullptr;
  expect("metrics", REC_INVALID_ARGUMENT, [&](rec_error_t** e) {
    return rec_model_evaluate(model.get(), data.get(), "ndgc@20", nullptr, nullptr, &report, e);
  });
  rec_trainer_options_t options{};
  options.struct_size = sizeof options;
  options.memory_limit_bytes = 100;
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_trainer_create(data.get(), "bprmf", nullptr, &options, nullptr, &t, &error), REC_LIMIT);
  rec_error_destroy(error);
  const int64_t row = 3;
  rec_ids_t ids{sizeof ids, 0, nullptr, nullptr, 0, nullptr, 0};
  rec_text_t* owner = nullptr;
  expect("rows", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_model_item_ids(model.get(), &row, 1, &ids, &owner, e); });
}

TEST(LiveObjects, AreCountedByKindUntilTheyAreDestroyed) {
  const auto count = [](int32_t kind) {
    int64_t n = -1;
    EXPECT_EQ(rec_live_objects(kind, &n, nullptr), REC_OK);
    return n;
  };
  const int64_t before = count(REC_OBJECT_ANY), models = count(REC_OBJECT_MODEL), texts = count(REC_OBJECT_TEXT);
  {
    const auto model = train(small_world().get(), "popularity", "{}");
    const auto copy = recommender(model.get());
    EXPECT_EQ(count(REC_OBJECT_MODEL), models + 1);
    EXPECT_EQ(count(REC_OBJECT_TEXT), texts);
    EXPECT_EQ(count(REC_OBJECT_ANY), before + 2);
  }
  EXPECT_EQ(count(REC_OBJECT_ANY), before);
  int64_t n = 0;
  EXPECT_EQ(rec_live_objects(REC_OBJECT_TUNER + 1, &n, nullptr), REC_INVALID_ARGUMENT);
  EXPECT_EQ(rec_live_objects(REC_OBJECT_ANY, nullptr, nullptr), REC_INVALID_ARGUMENT);
}

TEST(Vectors, KeepTheModelAliveThroughDlpack) {
  struct Tensor {  // the start of DLManagedTensorVersioned
    uint32_t major, minor;
    void* context;
    void (*deleter)(Tensor*);
    uint64_t flags;
    const float* data;
    int32_t device_type, device_id, ndim;
    uint8_t code, bits;
    uint16_t lanes;
    const int64_t* shape;
    const int64_t* strides;
    uint64_t byte_offset;
  };
  auto model = train(small_world().get(), "bprmf", R"({"emb_size": 4, "epochs": 1})");
  struct DLManagedTensorVersioned* managed = nullptr;
  ASSERT_EQ(rec_model_item_vectors(model.get(), &managed, nullptr), REC_OK);
  model.reset();
  auto* tensor = reinterpret_cast<Tensor*>(managed);
  EXPECT_EQ(tensor->major, 1u);
  EXPECT_EQ(tensor->flags & 1, 1u) << "read-only";
  EXPECT_EQ(tensor->ndim, 2);
  EXPECT_EQ(tensor->shape[0], 3);
  EXPECT_EQ(tensor->shape[1], 4);
  float sum = 0;
  for (int i = 0; i < 12; ++i) sum += tensor->data[i];
  EXPECT_NE(sum, 0);
  tensor->deleter(tensor);
  const auto popularity = train(small_world().get(), "itemknn", "{}");
  EXPECT_EQ(rec_model_item_vectors(popularity.get(), &managed, nullptr), REC_UNSUPPORTED);
}

}  // namespace
}  // namespace rec::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  rec_plugin_add_folder(REC_PLUGINS_FOLDER, nullptr);
  return RUN_ALL_TESTS();
}
