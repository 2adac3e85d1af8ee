// fork(): a child of a process that has used the library gets BAD_STATE from every call, and comes to no harm.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "core/data/arrow_abi.h"
#include "tests/conformance/capi.h"
#include "tests/forked_child.h"

namespace rec::test {
namespace {

constexpr int kHung = -1;
// A sanitizer's checks at exit wait for the parent's threads.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// How the child ended that ran this: its exit status, 128 + the signal, or kHung after five seconds.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) end_forked_child(body());
  int status = 0;
  for (int i = 0; i < 500; ++i) {
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return kHung;
}

Handle<rec_dataset_t> world() {
  std::vector<int64_t> users, items;
  for (int64_t i = 0; i < 200; ++i) {
    users.push_back(i / 10);
    items.push_back(i % 13);
  }
  return dataset(users, items);
}

class Fork : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    call([](rec_error_t** e) { return rec_plugin_add_folder(REC_PLUGINS_FOLDER, e); });
  }
};
class Callback : public Fork {};

// The first test of this program, as it must not have used the library yet: what importing a package calls is no use.
TEST_F(Fork, OfAProcessThatHasOnlySetTheLibraryUpLeavesItUsable) {
  rec_request_t request;
  call([&](rec_error_t** e) { return rec_request_init(&request, sizeof request, e); });
  call([](rec_error_t** e) {
    return rec_log_set_sink([](int32_t, const char*, void*) {}, REC_LOG_WARNING, nullptr, nullptr, e);
  });
  EXPECT_EQ(in_child([] {
              const auto data = world();
              return train(data.get(), "bprmf", R"({"epochs": 1})") != nullptr ? 0 : 1;
            }),
            0);
}

template <class... A>
rec_status_t with_zeros(rec_status_t (*function)(A...)) {
  return function(A{}...);
}
#define CALL(function) {#function, [] { return with_zeros(function); }}
const std::pair<const char*, rec_status_t (*)()> kCalls[] = {
    CALL(rec_cancel_create),
    CALL(rec_cancel_request),
    CALL(rec_columns_init),
    CALL(rec_dataset_counts),
    CALL(rec_dataset_create_from_arrow),
    CALL(rec_dataset_create_from_columns),
    CALL(rec_dataset_describe),
    CALL(rec_dataset_export_arrow),
    CALL(rec_dataset_item_ids),
    CALL(rec_dataset_load),
    CALL(rec_dataset_options_init),
    CALL(rec_dataset_save),
    CALL(rec_dataset_split),
    CALL(rec_dataset_user_ids),
    CALL(rec_ids_init),
    CALL(rec_lists_evaluate),
    CALL(rec_lists_init),
    CALL(rec_live_objects),
    CALL(rec_load_options_init),
    CALL(rec_log_poll),
    CALL(rec_log_set_sink),
    CALL(rec_model_counts),
    CALL(rec_model_describe),
    CALL(rec_model_evaluate),
    CALL(rec_model_item_ids),
    CALL(rec_model_item_rows),
    CALL(rec_model_item_titles),
    CALL(rec_model_item_vectors),
    CALL(rec_model_load),
    CALL(rec_model_load_bytes),
    CALL(rec_model_save),
    CALL(rec_model_user_ids),
    CALL(rec_model_user_rows),
    CALL(rec_model_user_vectors),
    CALL(rec_output_init),
    CALL(rec_plugin_add_folder),
    CALL(rec_plugin_describe),
    CALL(rec_plugin_list),
    CALL(rec_plugin_load),
    CALL(rec_protocol_init),
    CALL(rec_recommender_create),
    CALL(rec_recommender_options_init),
    CALL(rec_recommender_score),
    CALL(rec_recommender_similar_items),
    CALL(rec_recommender_similar_users),
    CALL(rec_recommender_model),
    CALL(rec_recommender_top_k),
    CALL(rec_report_counts),
    CALL(rec_report_get_metric),
    CALL(rec_report_get_standard_error),
    CALL(rec_report_get_interactions),
    CALL(rec_report_get_lists),
    CALL(rec_report_get_users),
    CALL(rec_report_get_values),
    CALL(rec_request_init),
    CALL(rec_run_options_init),
    CALL(rec_save_options_init),
    CALL(rec_split_options_init),
    CALL(rec_trainer_check),
    CALL(rec_trainer_create),
    CALL(rec_trainer_create_model),
    CALL(rec_trainer_options_init),
    CALL(rec_trainer_run),
    CALL(rec_trainer_warm_start),
    CALL(rec_tuner_ask),
    CALL(rec_tuner_create),
    CALL(rec_tuner_describe),
    CALL(rec_tuner_options_init),
    CALL(rec_tuner_report),
    CALL(rec_tuner_tell),
};

// A child cannot read the parent's error, but says why.
TEST_F(Fork, LeavesErrorsOfTheParentThatSayWhatHappened) {
  rec_error_t* error = nullptr;
  ASSERT_EQ(rec_plugin_load("", &error), REC_INVALID_ARGUMENT);
  const Handle<rec_error_t> owner(error);
  EXPECT_EQ(in_child([&] {
              const std::string_view message = rec_error_message(error);
              const bool says =
                  message.find("this process was forked") == 0 && message.find("\"spawn\"") != message.npos;
              return says && rec_error_code(error) == REC_BAD_STATE && *rec_error_argument(error) == '\0' ? 0 : 1;
            }),
            0);
  EXPECT_STREQ(rec_error_message(error), "path: is empty");
}

TEST_F(Fork, MakesEveryCallOfTheChildBadState) {
  const auto data = world();
  size_t n_listed = 0;
  std::ifstream exports(REC_TESTS_FOLDER "/abi/exports.txt");
  for (std::string name, version; exports >> name >> version;) {
    const bool other = name.ends_with("_destroy") || name.starts_with("rec_error_") || name == "rec_api_version" ||
                       name == "rec_version_string" || name == "rec_status_name" || name == "rec_text_data";
    n_listed += !other;
  }
  EXPECT_EQ(n_listed, std::size(kCalls)) << "a function is missing above";
  for (const auto& [name, function] : kCalls)
    EXPECT_EQ(in_child([function = function] { return function() == REC_BAD_STATE ? 0 : 1; }), 0) << name;
  EXPECT_EQ(in_child([&] {
              rec_text_t* text = nullptr;
              rec_error_t* error = nullptr;
              const bool refused = rec_dataset_describe(data.get(), &text, &error) == REC_BAD_STATE;
              const bool says = std::string(rec_error_message(error)).find("forked") != std::string::npos &&
                                rec_error_code(error) == REC_BAD_STATE;
              rec_error_destroy(error);
              return refused && text == nullptr && says ? 0 : 1;
            }),
            0);
  rec_text_t* text = nullptr;
  EXPECT_EQ(rec_dataset_describe(data.get(), &text, nullptr), REC_OK) << "the parent goes on";
  rec_text_destroy(text);
}

// Other threads may hold any lock at the time of the fork.
TEST_F(Fork, WhileOtherThreadsCallHarmsNoChild) {
  auto data = world();
  auto t = trainer(data.get(), "bprmf", R"({"epochs": 1, "threads": 4})");
  call([&](rec_error_t** e) { return rec_trainer_run(t.get(), nullptr, e); });
  const auto model = model_of(t.get());
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 4; ++i)
    busy.emplace_back([&] {
      while (!stop) {
        const auto token = make<rec_cancel_t>([](auto** out, rec_error_t** e) { return rec_cancel_create(out, e); });
        rec_text_t* text = nullptr;
        rec_dataset_describe(data.get(), &text, nullptr);
        rec_text_destroy(text);
      }
    });
  for (int i = 0; i < 200; ++i)
    ASSERT_EQ(in_child([&, i] {
                rec_error_t* error = nullptr;
                rec_cancel_t* token = nullptr;
                const bool refused = rec_cancel_create(&token, &error) == REC_BAD_STATE && token == nullptr &&
                                     rec_error_code(error) == REC_BAD_STATE;
                rec_error_destroy(error);
                rec_trainer_destroy(t.release());
                rec_dataset_destroy(data.release());
                if (!kSanitized && i % 2 == 0) exit(refused ? 0 : 1);  // with the destructors of static objects
                return refused ? 0 : 1;
              }),
              0)
        << "child " << i;
  stop = true;
  for (std::thread& thread : busy) thread.join();
}

TEST_F(Fork, WithinACallbackEndsTheCallInTheChild) {
  const auto data = world();
  const auto t = trainer(data.get(), "bprmf", R"({"epochs": 50, "threads": 3})");
  static pid_t child;
  child = -1;
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.on_event = [](const rec_event_t* event, void*) -> rec_status_t {
    if (event->kind == REC_EVENT_EPOCH && event->epoch == 3) child = fork();
    return REC_OK;
  };
  rec_error_t* error = nullptr;
  const rec_status_t status = rec_trainer_run(t.get(), &run, &error);
  if (child == 0)
    end_forked_child(
        status == REC_BAD_STATE && std::string(rec_error_message(error)).find("forked") != std::string::npos ? 0 : 1);
  EXPECT_EQ(status, REC_OK);
  int ended = -1;
  for (int i = 0; i < 500 && waitpid(child, &ended, WNOHANG) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(child, SIGKILL);
  EXPECT_EQ(ended, 0);
}

// A log sink may fork as well.
TEST_F(Fork, WithinALogSinkEndsTheCallInTheChild) {
  const auto data = world();
  static pid_t child;
  child = -1;
  call([](rec_error_t** e) {
    return rec_log_set_sink([](int32_t, const char*, void*) { child = fork(); }, REC_LOG_INFO, nullptr, nullptr, e);
  });
  rec_plugin_load(REC_PLUGINS_FOLDER "/librecore_ease.so", nullptr);  // logs a line
  const rec_status_t status = rec_log_poll(nullptr, nullptr);
  if (child == 0) end_forked_child(status == REC_BAD_STATE ? 0 : 1);
  ASSERT_GT(child, 0);
  int ended = -1;
  waitpid(child, &ended, 0);
  EXPECT_EQ(ended, 0);
  rec_log_set_sink(nullptr, REC_LOG_ERROR, nullptr, nullptr, nullptr);
}

// A sink that takes its time holds up the call that it is in, and no other.
TEST_F(Callback, OfASlowSinkHoldsUpNoOtherCall) {
  const auto data = world();
  static std::atomic<bool> entered, go_on;
  entered = go_on = false;
  call([](rec_error_t** e) {
    return rec_log_set_sink(
        [](int32_t, const char*, void*) {
          entered = true;
          while (!go_on) std::this_thread::yield();
        },
        REC_LOG_INFO, nullptr, nullptr, e);
  });
  rec_plugin_load(REC_PLUGINS_FOLDER "/librecore_fpmc.so", nullptr);
  std::thread slow([] { rec_log_poll(nullptr, nullptr); });
  while (!entered) std::this_thread::yield();
  EXPECT_NE(train(data.get(), "bprmf", R"({"epochs": 1})"), nullptr);
  go_on = true;
  slow.join();
  rec_log_set_sink(nullptr, REC_LOG_ERROR, nullptr, nullptr, nullptr);
}

// pthread_exit() unwinds the stack of the thread that made the call; the work ends first.
TEST_F(Callback, ThatEndsItsThreadEndsTheCall) {
  const auto data = world();
  const auto t = trainer(data.get(), "bprmf", R"({"epochs": 1000000, "patience": 0, "threads": 2})");
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  for (int32_t kind : {REC_EVENT_EPOCH, REC_EVENT_TICK}) {
    run.user_data = &kind;
    run.on_event = [](const rec_event_t* event, void* wanted) -> rec_status_t {
      if (event->kind == *static_cast<int32_t*>(wanted)) pthread_exit(nullptr);
      return REC_OK;
    };
    pthread_t thread;
    struct Call {
      rec_trainer_t* trainer;
      const rec_run_options_t* run;
    } arguments{t.get(), &run};
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* given) -> void* {
                    const auto& call = *static_cast<Call*>(given);
                    rec_trainer_run(call.trainer, call.run, nullptr);
                    return given;  // not reached
                  },
                  &arguments),
              0);
    void* result = &run;
    pthread_join(thread, &result);
    EXPECT_EQ(result, nullptr);
  }
  model_of(t.get(), REC_MODEL_LAST);  // neither busy nor broken
}

// The producer of an Arrow stream may end the thread as well; the stream is released once.
TEST_F(Callback, OfAnArrowStreamThatEndsItsThreadEndsTheCall) {
  static int n_released;
  ArrowArrayStream ends{}, ends_late{};
  ends.get_schema = [](ArrowArrayStream*, ArrowSchema*) -> int { pthread_exit(nullptr); };
  ends.get_next = [](ArrowArrayStream*, ArrowArray*) { return 1; };
  ends.get_last_error = [](ArrowArrayStream*) -> const char* { return "none"; };
  ends.release = [](ArrowArrayStream* stream) {
    ++n_released;
    stream->release = nullptr;
  };
  ends_late = ends;
  ends_late.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 1; };
  ends_late.release = [](ArrowArrayStream* stream) {
    ++n_released;
    stream->release = nullptr;
    pthread_exit(nullptr);
  };
  for (ArrowArrayStream* stream : {&ends, &ends_late}) {
    n_released = 0;
    pthread_t thread;
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* given) -> void* {
                    rec_dataset_t* data = nullptr;
                    rec_dataset_create_from_arrow(static_cast<ArrowArrayStream*>(given), nullptr, nullptr, &data,
                                                  nullptr);
                    return given;  // not reached
                  },
                  stream),
              0);
    void* result = stream;
    pthread_join(thread, &result);
    EXPECT_EQ(result, nullptr);
    EXPECT_EQ(n_released, 1);
  }
}

}  // namespace
}  // namespace rec::test
