#pragma once

#include <cstdint>

#include "core/base/error.h"

namespace rec {

// Sizes from outside are hostile: arithmetic that would wrap is LIMIT.
inline int64_t checked_mul(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result)) throw Error(REC_LIMIT, cat("size ", a, " x ", b, " does not fit 64 bits"));
  return result;
}

inline int64_t checked_add(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_add_overflow(a, b, &result)) throw Error(REC_LIMIT, cat("size ", a, " + ", b, " does not fit 64 bits"));
  return result;
}

// The memory that a host allows this object to use; charged before allocation.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit_bytes = 0) : limit_(limit_bytes) {}

  void charge(int64_t bytes, const char* what) {
    used_ = checked_add(used_, bytes);
    if (limit_ > 0 && used_ > limit_)
      throw Error(REC_LIMIT, cat("memory_limit_bytes: ", what, " needs ", bytes, " bytes, ", used_,
                                 " in all; the limit is ", limit_));
  }
  void give_back(int64_t bytes) { used_ -= bytes; }
  int64_t used() const { return used_; }
  int64_t limit() const { return limit_; }

 private:
  int64_t limit_;
  int64_t used_ = 0;
};

}  // namespace rec
