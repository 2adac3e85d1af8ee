// How the process reports the way it ended; docs/cli.md has the same table.
#pragma once

#include "rec_c_api.h"

namespace rec::cli {

constexpr int kExitInternal = 1;
constexpr int kExitUsage = 2;
constexpr int kExitNotFound = 3;
constexpr int kExitData = 4;
constexpr int kExitIo = 5;
constexpr int kExitUnsupported = 6;
constexpr int kExitLimit = 7;
constexpr int kExitNumeric = 8;
constexpr int kExitCancelled = 130;

constexpr int exit_code(rec_status_t status) {
  switch (status) {
    case REC_OK: return 0;
    case REC_INVALID_ARGUMENT: return kExitUsage;
    case REC_NOT_FOUND: return kExitNotFound;
    case REC_INVALID_DATA:
    case REC_CORRUPT_DATA: return kExitData;
    case REC_IO:
    case REC_DENIED: return kExitIo;
    case REC_UNSUPPORTED:
    case REC_ABI_MISMATCH:
    case REC_DEVICE:
    case REC_PLUGIN_FAILED: return kExitUnsupported;
    case REC_LIMIT:
    case REC_OUT_OF_MEMORY: return kExitLimit;
    case REC_NUMERIC: return kExitNumeric;
    case REC_CANCELLED: return kExitCancelled;
    default: return kExitInternal;
  }
}

}  // namespace rec::cli
