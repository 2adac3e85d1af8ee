#pragma once

#include <dirent.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "core/worker/worker_process.h"
#include "tests/conformance/worlds.h"
#include "tests/unit/temp_folder.h"

// Trainings in a worker process, and what they leave.
namespace rec::test {

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A failed call's status, message and argument.
inline std::string refusal(const std::function<void()>& body) {
  try {
    body();
    return "OK";
  } catch (const CallFailed& failure) {
    return std::string(failure.what()) + " (" + failure.argument + ")";
  }
}

// Workers of any thread of this process: calls start workers on threads of the library.
inline std::vector<pid_t> own_workers() {
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

inline int64_t open_files() {
  DIR* folder = opendir("/proc/self/fd");
  int64_t n = 0;
  while (readdir(folder) != nullptr) ++n;
  closedir(folder);
  return n;
}

inline rec_trainer_options_t trainer_options(int32_t isolation) {
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

inline const std::string kBprmf = R"({"emb_size": 8, "epochs": 6, "batch_size": 32, "lr": 0.05, "threads": 2})";

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

}  // namespace rec::test
