#pragma once

#include <functional>

#include "core/base/cancel.h"
#include "core/base/process.h"
#include "core/training/trainer.h"
#include "rec_c_api.h"

namespace rec {

// What the work, on a library thread, may ask of the calling thread.
struct Caller {
  const CancelToken* cancel;
  Observer observer;                                            // delivers an event there
  std::function<void(const std::function<void()>&)> on_caller;  // runs a body there and waits; rethrows its exception
};

// Runs `work` on a library thread with its own stack size, while the calling thread delivers events, ticks and log lines
// and checks the host's cancel token. Library threads never call host code. Rethrows what `work` threw; a status
// other than OK from on_event stops the work and is thrown.
void run_long_call(const rec_run_options_t* options, const std::function<void(const Caller& caller)>& work);

// The same for work that has a result.
template <class Work>
auto long_call(const rec_run_options_t* options, const Work& work) {
  using Result = decltype(work(std::declval<const Caller&>()));
  const OwnedByProcess<std::optional<Result>> result(new std::optional<Result>);
  run_long_call(options, [&](const Caller& caller) { result->emplace(work(caller)); });
  return std::move(**result);
}

}  // namespace rec
