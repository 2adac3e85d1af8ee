// Handles that are closed, foreign or shared.
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/conformance/capi.h"

namespace rec::test {
namespace {

Handle<rec_dataset_t> world() { return dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12}); }

TEST(Handles, OfAClosedObjectAreBadState) {
  rec_dataset_t* data = world().release();
  rec_dataset_destroy(data);
  rec_text_t* text = nullptr;
  EXPECT_EQ(rec_dataset_describe(data, &text, nullptr), REC_BAD_STATE);
  rec_dataset_destroy(data);   // a second time does nothing
  const auto other = world();  // may take the slot, never the value
  EXPECT_NE(other.get(), data);
  EXPECT_EQ(rec_dataset_describe(data, &text, nullptr), REC_BAD_STATE);
}

TEST(Handles, OfAnotherKindAreBadState) {
  const auto data = world();
  int64_t n = 0;
  EXPECT_EQ(rec_model_counts(reinterpret_cast<const rec_model_t*>(data.get()), &n, nullptr, nullptr), REC_BAD_STATE);
  EXPECT_EQ(rec_model_counts(reinterpret_cast<const rec_model_t*>(uintptr_t{0x1234567812345678}), &n, nullptr, nullptr),
            REC_BAD_STATE);
  EXPECT_EQ(rec_model_counts(nullptr, &n, nullptr, nullptr), REC_INVALID_ARGUMENT);
  rec_model_destroy(reinterpret_cast<rec_model_t*>(data.get()));
  rec_text_t* text = nullptr;
  EXPECT_EQ(rec_dataset_describe(data.get(), &text, nullptr), REC_OK) << "destroyed by a function of another kind";
  rec_text_destroy(text);
  EXPECT_STREQ(rec_error_message(reinterpret_cast<const rec_error_t*>(data.get())), "error: the handle is closed");
  EXPECT_EQ(rec_text_data(reinterpret_cast<const rec_text_t*>(data.get())), nullptr);
}

TEST(Handles, MayBeClosedWhileOthersCall) {
  const auto model = train(world().get(), "popularity", "{}");
  for (int round = 0; round < 200; ++round) {
    rec_recommender_t* r = recommender(model.get()).release();
    std::vector<std::thread> callers;
    for (int n = 0; n < 4; ++n)
      callers.emplace_back([r] {
        const std::vector<int64_t> user{1};
        const rec_ids_t users = int64_ids(user);
        rec_request_t request{};
        request.struct_size = sizeof request;
        request.users = &users;
        request.k = 2;
        int64_t rows[2];
        const rec_output_t output{sizeof output, 0, rows, 2, nullptr, 0, nullptr, 0};
        rec_status_t status = REC_OK;
        while (status == REC_OK) status = rec_recommender_top_k(r, &request, &output, nullptr);
        EXPECT_EQ(status, REC_BAD_STATE);
      });
    std::this_thread::yield();
    rec_recommender_destroy(r);
    for (std::thread& caller : callers) caller.join();
  }
}

TEST(Handles, OutliveTheirParents) {
  auto data = world();
  auto t = trainer(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 2})");
  data.reset();  // the trainer keeps what it needs
  call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
  auto model = model_of(t.get());
  t.reset();
  const auto r = recommender(model.get());
  model.reset();
  EXPECT_EQ(top_k(r.get(), {1}, 2).status[0], REC_OK);
}

TEST(Handles, OfATrainerThatRunsAreBusy) {
  const auto data = world();
  const auto t = trainer(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 2})");
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.user_data = t.get();
  run.on_event = [](const rec_event_t*, void* self) -> rec_status_t {
    rec_model_t* model = nullptr;
    EXPECT_EQ(rec_trainer_create_model(static_cast<rec_trainer_t*>(self), REC_MODEL_BEST, nullptr, &model, nullptr), REC_BUSY);
    return REC_OK;
  };
  EXPECT_EQ(rec_trainer_run(t.get(), &run, nullptr), REC_OK);
}

TEST(Callback, ExceptionOfACppHostStopsTheWorkAndIsReported) {
  const auto data = world();
  const auto t = trainer(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 50})");
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.on_event = [](const rec_event_t*, void*) -> rec_status_t { throw std::runtime_error("thrown by the host"); };
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_trainer_run(t.get(), &run, &error), REC_INTERNAL);
  const Handle<rec_error_t> owner(error);
  EXPECT_NE(std::string(rec_error_message(error)).find("thrown by the host"), std::string::npos);
}

TEST(Callback, ExceptionOfACppHostsLogSinkStopsTheWorkAndIsReported) {
  const auto data = world();
  const std::filesystem::path path = std::filesystem::temp_directory_path() / ("log_sink" + std::to_string(getpid()));
  const std::string name = path.string();
  rec_trainer_options_t options{};
  options.struct_size = sizeof options;
  options.checkpoint_path = name.c_str();  // each one is a line in the log
  options.checkpoint_batches = 1;
  const auto t = trainer(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 100000, "patience": 0})", &options);
  call([](rec_error_t** error) {
    return rec_log_set_sink([](int32_t, const char*, void*) { throw std::runtime_error("thrown by the sink"); },
                            REC_LOG_DEBUG, nullptr, nullptr, error);
  });
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_trainer_run(t.get(), nullptr, &error), REC_INTERNAL);
  const Handle<rec_error_t> owner(error);
  EXPECT_NE(std::string(rec_error_message(error)).find("thrown by the sink"), std::string::npos);
  call([](rec_error_t** e) { return rec_log_set_sink(nullptr, REC_LOG_ERROR, nullptr, nullptr, e); });
  std::filesystem::remove(path);
  std::filesystem::remove(name + ".prev");
}

}  // namespace
}  // namespace rec::test
