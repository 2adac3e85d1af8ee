#pragma once

#include <sys/types.h>

#include <limits>
#include <string>

#include "core/worker/channel.h"

namespace rec {

// Seconds that a worker process gets before it is killed.
struct Patience {
  double to_stop = 60;  // when asked to: it may have to write a large checkpoint
  double to_read = 60;  // a message: it has a thread for that
  double to_end = 2;    // once its socket is closed, and to read a message when the call is cancelled
};

// A `recore-worker`, in which a plugin and its runtime run instead of in this process. It ends when its socket does: with
// this object, or with this process. Threads: one call at a time.
class WorkerProcess {
 public:
  // Starts one for a model: it gets the plugin folders and the model's plugin file. `what` says in messages what it is
  // for: "training of 'ans'".
  WorkerProcess(const std::string& model, std::string what, const Patience& patience = {});
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Sends a request and waits for its answer; events and log lines come in between. An error in the worker is
  // thrown here. When the process dies, is late or sends what is not sound: PLUGIN_FAILED with the reason, such as the
  // signal's name, and BAD_STATE from then on. The answer itself is for the caller to check.
  Message call(const Json& request, const std::vector<const MemoryFile*>& files, const Observer& observer,
               const CancelToken* cancel, double seconds = std::numeric_limits<double>::infinity());

 private:
  void send(const Json& body, const std::vector<const MemoryFile*>& files, const CancelToken* cancel);
  bool handle(Message& message, const Observer& observer, const CancelToken* cancel);
  std::optional<Message> next(const CancelToken* cancel);
  void ask_to_stop();
  void kill(std::string why);
  void kill_group();
  bool has_ended() const;
  void read_output();
  [[noreturn]] void report_end();
  std::string end();

  const std::string what_;
  const Patience patience_;
  std::optional<Channel> channel_;
  Descriptor output_;        // of the process: what a runtime prints must not mix with this one's
  std::string last_output_;  // the last part of it
  std::string ended_;        // how the process ended, once it has
  pid_t pid_ = -1;
  bool must_stop_ = false, told_to_stop_ = false;
  double answer_by_ = 0;  // seconds of the monotonic clock
  std::string late_;      // what it did not do by then
};

}  // namespace rec
