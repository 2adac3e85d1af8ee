#pragma once

#include <atomic>
#include <limits>

#include "core/base/error.h"

namespace rec {

// What a long call shares with the thread that waits for it: the request to stop, and the progress. The work checks it
// between pieces of at most 100 ms.
class CancelToken {
 public:
  void request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

  // The share of the work that is done, 0 to 1; NaN until the work has reported any.
  void set_done(double share) const { done_.store(share, std::memory_order_relaxed); }
  double done() const { return done_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  mutable std::atomic<double> done_{std::numeric_limits<double>::quiet_NaN()};
};

// The thread that waits for a long call has ended, within a callback.
struct CallerEnded : Error {
  CallerEnded() : Error(REC_CANCELLED, "the calling thread has ended") {}
};

inline void throw_if_cancelled(const CancelToken* cancel) {
  if (cancel != nullptr && cancel->requested()) throw Error(REC_CANCELLED, "cancelled by the caller");
}

// For the comparisons of a long sort: looks at the token once in a while.
class CancelCheck {
 public:
  explicit CancelCheck(const CancelToken* cancel) : cancel_(cancel) {}
  void operator()() {
    if ((++n_ & 0xfff) == 0) throw_if_cancelled(cancel_);
  }

 private:
  const CancelToken* cancel_;
  uint32_t n_ = 0;
};

inline void set_done(const CancelToken* cancel, double share) {
  if (cancel != nullptr) cancel->set_done(share);
}

}  // namespace rec
