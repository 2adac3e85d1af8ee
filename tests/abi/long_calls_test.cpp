// Every call that takes rec_run_options_t can be watched and stopped.
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

extern "C" {
#include "bindings/common/test/arrow_stream.h"
}
#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {
namespace {

struct Ticks {
  using Clock = std::chrono::steady_clock;
  std::thread::id thread = std::this_thread::get_id();
  Clock::time_point last = Clock::now();
  double longest_gap = 0, done = -1;
  int64_t n = 0, stop_after = INT64_MAX;

  rec_run_options_t run() {
    rec_run_options_t run{};
    run.struct_size = sizeof run;
    run.user_data = this;
    run.on_event = [](const rec_event_t* event, void* self) -> rec_status_t {
      auto& ticks = *static_cast<Ticks*>(self);
      if (event->kind != REC_EVENT_TICK) return REC_OK;
      EXPECT_EQ(std::this_thread::get_id(), ticks.thread);
      const auto now = Clock::now();
      ticks.longest_gap = std::max(ticks.longest_gap, std::chrono::duration<double>(now - ticks.last).count());
      ticks.last = now;
      if (event->done == event->done) {
        EXPECT_GE(event->done, ticks.done);
        EXPECT_LE(event->done, 1);
        ticks.done = event->done;
      }
      return ++ticks.n >= ticks.stop_after ? REC_BUSY : REC_OK;
    };
    return run;
  }
};

// A long call ticks on the calling thread, reports progress, and ends with the status that a tick returns.
TEST(LongCalls, TickOnTheCallersThreadAndStopByIt) {
  const TempFolder folder;
  {
    std::ofstream csv(folder / "large.csv");
    csv << "user,item\n";
    for (int i = 0; i < 3000000; ++i) csv << i / 20 << ',' << i % 5000 << '\n';
  }
  const std::string path = folder / "large.csv";
  Ticks ticks;
  rec_run_options_t run = ticks.run();
  const auto data = make<rec_dataset_t>(
      [&](rec_dataset_t** out, rec_error_t** e) { return rec_dataset_load(path.c_str(), nullptr, &run, out, e); });
  EXPECT_GT(ticks.n, 0);
  EXPECT_GT(ticks.done, 0);
  EXPECT_LT(ticks.longest_gap, 1.0) << "50 ms on a machine of its own";

  const std::string saved = folder / "saved";
  rec_dataset_t* none = nullptr;
  rec_trainer_t* no_trainer = nullptr;
  const std::pair<const char*, std::function<rec_status_t(const rec_run_options_t*)>> calls[] = {
      {"load", [&](auto* r) { return rec_dataset_load(path.c_str(), nullptr, r, &none, nullptr); }},
      {"split", [&](auto* r) { return rec_dataset_split(data.get(), nullptr, r, &none, nullptr); }},
      {"save", [&](auto* r) { return rec_dataset_save(data.get(), saved.c_str(), r, nullptr); }},
      {"trainer", [&](auto* r) {
         return rec_trainer_create(data.get(), "bprmf", R"({"emb_size": 256})", nullptr, r, &no_trainer, nullptr);
       }}};
  for (const auto& [name, call_it] : calls) {
    SCOPED_TRACE(name);
    Ticks stopping;
    stopping.stop_after = 1;
    run = stopping.run();
    EXPECT_EQ(call_it(&run), REC_BUSY);
    EXPECT_EQ(stopping.n, 1);
    EXPECT_EQ(none, nullptr);
    EXPECT_EQ(no_trainer, nullptr);
  }
}

// With a token that is set before the call, the call creates nothing, however little it has to do.
TEST(LongCalls, StopAtOnceByATokenThatIsSet) {
  const TempFolder folder;
  const std::vector<int64_t> users{1, 1, 1, 2, 2, 2}, items{10, 11, 12, 10, 12, 13};
  const auto data = dataset(users, items, {0, 0, 2, 0, 0, 2});
  const auto trained = trainer(data.get(), "bprmf", R"({"emb_size": 4, "epochs": 1})");
  call([&](rec_error_t** e) { return rec_trainer_run(trained.get(), nullptr, e); });
  const auto model = model_of(trained.get());
  const std::string path = folder / "model.rec", text = folder / "data.csv", saved = folder / "saved",
                    again = folder / "again.rec";
  save(model.get(), path);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::ofstream(text) << "user,item\n1,2\n1,3\n";
  const rec_ids_t user_ids = int64_ids(users), item_ids = int64_ids(items);
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &user_ids;
  columns.items = &item_ids;

  const auto cancel = make<rec_cancel_t>([](rec_cancel_t** out, rec_error_t** e) { return rec_cancel_create(out, e); });
  call([&](rec_error_t** e) { return rec_cancel_request(cancel.get(), e); });
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.cancel = cancel.get();
  run.isolation = REC_ISOLATION_IN_PROCESS;
  rec_dataset_t* made_data = nullptr;
  rec_trainer_t* made_trainer = nullptr;
  rec_model_t* made_model = nullptr;
  rec_report_t* report = nullptr;
  const int64_t releases = rec_test_arrow_releases();
  const std::pair<const char*, std::function<rec_status_t()>> calls[] = {
      {"dataset_load", [&] { return rec_dataset_load(text.c_str(), nullptr, &run, &made_data, nullptr); }},
      {"dataset_create_from_columns",
       [&] { return rec_dataset_create_from_columns(&columns, &run, &made_data, nullptr); }},
      {"dataset_create_from_arrow",
       [&] {
         return rec_dataset_create_from_arrow(rec_test_arrow_stream(users.data(), items.data(), std::ssize(users)),
                                              nullptr, &run, &made_data, nullptr);
       }},
      {"dataset_split", [&] { return rec_dataset_split(data.get(), nullptr, &run, &made_data, nullptr); }},
      {"dataset_save", [&] { return rec_dataset_save(data.get(), saved.c_str(), &run, nullptr); }},
      {"trainer_create",
       [&] { return rec_trainer_create(data.get(), "bprmf", "{}", nullptr, &run, &made_trainer, nullptr); }},
      {"trainer_run", [&] { return rec_trainer_run(trained.get(), &run, nullptr); }},
      {"trainer_create_model",
       [&] { return rec_trainer_create_model(trained.get(), REC_MODEL_LAST, &run, &made_model, nullptr); }},
      {"model_save", [&] { return rec_model_save(model.get(), again.c_str(), nullptr, &run, nullptr); }},
      {"model_load", [&] { return rec_model_load(path.c_str(), nullptr, &run, &made_model, nullptr); }},
      {"model_load_bytes",
       [&] { return rec_model_load_bytes(bytes.data(), std::ssize(bytes), nullptr, &run, &made_model, nullptr); }},
      {"model_evaluate",
       [&] { return rec_model_evaluate(model.get(), data.get(), "recall@2", nullptr, &run, &report, nullptr); }},
  };
  for (const auto& [name, call_it] : calls) EXPECT_EQ(call_it(), REC_CANCELLED) << name;
  // The same by the tick before the work, which comes even if the work is done before a next one.
  run.cancel = nullptr;
  run.on_event = [](const rec_event_t* event, void*) -> rec_status_t {
    EXPECT_EQ(event->kind, REC_EVENT_TICK);
    return REC_CANCELLED;
  };
  for (const auto& [name, call_it] : calls) EXPECT_EQ(call_it(), REC_CANCELLED) << name;
  EXPECT_EQ(made_data, nullptr);
  EXPECT_EQ(made_trainer, nullptr);
  EXPECT_EQ(made_model, nullptr);
  EXPECT_EQ(report, nullptr);
  EXPECT_EQ(rec_test_arrow_releases(), releases + 2);
  EXPECT_FALSE(std::ifstream(saved).good());
  EXPECT_FALSE(std::ifstream(again).good());

  // The table above has every such call of the header.
  std::ifstream header(REC_TESTS_FOLDER "/../include/rec_c_api.h");
  const std::string api{std::istreambuf_iterator<char>(header), {}}, parameter = "const rec_run_options_t* run,";
  int64_t n = 0;
  for (size_t at = api.find(parameter); at != std::string::npos; at = api.find(parameter, at + 1)) ++n;
  EXPECT_EQ(n, std::ssize(calls));
}

// A batch that takes seconds to draw and to compute does not hold up a cancel.
TEST(LongCalls, StopWithinALargeBatch) {
  std::vector<int64_t> users, items;
  for (int64_t i = 0; i < 20000; ++i) {
    users.push_back(i % 500);
    items.push_back(i * 7 % 3001);
  }
  const auto data = dataset(users, items);
  const auto t = trainer(data.get(), "bprmf", R"({"emb_size": 128, "batch_size": 20000, "num_neg": 2048})");
  struct Stopping {
    std::chrono::steady_clock::time_point asked{};
    int64_t ticks = 0;
  } stopping;
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.user_data = &stopping;
  run.on_event = [](const rec_event_t*, void* self) -> rec_status_t {
    auto& mine = *static_cast<Stopping*>(self);
    if (++mine.ticks < 8) return REC_OK;
    mine.asked = std::chrono::steady_clock::now();
    return REC_CANCELLED;
  };
  EXPECT_EQ(rec_trainer_run(t.get(), &run, nullptr), REC_CANCELLED);
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - stopping.asked;
  EXPECT_LT(waited.count(), 2) << "seconds; 0.2 on a machine of its own";
}

}  // namespace
}  // namespace rec::test
