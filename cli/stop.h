// SIGINT, SIGTERM and SIGHUP as the library's cancel token.
#pragma once

#include <functional>
#include <memory>

#include "rec_c_api.h"

namespace rec::cli {

class Stop {
 public:
  // Call before any thread is started: the signals are blocked in this thread and those it starts.
  // on_abandon runs on the watching thread, just before the process exits from inside an Abandonable.
  explicit Stop(std::function<void()> on_abandon);

  rec_cancel_t* token() const;
  bool requested() const;
  // Options for a long call that a signal cancels.
  rec_run_options_t run() const;

  // While one lives, the work cannot be cancelled through the token and leaves nothing half done, so a signal ends the
  // process at once.
  class Abandonable {
   public:
    explicit Abandonable(Stop& stop);
    ~Abandonable();
    Abandonable(const Abandonable&) = delete;
    Abandonable& operator=(const Abandonable&) = delete;

   private:
    Stop& stop_;
  };

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rec::cli
