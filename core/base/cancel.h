#pragma once

#include <atomic>

#include "core/base/error.h"

namespace rec {

// Asked between pieces of work that take at most 100 ms each.
class CancelToken {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

inline void throw_if_cancelled(const CancelToken* cancel) {
  if (cancel != nullptr && cancel->requested()) throw Error(REC_CANCELLED, "cancelled by the caller");
}

}  // namespace rec
