#include "core/base/error.h"

#include <cerrno>
#include <new>
#include <system_error>

namespace rec {

Error system_error(std::string_view what, std::string_view path, int errno_value) {
  const rec_status_t status = errno_value == ENOENT || errno_value == ENOTDIR                         ? REC_NOT_FOUND
                              : errno_value == EACCES || errno_value == EPERM || errno_value == EROFS ? REC_DENIED
                              : errno_value == ENOMEM ? REC_OUT_OF_MEMORY
                                                      : REC_IO;
  Error error(status, cat("cannot ", what, " ", path, ": ", std::generic_category().message(errno_value)));
  error.file = std::string(path);
  return error;
}

const char* status_name(rec_status_t status) {
  switch (status) {
    case REC_OK: return "OK";
    case REC_INVALID_ARGUMENT: return "INVALID_ARGUMENT";
    case REC_NOT_FOUND: return "NOT_FOUND";
    case REC_UNSUPPORTED: return "UNSUPPORTED";
    case REC_BAD_STATE: return "BAD_STATE";
    case REC_IO: return "IO";
    case REC_CORRUPT_DATA: return "CORRUPT_DATA";
    case REC_INVALID_DATA: return "INVALID_DATA";
    case REC_OUT_OF_MEMORY: return "OUT_OF_MEMORY";
    case REC_LIMIT: return "LIMIT";
    case REC_NUMERIC: return "NUMERIC";
    case REC_DEVICE: return "DEVICE";
    case REC_BUSY: return "BUSY";
    case REC_DENIED: return "DENIED";
    case REC_ABI_MISMATCH: return "ABI_MISMATCH";
    case REC_PLUGIN_FAILED: return "PLUGIN_FAILED";
    case REC_CANCELLED: return "CANCELLED";
    case REC_INTERNAL: return "INTERNAL";
    default: return "UNKNOWN";
  }
}

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(REC_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return Error(REC_INTERNAL, cat("internal error: ", error.what()));
  } catch (...) {
    return Error(REC_INTERNAL, "internal error of an unknown type");
  }
}

}  // namespace rec
