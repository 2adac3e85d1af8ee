// A worker process through the C API: the same answers as in this process, and a crash becomes an error.
#include <dirent.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include "core/worker/worker_process.h"
#include "tests/conformance/worlds.h"
#include "tests/unit/temp_folder.h"

extern char** environ;

namespace rec::test {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A failed call's status, message and argument.
std::string refusal(const std::function<void()>& body) {
  try {
    body();
    return "OK";
  } catch (const CallFailed& failure) {
    return std::string(failure.what()) + " (" + failure.argument + ")";
  }
}

// Workers of any thread of this process: calls start workers on threads of the library.
std::vector<pid_t> own_workers() {
  std::vector<pid_t> found;
  DIR* folder = opendir("/proc");
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    std::ifstream in("/proc/" + std::string(entry->d_name) + "/stat");
    std::string name, state;
    pid_t number = 0, parent = 0;
    in >> number >> name >> state >> parent;
    if (parent == getpid() && name.starts_with("(recore-worker")) found.push_back(pid);
  }
  closedir(folder);
  return found;
}

int64_t open_files() {
  DIR* folder = opendir("/proc/self/fd");
  int64_t n = 0;
  while (readdir(folder) != nullptr) ++n;
  closedir(folder);
  return n;
}

rec_trainer_options_t trainer_options(int32_t isolation) {
  rec_trainer_options_t options{};
  options.struct_size = sizeof options;
  options.isolation = isolation;
  options.metrics = "ndcg@10,recall@10";
  return options;
}

struct Seen {
  int32_t kind;
  int64_t epoch, batch;
  double loss;
  std::vector<std::string> names;
  std::vector<double> values;
  int32_t is_best;
  bool operator==(const Seen&) const = default;
};

struct TrainingRun {
  std::vector<Seen> events;
  int64_t stop_after_epochs = -1;
  std::function<void(const rec_event_t&)> then;

  rec_status_t operator()(rec_trainer_t* t, rec_cancel_t* cancel = nullptr) {
    rec_run_options_t options{};
    options.struct_size = sizeof options;
    options.user_data = this;
    options.cancel = cancel;
    options.on_event = [](const rec_event_t* event, void* self) -> rec_status_t {
      TrainingRun& run = *static_cast<TrainingRun*>(self);
      const bool timed = event->kind == REC_EVENT_PROGRESS || event->kind == REC_EVENT_TICK;
      if (!timed)
        run.events.push_back({event->kind,
                              event->epoch,
                              event->batch,
                              event->kind == REC_EVENT_EPOCH ? event->loss : 0,
                              {event->metric_names, event->metric_names + event->n_metrics},
                              {event->metric_values, event->metric_values + event->n_metrics},
                              event->is_best});
      if (run.then) run.then(*event);
      return event->kind == REC_EVENT_EPOCH && event->epoch == run.stop_after_epochs ? REC_LIMIT : REC_OK;
    };
    return rec_trainer_run(t, &options, nullptr);
  }
};

const std::string kBprmf = R"({"emb_size": 8, "epochs": 6, "batch_size": 32, "lr": 0.05, "threads": 2})";

class Worker : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() {
    add_plugins();
    call([](rec_error_t** error) { return rec_plugin_add_folder(REC_BUILD_FOLDER "/lib/recore/evil", error); });
  }
  std::string trained(const rec_dataset_t* data, const std::string& model, const std::string& params,
                      int32_t isolation) {
    const rec_trainer_options_t options = trainer_options(isolation);
    const auto t = trainer(data, model, params, &options);
    call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
    const std::string path = folder_ / (model + std::to_string(isolation) + ".rec");
    save(model_of(t.get()).get(), path);
    return path;
  }
  Handle<rec_trainer_t> in_worker(const rec_dataset_t* data, const std::string& model, const std::string& params) {
    const rec_trainer_options_t options = trainer_options(REC_ISOLATION_PROCESS);
    return trainer(data, model, params, &options);
  }
  TempFolder folder_;
};

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

// The plugin's death is an error with its cause, and this process goes on.
TEST_F(Worker, NamesTheSignalOfAPluginThatCrashes) {
  const auto data = checkerboard();
  const std::vector<std::pair<std::string, std::string>> deaths{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // sanitizers turn the fault into an exit
      {"evil_segfault", "the worker process ended with exit status"},
#else
      {"evil_segfault", "the worker process was killed by signal 11 (SIGSEGV"},
#endif
      {"evil_abort", "the worker process was killed by signal 6 (SIGABRT"},
      {"evil_exit", "the worker process ended with exit status 3"},
  };
  for (const auto& [model, words] : deaths) {
    const auto t = in_worker(data.get(), model, "{}");
    const std::string said =
        refusal([&] { call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); }); });
    EXPECT_NE(said.find("PLUGIN_FAILED: training of '" + model + "': " + words), std::string::npos) << said;
    const std::string again = refusal([&] { model_of(t.get()); });
    EXPECT_NE(again.find("BAD_STATE: training of '" + model + "': its worker process has ended"), std::string::npos)
        << again;
  }
  EXPECT_EQ(own_workers().size(), 0u);
}

// A worker may have been broken by its plugin: what it sends is not believed.
TEST_F(Worker, IsKilledWhenItLies) {
  const auto data = checkerboard();
  const std::vector<std::pair<std::string, std::string>> lies{
      {"evil_garbage", "sent a message of the worker process: it is malformed, and was killed"},
      {"evil_nested", "sent a message of the worker process: it is nested too deep, and was killed"},
      {"evil_list", "sent a message of the worker process: it is no object, and was killed"},
      {"evil_event", "sent a message that is not sound ("},
      {"evil_success", "sent a message that is not sound (an error has an unknown status)"},
  };
  for (const auto& [model, words] : lies) {
    const auto t = in_worker(data.get(), model, "{}");
    const std::string said =
        refusal([&] { call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); }); });
    EXPECT_NE(said.find("PLUGIN_FAILED: training of '" + model + "': the worker process " + words), std::string::npos)
        << said;
  }
  EXPECT_EQ(own_workers().size(), 0u);
}

// Whatever a plugin does in a worker, the call ends with a status and this process goes on.
TEST_F(Worker, ProtectsThisProcessFromEveryEvilPlugin) {
  const auto data = checkerboard();
  int n_tried = 0;
  for (const auto& entry : std::filesystem::directory_iterator(REC_BUILD_FOLDER "/lib/recore/evil")) {
    const std::string model = entry.path().stem().string().substr(std::string("librecore_").size());
    if (model == "evil_hang" || model == "evil_flood") continue;  // only a cancel ends those, as other tests do
    SCOPED_TRACE(model);
    ++n_tried;
    try {
      const auto t = in_worker(data.get(), model, R"({"epochs": 1})");
      call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
      model_of(t.get());
    } catch (const CallFailed& failure) {
      EXPECT_NE(failure.status, REC_INTERNAL) << failure.what();
      EXPECT_NE(failure.status, REC_OUT_OF_MEMORY) << failure.what();
    }
  }
  EXPECT_GE(n_tried, 30);
  EXPECT_EQ(own_workers().size(), 0u);
  train(data.get(), "popularity", "{}");
}

// A process that the plugin has started holds the worker's socket; it ends with the worker.
TEST_F(Worker, IsNoticedToHaveEndedThoughItsSocketIsHeld) {
  const auto data = checkerboard();
  const auto t = in_worker(data.get(), "evil_helper", "{}");
  const pid_t group = own_workers().at(0);
  const std::string said =
      refusal([&] { call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); }); });
  EXPECT_NE(said.find("the worker process ended with exit status 3"), std::string::npos) << said;
  bool is_left = true;
  for (int i = 0; i < 500 && is_left; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    is_left = kill(-group, 0) == 0;
  }
  EXPECT_FALSE(is_left);
}

TEST_F(Worker, KeepsItsPluginOutOfThisProcess) {
  const auto data = checkerboard();
  const auto is_mapped = [](const std::string& name) {
    std::ifstream maps("/proc/self/maps");
    return std::string{std::istreambuf_iterator<char>(maps), {}}.find(name) != std::string::npos;
  };
  const auto t = in_worker(data.get(), "fpmc", R"({"epochs": 1, "emb_size": 4})");
  EXPECT_EQ(TrainingRun()(t.get()), REC_OK);
  const auto model = model_of(t.get());
  save(model.get(), folder_ / "fpmc.rec");
  rec_run_options_t options{};
  options.struct_size = sizeof options;
  options.isolation = REC_ISOLATION_PROCESS;
  make<rec_report_t>([&](rec_report_t** out, rec_error_t** error) {
    return rec_model_evaluate(model.get(), data.get(), "ndcg@5", nullptr, &options, out, error);
  });
  EXPECT_FALSE(is_mapped("librecore_fpmc.so"));
  top_k(recommender(model.get()).get(), {1000}, 2);
  EXPECT_TRUE(is_mapped("librecore_fpmc.so")) << "serving runs it here, as the documentation says";
}

TEST_F(Worker, IsKilledWhenItDoesNotStop) {
  Dataset data;
  data.users = IdMap::from_int64(Buffer<int64_t>(1, 5));
  data.items = IdMap::from_int64(Buffer<int64_t>(1, 7));
  data.user = Buffer<int32_t>(1, 0);
  data.item = Buffer<int32_t>(1, 0);
  data.part = Buffer<Part>(1, Part::kTrain);
  const MemoryFile file = share_dataset(data);
  CancelToken cancel;
  {
    // It sends lines without end.
    WorkerProcess process("evil_flood", "training of 'evil_flood'", 0.2);
    process.call({{"call", "create"}, {"model", "evil_flood"}, {"params", ""}, {"options", TrainerOptions()}}, {&file},
                 {}, nullptr);
    cancel.request();
    EXPECT_THROW(process.call({{"call", "run"}}, {}, {}, &cancel), Error);
  }
  WorkerProcess process("evil_hang", "training of 'evil_hang'", 0.2);
  cancel.request();
  try {
    process.call({{"call", "create"}, {"model", "evil_hang"}, {"params", ""}, {"options", TrainerOptions()}}, {&file},
                 {}, &cancel);
    FAIL() << "it cannot end";
  } catch (const Error& error) {
    EXPECT_EQ(error.status, REC_PLUGIN_FAILED);
    EXPECT_EQ(error.message, "training of 'evil_hang': the worker process did not stop within 0.2 s and was killed");
  }
}

TEST_F(Worker, IsKilledWhenItGivesNoAnswerInTime) {
  WorkerProcess process("evil_hang", "the check of 'evil_hang'");
  const MemoryFile file = share_dataset(Dataset());
  try {
    process.call({{"call", "create"}, {"model", "evil_hang"}, {"params", ""}, {"options", TrainerOptions()}}, {&file},
                 {}, nullptr, 0.0);
    FAIL() << "no time is too short";
  } catch (const Error& error) {
    EXPECT_EQ(error.message, "the check of 'evil_hang': the worker process gave no answer within 0 s and was killed");
  }
}

TEST_F(Worker, KeepsWhatAPluginPrintsToItself) {
  const auto data = checkerboard();
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto t = in_worker(data.get(), "evil_abort", "{}");
  const std::string said =
      refusal([&] { call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); }); });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(said.find("it last wrote 'the plugin's last words'"), std::string::npos) << said;
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

TEST_F(Worker, WorksInAHostThatIgnoresItsChildren) {
  signal(SIGCHLD, SIG_IGN);
  const auto data = checkerboard();
  const auto t = in_worker(data.get(), "bprmf", kBprmf);
  EXPECT_EQ(TrainingRun()(t.get()), REC_OK);
  const auto exits = in_worker(data.get(), "evil_exit", "{}");
  const std::string said =
      refusal([&] { call([&](rec_error_t** error) { return rec_trainer_run(exits.get(), nullptr, error); }); });
  signal(SIGCHLD, SIG_DFL);
  EXPECT_NE(said.find("PLUGIN_FAILED"), std::string::npos) << said;
  EXPECT_NE(said.find("took its exit status"), std::string::npos) << said;
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
