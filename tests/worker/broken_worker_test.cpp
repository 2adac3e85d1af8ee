// A worker whose plugin crashes, hangs, lies or prints: an error of the call, and this process goes on.
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "tests/forked_child.h"
#include "tests/worker/worker_fixture.h"

namespace rec::test {
namespace {

class BrokenWorker : public Worker {};

Dataset one_interaction() {
  Dataset data;
  data.users = IdMap::from_int64(Buffer<int64_t>(1, 5));
  data.items = IdMap::from_int64(Buffer<int64_t>(1, 7));
  data.user = Buffer<int32_t>(1, 0);
  data.item = Buffer<int32_t>(1, 0);
  data.part = Buffer<Part>(1, Part::kTrain);
  return data;
}

// The plugin's death is an error with its cause, and this process goes on.
TEST_F(BrokenWorker, NamesTheSignalOfAPluginThatCrashes) {
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
TEST_F(BrokenWorker, IsKilledWhenItLies) {
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
TEST_F(BrokenWorker, ProtectsThisProcessFromEveryEvilPlugin) {
  const auto data = checkerboard();
  int n_tried = 0;
  for (const auto& entry : std::filesystem::directory_iterator(REC_BUILD_FOLDER "/lib/recore/evil")) {
    const std::string model = entry.path().stem().string().substr(std::string("librecore_").size());
    if (model == "evil_hang" || model == "evil_flood" || model == "evil_group" || model == "evil_deaf")
      continue;  // only a cancel or the time limit ends those, as other tests do
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
TEST_F(BrokenWorker, IsNoticedToHaveEndedThoughItsSocketIsHeld) {
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

// So the end of a trainer is not held up by a child that the host has forked meanwhile.
TEST_F(BrokenWorker, EndsThoughAForkedChildHoldsTheSocket) {
  const auto data = checkerboard();
  const auto seconds_to_end = [&](bool with_child) {
    auto t = in_worker(data.get(), "bprmf", kBprmf);
    const pid_t child = with_child ? fork() : -1;
    if (child == 0) {
      pause();
      end_forked_child(0);
    }
    const auto start = std::chrono::steady_clock::now();
    t.reset();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (child > 0) kill(child, SIGKILL), waitpid(child, nullptr, 0);
    return seconds.count();
  };
  const double alone = seconds_to_end(false);
  EXPECT_LT(seconds_to_end(true), alone + 1);
}

// The child's copy of a trainer that is being made must not end the parent's worker.
TEST_F(BrokenWorker, SurvivesAForkInALogSinkWhileItStarts) {
  static pid_t child;
  child = -1;
  const auto data = checkerboard();
  call([](rec_error_t** error) {
    const rec_log_fn sink = [](int32_t, const char*, void*) {
      if (child == -1) child = fork();
    };
    return rec_log_set_sink(sink, REC_LOG_INFO, nullptr, nullptr, error);
  });
  const rec_trainer_options_t options = trainer_options(REC_ISOLATION_PROCESS);
  rec_trainer_t* made = nullptr;
  const rec_status_t status =
      rec_trainer_create(data.get(), "bprmf", kBprmf.c_str(), &options, nullptr, &made, nullptr);
  if (child == 0) end_forked_child(status == REC_BAD_STATE ? 0 : 1);
  rec_log_set_sink(nullptr, REC_LOG_INFO, nullptr, nullptr, nullptr);
  const Handle<rec_trainer_t> t(made);
  ASSERT_GT(child, 0) << "a worker logs that its plugin is loaded";
  int ended = -1;
  waitpid(child, &ended, 0);
  EXPECT_EQ(ended, 0);
  ASSERT_EQ(status, REC_OK);
  EXPECT_EQ(TrainingRun()(t.get()), REC_OK);
}

TEST_F(BrokenWorker, IsNotWaitedForWithoutEndWhenItReadsNothing) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
  Channel host{Descriptor(sockets[0])};
  const Descriptor deaf(sockets[1]);
  int n_asked = 0, n_sent = 0;
  while (host.send({{"seen", std::string(1000, 'x')}}, {}, [&] { return ++n_asked < 3; })) ++n_sent;
  EXPECT_GT(n_sent, 10);
  EXPECT_EQ(n_asked, 3);
}

// The worker is stopped, and a process that it has started sends sound events, to which this process replies.
TEST_F(BrokenWorker, IsKilledWhenItReadsNothing) {
  const MemoryFile file = share_dataset(one_interaction());
  const auto said = [&](const Patience& patience, bool cancels) {
    CancelToken cancel;
    int n_events = 0;
    const auto observer = [&](const TrainingEvent&) {
      if (++n_events == 10 && cancels) cancel.request();  // the worker has begun by then
    };
    WorkerProcess process("evil_deaf", "training of 'evil_deaf'", patience);
    process.call({{"call", "create"}, {"model", "evil_deaf"}, {"params", ""}, {"options", TrainerOptions()}}, {&file},
                 {}, nullptr);
    try {
      process.call({{"call", "run"}}, {}, observer, &cancel);
      return std::string("it cannot end");
    } catch (const Error& error) {
      return error.message;
    }
  };
  EXPECT_EQ(said({.to_stop = 60, .to_read = 0.2, .to_end = 60}, false),
            "training of 'evil_deaf': the worker process read nothing for 0.2 s and was killed");
  EXPECT_EQ(said({.to_stop = 60, .to_read = 60, .to_end = 0.3}, true),
            "training of 'evil_deaf': the worker process read nothing for 0.3 s and was killed");
  EXPECT_EQ(own_workers().size(), 0u);
}

TEST_F(BrokenWorker, KeepsItsPluginOutOfThisProcess) {
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

TEST_F(BrokenWorker, IsKilledWhenItDoesNotStop) {
  const MemoryFile file = share_dataset(one_interaction());
  for (const std::string model : {"evil_flood", "evil_group"}) {  // lines without end; not of the group that is killed
    CancelToken cancel;
    std::optional<WorkerProcess> process(std::in_place, model, "training of '" + model + "'", Patience{.to_stop = 0.2});
    process->call({{"call", "create"}, {"model", model}, {"params", ""}, {"options", TrainerOptions()}}, {&file}, {},
                  nullptr);
    const std::jthread later([&] {
      std::this_thread::sleep_for(std::chrono::seconds(1));  // it is in its compute by then
      cancel.request();
    });
    try {
      process->call({{"call", "run"}}, {}, {}, &cancel);
      FAIL() << model << " cannot end";
    } catch (const Error& error) {
      EXPECT_EQ(error.message,
                "training of '" + model + "': the worker process did not stop within 0.2 s and was killed");
    }
    process.reset();
    EXPECT_EQ(own_workers().size(), 0u);
  }
  CancelToken cancel;
  const std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::seconds(3));  // it is in its initialize by then
    cancel.request();
  });
  WorkerProcess process("evil_hang", "training of 'evil_hang'", Patience{.to_stop = 0.2});
  try {
    process.call({{"call", "create"}, {"model", "evil_hang"}, {"params", ""}, {"options", TrainerOptions()}}, {&file},
                 {}, &cancel);
    FAIL() << "it cannot end";
  } catch (const Error& error) {
    EXPECT_EQ(error.status, REC_PLUGIN_FAILED);
    EXPECT_EQ(error.message, "training of 'evil_hang': the worker process did not stop within 0.2 s and was killed");
  }
}

TEST_F(BrokenWorker, IsKilledWhenItGivesNoAnswerInTime) {
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

TEST_F(BrokenWorker, KeepsWhatAPluginPrintsToItself) {
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

TEST_F(BrokenWorker, WorksInAHostThatIgnoresItsChildren) {
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

}  // namespace
}  // namespace rec::test
