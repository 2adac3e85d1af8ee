#include "core/base/process.h"

#include <pthread.h>

namespace rec {

std::atomic<bool> Process::forked_{false}, Process::used_{false};
std::atomic<int> Process::setting_up_{0};

void Process::child_after_fork() {
  if (used_.load(std::memory_order_relaxed) || setting_up_.load(std::memory_order_relaxed) > 0)
    forked_.store(true, std::memory_order_relaxed);
}

// At load time, so that calls pay one relaxed read.
const int Process::watch_ = pthread_atfork(nullptr, nullptr, child_after_fork);

}  // namespace rec
