#include "core/capi/guard.h"

#include <pthread.h>

#include <atomic>

namespace rec {

namespace {

std::atomic<bool> in_forked_child{false};

// At load time, so that calls pay one relaxed read.
[[maybe_unused]] const int fork_watch =
    pthread_atfork(nullptr, nullptr, [] { in_forked_child.store(true, std::memory_order_relaxed); });

rec_status_t report(Error error, rec_error_t** out_error) noexcept {
  const rec_status_t status = error.status;
  if (out_error == nullptr) return status;
  try {
    *out_error = new_handle<rec_error_t>(std::make_shared<ErrorObject>(ErrorObject{std::move(error)}));
  } catch (...) {  // no memory for the text: the status has to suffice
  }
  return status;
}

}  // namespace

void check_process() {
  if (in_forked_child.load(std::memory_order_relaxed))
    throw Error(REC_BAD_STATE,
                "this process was forked from one that uses Recore; start a new process (spawn) instead");
}

rec_status_t report_current_exception(rec_error_t** out_error) noexcept {
  try {
    return report(current_error(), out_error);
  } catch (...) {  // no memory for the message
    return REC_OUT_OF_MEMORY;
  }
}

}  // namespace rec
