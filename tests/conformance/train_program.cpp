// Trains a model with a checkpoint after every batch and dies of SIGKILL where it is told to:
//   rec_train_program MODEL PARAMS_JSON OUT.rec OUT.ckpt never|after_checkpoint=N|in_save=N|in_worker
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/conformance/capi.h"

namespace {

int64_t die_in_save = -1, saves = 0;

struct Progress {
  int64_t die_after_checkpoint = -1, checkpoints = 0, start = -1, batches = 0, per_epoch = 0;
};

}  // namespace

// Overrides libc's: a checkpoint is flushed after its bytes are written and before it is renamed.
extern "C" __attribute__((visibility("default"))) int fsync(int fd) {
  if (++saves == 2 * die_in_save - 1) raise(SIGKILL);  // each save flushes its file and its folder
  return static_cast<int>(syscall(SYS_fsync, fd));
}

int main(int argc, char** argv) {
  using namespace rec::test;
  if (argc != 6) return 2;
  for (const char* folder : {REC_PLUGINS_FOLDER, REC_BUILD_FOLDER "/lib/recore/third_party"})
    rec_plugin_add_folder(folder, nullptr);
  Progress progress;
  if (std::strncmp(argv[5], "after_checkpoint=", 17) == 0) progress.die_after_checkpoint = std::atoi(argv[5] + 17);
  if (std::strncmp(argv[5], "in_save=", 8) == 0) die_in_save = std::atoi(argv[5] + 8);
  try {
    std::vector<int64_t> users, items;
    std::vector<int32_t> parts;
    for (int64_t u = 0; u < 60; ++u)
      for (int64_t i = u % 2; i < 500; i += 2) {
        if ((u * 7 + i * 13) % 11 > 2) continue;
        users.push_back(u);
        items.push_back(i);
        parts.push_back((u + i / 2) % 9 == 0 ? REC_PART_VALID : REC_PART_TRAIN);
      }
    const auto data = dataset(users, items, parts);
    rec_trainer_options_t options{};
    options.struct_size = sizeof options;
    options.resume = 1;
    options.checkpoint_path = argv[4];
    options.checkpoint_batches = 1;
    options.metrics = "ndcg@10";
    if (std::strcmp(argv[5], "in_worker") == 0) options.isolation = REC_ISOLATION_PROCESS;
    std::string params = argv[2];
    if (const size_t at = params.find("\"epochs\": 60"); at != std::string::npos)
      params.replace(at, 12, "\"epochs\": 2");
    if (const size_t at = params.find("\"batch_size\": "); at != std::string::npos)
      params.replace(at, 16, "\"batch_size\": 150");
    const auto t = trainer(data.get(), argv[1], params, &options);
    rec_run_options_t run{};
    run.struct_size = sizeof run;
    run.user_data = &progress;
    run.on_event = [](const rec_event_t* event, void* user_data) -> rec_status_t {
      Progress& p = *static_cast<Progress*>(user_data);
      const int64_t done = (event->epoch - 1) * event->n_batches + event->batch;
      if (event->kind == REC_EVENT_START) p.start = done;
      if (event->kind == REC_EVENT_CHECKPOINT) {
        p.batches = done - p.start;
        if (++p.checkpoints == p.die_after_checkpoint) raise(SIGKILL);
      }
      return REC_OK;
    };
    call([&](rec_error_t** error) { return rec_trainer_run(t.get(), &run, error); });
    save(model_of(t.get()).get(), argv[3]);
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  std::printf("start=%lld batches=%lld\n", static_cast<long long>(progress.start),
              static_cast<long long>(progress.batches));
  return 0;
}
