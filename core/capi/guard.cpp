#include "core/capi/guard.h"

namespace rec {

namespace {

// Small numbers are no handles of the table: generation 0 does not occur.
rec_error_t* const kForked = reinterpret_cast<rec_error_t*>(uintptr_t{1});
rec_error_t* const kOutOfMemory = reinterpret_cast<rec_error_t*>(uintptr_t{2});

// Made at load time and never destroyed.
const Error& forked = *new Error(Process::forked_error());
const Error& out_of_memory = *new Error(REC_OUT_OF_MEMORY, "out of memory");

rec_status_t report(Error error, rec_error_t** out_error) {
  const rec_status_t status = error.status;
  if (out_error != nullptr)
    *out_error = new_handle<rec_error_t>(std::make_shared<ErrorObject>(ErrorObject{std::move(error)}));
  return status;
}

}  // namespace

const Error* standing_error(const rec_error_t* handle) {
  if (handle == kForked || (handle != kOutOfMemory && Process::is_forked_child())) return &forked;
  return handle == kOutOfMemory ? &out_of_memory : nullptr;
}

rec_status_t report_forked(rec_error_t** out_error) {
  if (out_error != nullptr) *out_error = kForked;
  return REC_BAD_STATE;
}

rec_status_t report_current_exception(rec_error_t** out_error) noexcept {
  try {
    return report(current_error(), out_error);
  } catch (...) {  // no memory for the error itself
    if (out_error != nullptr) *out_error = kOutOfMemory;
    return REC_OUT_OF_MEMORY;
  }
}

}  // namespace rec
