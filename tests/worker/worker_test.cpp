// A worker process through the C API: the same answers as in this process.
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "tests/worker/worker_fixture.h"

extern char** environ;

namespace rec::test {
namespace {

struct Case {
  std::string model, params;
};
void PrintTo(const Case& row, std::ostream* out) { *out << row.model; }

class WorkerModels : public Worker, public testing::WithParamInterface<Case> {};

TEST_P(WorkerModels, LeavesTheFileThatThisProcessWouldHaveMade) {
  const auto data = checkerboard();
  const auto& [model, params] = GetParam();
  const std::string here = trained(data.get(), model, params, REC_ISOLATION_IN_PROCESS);
  const std::string there = trained(data.get(), model, params, REC_ISOLATION_PROCESS);
  EXPECT_FALSE(bytes_of(here).empty());
  EXPECT_EQ(bytes_of(here), bytes_of(there));
}

TEST_P(WorkerModels, EvaluatesToTheSameBits) {
  const auto data = checkerboard();
  const auto model = load(trained(data.get(), GetParam().model, GetParam().params, REC_ISOLATION_PROCESS));
  std::vector<std::vector<double>> values;
  for (int32_t isolation : {REC_ISOLATION_IN_PROCESS, REC_ISOLATION_PROCESS}) {
    rec_run_options_t options{};
    options.struct_size = sizeof options;
    options.isolation = isolation;
    const auto report = make<rec_report_t>([&](rec_report_t** out, rec_error_t** error) {
      return rec_model_evaluate(model.get(), data.get(), "ndcg@5,mrr@5", nullptr, &options, out, error);
    });
    int64_t n_metrics = 0, n_rows = 0;
    const double* all = nullptr;
    const char* name = nullptr;
    double mean = 0;
    rec_report_counts(report.get(), &n_metrics, &n_rows, nullptr);
    rec_report_get_values(report.get(), &all, nullptr);
    rec_report_get_metric(report.get(), 1, &name, &mean, nullptr);
    EXPECT_STREQ(name, "mrr@5");
    values.emplace_back(all, all + n_metrics * n_rows);
    values.back().push_back(mean);
  }
  EXPECT_GT(values[0].size(), 40u);
  EXPECT_EQ(values[0], values[1]);
}

INSTANTIATE_TEST_SUITE_P(
    Shipped, WorkerModels,
    testing::Values(Case{"bprmf", kBprmf}, Case{"ease", R"({"lambda": 10})"},
                    Case{"neumf", R"({"emb_size": 8, "layers": [8], "epochs": 2, "batch_size": 32})"},
                    Case{"gru4rec", R"({"layers": [8], "epochs": 2, "batch_size": 8, "n_sample": 16})"}),
    [](const auto& row) { return row.param.model; });

TEST_F(Worker, ReportsTheSameEvents) {
  const auto data = checkerboard();
  TrainingRun here, there;
  for (auto [run, isolation] : {std::pair{&here, REC_ISOLATION_IN_PROCESS}, {&there, REC_ISOLATION_PROCESS}}) {
    rec_trainer_options_t options = trainer_options(isolation);
    const std::string checkpoint = folder_ / ("events" + std::to_string(isolation));
    options.checkpoint_path = checkpoint.c_str();
    const auto t = trainer(data.get(), "bprmf", kBprmf, &options);
    EXPECT_EQ((*run)(t.get()), REC_OK);
  }
  EXPECT_GT(here.events.size(), 6u);
  EXPECT_EQ(here.events, there.events);
}

TEST_F(Worker, SaysTheSameWordsAboutBadArguments) {
  const auto data = checkerboard();
  const std::vector<std::pair<std::string, std::string>> bad{
      {"bprmf", R"({"emb_siz": 8})"},
      {"bprmf", R"({"emb_size": -1})"},
      {"bprmf", "{"},
      {"bprmf", R"({"device": "cuda"})"},
      {"brpmf", "{}"},
  };
  for (const auto& [model, params] : bad) {
    std::vector<std::string> said;
    for (int32_t isolation : {REC_ISOLATION_IN_PROCESS, REC_ISOLATION_PROCESS}) {
      const rec_trainer_options_t options = trainer_options(isolation);
      said.push_back(refusal([&] { trainer(data.get(), model, params, &options); }));
    }
    EXPECT_NE(said[0], "OK");
    EXPECT_EQ(said[0], said[1]);
  }
  const rec_trainer_options_t options = trainer_options(3);
  EXPECT_EQ(refusal([&] { trainer(data.get(), "bprmf", "{}", &options); }),
            "INVALID_ARGUMENT: isolation: must be between 0 and 2, got 3 (isolation)");
}

TEST_F(Worker, StopsWhereTheCallbackSaysAndGivesTheLastEpoch) {
  const auto data = checkerboard();
  const auto t = in_worker(data.get(), "bprmf", kBprmf);
  EXPECT_NE(refusal([&] { model_of(t.get()); }).find("BAD_STATE"), std::string::npos);
  TrainingRun run;
  run.stop_after_epochs = 3;
  EXPECT_EQ(run(t.get()), REC_LIMIT);
  EXPECT_EQ(run.events.back().epoch, 3);
  model_of(t.get(), REC_MODEL_LAST);
  TrainingRun rest;  // goes on where it stopped
  EXPECT_EQ(rest(t.get()), REC_OK);
  EXPECT_EQ(rest.events.back().epoch, 6);
  save(model_of(t.get(), REC_MODEL_LAST).get(), folder_ / "stopped.rec");
  const rec_trainer_options_t here = trainer_options(REC_ISOLATION_IN_PROCESS);
  const auto whole = trainer(data.get(), "bprmf", kBprmf, &here);
  EXPECT_EQ(TrainingRun()(whole.get()), REC_OK);
  save(model_of(whole.get(), REC_MODEL_LAST).get(), folder_ / "whole.rec");
  EXPECT_EQ(bytes_of(folder_ / "stopped.rec"), bytes_of(folder_ / "whole.rec"));
}

TEST_F(Worker, StopsWithinABatchWhenCancelledAndKeepsTheLastEpoch) {
  const auto data = checkerboard();
  const auto t = in_worker(data.get(), "bprmf", R"({"epochs": 100000, "patience": 0})");
  const auto cancel =
      make<rec_cancel_t>([](rec_cancel_t** out, rec_error_t** error) { return rec_cancel_create(out, error); });
  TrainingRun run;
  run.then = [&](const rec_event_t& event) {
    if (event.kind == REC_EVENT_EPOCH && event.epoch == 2) rec_cancel_request(cancel.get(), nullptr);
  };
  EXPECT_EQ(run(t.get(), cancel.get()), REC_CANCELLED);
  EXPECT_EQ(run.events.back().epoch, 2);
  model_of(t.get(), REC_MODEL_LAST);
}

TEST_F(Worker, StartsFromAnotherModel) {
  const auto data = checkerboard();
  const auto first = load(trained(data.get(), "bprmf", kBprmf, REC_ISOLATION_IN_PROCESS));
  for (int32_t isolation : {REC_ISOLATION_IN_PROCESS, REC_ISOLATION_PROCESS}) {
    const rec_trainer_options_t options = trainer_options(isolation);
    const auto t = trainer(data.get(), "bprmf", kBprmf, &options);
    call([&](rec_error_t** error) { return rec_trainer_warm_start(t.get(), first.get(), error); });
    EXPECT_EQ(TrainingRun()(t.get()), REC_OK);
    save(model_of(t.get()).get(), folder_ / ("warm" + std::to_string(isolation)));
  }
  EXPECT_EQ(bytes_of(folder_ / "warm1"), bytes_of(folder_ / "warm2"));
  EXPECT_NE(bytes_of(folder_ / "warm1"), bytes_of(folder_ / "bprmf1.rec"));
}

TEST_F(Worker, ResumesAfterItWasKilledWithTheBitsOfTheUnbrokenRun) {
  const auto data = checkerboard();
  const auto options = [&](const std::string& checkpoint) {
    rec_trainer_options_t o = trainer_options(REC_ISOLATION_PROCESS);
    o.checkpoint_path = checkpoint.c_str();
    o.checkpoint_batches = 1;
    o.resume = 1;
    return o;
  };
  const std::string whole = folder_ / "whole.ckpt", broken = folder_ / "broken.ckpt";
  rec_trainer_options_t o = options(whole);
  const auto unbroken = trainer(data.get(), "bprmf", kBprmf, &o);
  EXPECT_EQ(TrainingRun()(unbroken.get()), REC_OK);
  save(model_of(unbroken.get()).get(), folder_ / "whole.rec");

  o = options(broken);
  auto t = trainer(data.get(), "bprmf", kBprmf, &o);
  int64_t checkpoints = 0;
  TrainingRun run;
  run.then = [&](const rec_event_t& event) {
    if (event.kind != REC_EVENT_CHECKPOINT || ++checkpoints != 5) return;
    for (pid_t worker : own_workers()) kill(worker, SIGKILL);
  };
  const auto other_workers = own_workers();
  ASSERT_EQ(other_workers.size(), 2u);  // the unbroken run's, which is idle, and this one
  EXPECT_EQ(run(t.get()), REC_PLUGIN_FAILED);
  t = trainer(data.get(), "bprmf", kBprmf, &o);
  TrainingRun rest;
  EXPECT_EQ(rest(t.get()), REC_OK);
  const auto start = std::find_if(rest.events.begin(), rest.events.end(),
                                  [](const Seen& event) { return event.kind == REC_EVENT_START; });
  ASSERT_NE(start, rest.events.end());
  EXPECT_TRUE(start->epoch > 1 || start->batch > 0);  // continues from the checkpoint
  save(model_of(t.get()).get(), folder_ / "resumed.rec");
  EXPECT_EQ(bytes_of(folder_ / "whole.rec"), bytes_of(folder_ / "resumed.rec"));
}

TEST_F(Worker, LeavesNoProcessAndNoFileBehind) {
  const auto data = checkerboard();
  in_worker(data.get(), "bprmf", kBprmf);
  const int64_t files = open_files();
  for (int i = 0; i < 20; ++i) {
    const auto t = in_worker(data.get(), "bprmf", R"({"epochs": 1})");
    if (i % 2 == 0) {
      EXPECT_EQ(TrainingRun()(t.get()), REC_OK);
    }
  }
  EXPECT_EQ(open_files(), files);
  EXPECT_TRUE(own_workers().empty());
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // nor a zombie
}

TEST_F(Worker, EndsWithItsHost) {
  const std::string checkpoint = folder_ / "host.ckpt", out = folder_ / "host.rec";
  std::vector<std::string> arguments{REC_BUILD_FOLDER "/bin/rec_train_program",
                                     "bprmf",
                                     R"({"epochs": 100000, "patience": 0})",
                                     out,
                                     checkpoint,
                                     "in_worker"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t host = 0;
  ASSERT_EQ(posix_spawn(&host, argv[0], nullptr, nullptr, argv.data(), environ), 0);
  const auto soon = [](const std::function<bool()>& condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  ASSERT_TRUE(soon([&] { return std::filesystem::exists(checkpoint); }));
  pid_t worker = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(host) + "/task")) {
    std::ifstream in(task.path() / "children");
    in >> worker;
    if (worker != 0) break;
  }
  ASSERT_GT(worker, 0);
  kill(host, SIGKILL);
  waitpid(host, nullptr, 0);
  EXPECT_TRUE(soon([&] { return kill(worker, 0) != 0; }));
}

TEST_F(Worker, CountsTheLogLinesItLoses) {
  static int64_t n_lines;
  n_lines = 0;
  int64_t n_lost = 0;
  rec_log_poll(&n_lost, nullptr);
  call([](rec_error_t** error) {
    const auto count = [](int32_t, const char* line, void*) { n_lines += std::string_view(line) == "evil n=1"; };
    return rec_log_set_sink(count, REC_LOG_WARNING, nullptr, nullptr, error);
  });
  const auto data = checkerboard();
  in_worker(data.get(), "evil_chatty", "{}");
  rec_log_poll(&n_lost, nullptr);
  rec_log_set_sink(nullptr, REC_LOG_INFO, nullptr, nullptr, nullptr);
  EXPECT_EQ(n_lines + n_lost, 20000);
}

TEST_F(Worker, PassesItsLogLinesOn) {
  static std::vector<std::string> lines;
  lines.clear();
  call([](rec_error_t** error) {
    return rec_log_set_sink([](int32_t, const char* line, void*) { lines.emplace_back(line); }, REC_LOG_INFO, nullptr,
                            nullptr, error);
  });
  const auto data = checkerboard();
  const auto t = in_worker(data.get(), "evil_exit", "{}");  // not loaded in any process yet
  rec_log_poll(nullptr, nullptr);
  rec_log_set_sink(nullptr, REC_LOG_INFO, nullptr, nullptr, nullptr);
  EXPECT_TRUE(std::ranges::any_of(
      lines, [](const std::string& line) { return line.starts_with("plugin_loaded model=evil_exit"); }));
}

}  // namespace
}  // namespace rec::test
