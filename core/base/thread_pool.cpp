#include "core/base/thread_pool.h"

#include <sched.h>

#include <algorithm>

namespace rec {

namespace {

// Jobs of a training step often follow each other immediately; a worker that spins a little longer need not be woken.
constexpr int kSpins = 3000;

void relax(int spin) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
  if (spin % 64 == 63) sched_yield();  // another thread may need this core to make progress
}

}  // namespace

ThreadPool::ThreadPool(int n_threads) {
  workers_.reserve(std::max(n_threads - 1, 0));
  for (int i = 1; i < n_threads; ++i) {
    try {
      workers_.emplace_back([this] { work(); });
    } catch (...) {  // no thread, or no memory for one: the pool makes do with those it has
      break;
    }
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(int64_t n, int64_t chunk, const std::function<void(int64_t, int64_t)>& body) {
  if (n <= 0) return;
  chunk = std::max<int64_t>(chunk, 1);
  if (workers_.empty() || n <= chunk || busy_.exchange(true)) {
    for (int64_t begin = 0; begin < n; begin += chunk) body(begin, std::min(begin + chunk, n));
    return;
  }
  body_ = &body;
  n_ = n;
  chunk_ = chunk;
  failed_.store(false);
  next_.store(0);
  job_.fetch_add(1);  // odd: open
  if (sleeping_.load() > 0) {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  run_chunks();
  job_.fetch_add(1);  // closed: a worker that comes now leaves without working
  for (int spin = 0; inside_.load() > 0; ++spin) relax(spin);
  std::exception_ptr failure;
  if (failed_.load()) {
    const std::lock_guard lock(mutex_);
    failure = std::exchange(failure_, nullptr);
  }
  busy_.store(false);
  if (failure) std::rethrow_exception(failure);
}

void ThreadPool::run_chunks() {
  while (!failed_.load(std::memory_order_relaxed)) {
    const int64_t begin = next_.fetch_add(chunk_);
    if (begin >= n_) return;
    try {
      (*body_)(begin, std::min(begin + chunk_, n_));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failed_.exchange(true)) failure_ = std::current_exception();
    }
  }
}

// True when a job opened that this worker has not seen; false when the pool ends.
bool ThreadPool::wait_for_job(uint64_t& seen) {
  const auto opened = [&] { return job_.load() != seen && job_.load() % 2 == 1; };
  for (int spin = 0; spin < kSpins; ++spin) {
    if (opened()) return true;
    relax(spin);
  }
  std::unique_lock lock(mutex_);
  sleeping_.fetch_add(1);
  wake_.wait(lock, [&] { return stop_ || opened(); });
  sleeping_.fetch_sub(1);
  return !stop_;
}

void ThreadPool::work() {
  uint64_t seen = 0;
  while (wait_for_job(seen)) {
    inside_.fetch_add(1);
    const uint64_t job = job_.load();
    if (job % 2 == 1) {  // still open: its caller waits for us now
      seen = job;
      run_chunks();
    }
    inside_.fetch_sub(1);
  }
}

int resolve_threads(int64_t threads) {
  if (threads > 0) return static_cast<int>(std::min<int64_t>(threads, 256));
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace rec
