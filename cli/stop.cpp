#include "cli/stop.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "cli/api.h"
#include "cli/exit_codes.h"

namespace rec::cli {

struct Stop::State {
  std::function<void()> on_abandon;
  rec_cancel_t* token = nullptr;
  std::mutex mutex;
  bool signalled = false;
  int n_abandonable = 0;

  // With the mutex held.
  [[noreturn]] void abandon() const {
    on_abandon();
    ::_exit(kExitCancelled);
  }
};

namespace {

// A signal that is already ignored at the start (nohup, a shell's background job) stays ignored.
sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  return signals;
}

}  // namespace

Stop::Stop(std::function<void()> on_abandon) : state_(std::make_shared<State>()) {
  state_->on_abandon = std::move(on_abandon);
  call(rec_cancel_create, &state_->token);
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // Detached: it waits for signals until the process ends.
  std::thread([state = state_, signals] {
    int signal = 0;
    while (sigwait(&signals, &signal) == 0) {
      const std::lock_guard lock(state->mutex);
      if (state->signalled) ::_exit(kExitCancelled);  // second request
      state->signalled = true;
      rec_cancel_request(state->token, nullptr);
      if (state->n_abandonable > 0) state->abandon();
    }
  }).detach();
}

rec_cancel_t* Stop::token() const { return state_->token; }

bool Stop::requested() const {
  const std::lock_guard lock(state_->mutex);
  return state_->signalled;
}

rec_run_options_t Stop::run() const {
  auto run = initialized<rec_run_options_t>(rec_run_options_init);
  run.cancel = state_->token;
  return run;
}

Stop::Abandonable::Abandonable(Stop& stop) : stop_(stop) {
  const std::lock_guard lock(stop_.state_->mutex);
  if (stop_.state_->signalled) stop_.state_->abandon();
  ++stop_.state_->n_abandonable;
}

Stop::Abandonable::~Abandonable() {
  const std::lock_guard lock(stop_.state_->mutex);
  --stop_.state_->n_abandonable;
}

}  // namespace rec::cli
