// Clients of other ages: shorter structs, longer structs, numbers that must not change.
#include <cstring>

#include "tests/conformance/capi.h"

namespace rec::test {
namespace {

Handle<rec_dataset_t> small_world() { return dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12}); }

TEST(OldClient, MayHaveShorterStructs) {
  // A client of the day when rec_columns_t ended before titles.
  struct OldColumns {
    uint32_t struct_size;
    int32_t reserved;
    const rec_ids_t* users;
    const rec_ids_t* items;
    const int64_t* times;
    const float* weights;
    const int32_t* parts;
    uint64_t not_ours;
  } columns{};
  const std::vector<int64_t> users{1, 2}, items{5, 6};
  const rec_ids_t user_ids = int64_ids(users), item_ids = int64_ids(items);
  rec_columns_init(reinterpret_cast<rec_columns_t*>(&columns), offsetof(OldColumns, not_ours), nullptr);
  columns.not_ours = 0xdeadbeefdeadbeef;
  columns.users = &user_ids;
  columns.items = &item_ids;
  const auto data = make<rec_dataset_t>([&](rec_dataset_t** out, rec_error_t** error) {
    return rec_dataset_create_from_columns(reinterpret_cast<const rec_columns_t*>(&columns), out, error);
  });
  EXPECT_NE(data, nullptr);
  EXPECT_EQ(columns.not_ours, 0xdeadbeefdeadbeef) << "_init wrote past the caller's struct";
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

// Null, zero, negative, too many: a code and a sentence that names the argument, in release builds too.
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
    return rec_recommender_top_k(r.get(), given, out, nullptr, nullptr, error);
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
  expect("out_rows", REC_INVALID_ARGUMENT, [&](rec_error_t** e) { return top(&request, nullptr, e); });
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
  rec_trainer_t* t = nullptr;
  expect("model", REC_NOT_FOUND,
         [&](rec_error_t** e) { return rec_trainer_create(data.get(), "lightgnc", nullptr, nullptr, &t, e); });
  expect("model", REC_DENIED,
         [&](rec_error_t** e) { return rec_trainer_create(data.get(), "../../evil", nullptr, nullptr, &t, e); });
  expect("params_json", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_trainer_create(data.get(), "bprmf", "[1]", nullptr, &t, e); });
  expect("emb_size", REC_INVALID_ARGUMENT, [&](rec_error_t** e) {
    return rec_trainer_create(data.get(), "bprmf", R"({"emb_size": 1000000000})", nullptr, &t, e);
  });
  expect("device", REC_DEVICE, [&](rec_error_t** e) {
    return rec_trainer_create(data.get(), "bprmf", R"({"device": "cuda"})", nullptr, &t, e);
  });
  rec_report_t* report = nullptr;
  expect("metrics", REC_INVALID_ARGUMENT, [&](rec_error_t** e) {
    return rec_model_evaluate(model.get(), data.get(), "ndgc@20", nullptr, nullptr, &report, e);
  });
  rec_trainer_options_t options{};
  options.struct_size = sizeof options;
  options.memory_limit_bytes = 100;
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_trainer_create(data.get(), "bprmf", nullptr, &options, &t, &error), REC_LIMIT);
  rec_error_destroy(error);
  const int64_t row = 3;
  rec_ids_t ids{sizeof ids, 0, nullptr, nullptr, nullptr, 0};
  rec_text_t* owner = nullptr;
  expect("rows", REC_INVALID_ARGUMENT,
         [&](rec_error_t** e) { return rec_model_item_ids(model.get(), &row, 1, &ids, &owner, e); });
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
