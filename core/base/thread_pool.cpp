#include "core/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <system_error>

namespace rec {

struct ThreadPool::Job {
  const std::function<void(int64_t, int64_t)>* body;
  int64_t n, chunk;
  int64_t next = 0;     // first row nobody has taken; guarded by the pool's mutex
  int active = 0;       // threads inside body
  std::exception_ptr failure;
};

ThreadPool::ThreadPool(int n_threads) {
  for (int i = 1; i < n_threads; ++i) {
    try {
      workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
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
  Job job{&body, n, chunk, 0, 0, nullptr};
  std::unique_lock lock(mutex_);
  const bool alone = workers_.empty() || job_ != nullptr || n <= chunk;
  if (alone) {
    lock.unlock();
    for (int64_t begin = 0; begin < n; begin += chunk) body(begin, std::min(begin + chunk, n));
    return;
  }
  job_ = &job;
  wake_.notify_all();
  while (job.next < job.n && !job.failure) {
    const int64_t begin = job.next;
    job.next += chunk;
    lock.unlock();
    try {
      body(begin, std::min(begin + chunk, n));
    } catch (...) {
      lock.lock();
      if (!job.failure) job.failure = std::current_exception();
      continue;
    }
    lock.lock();
  }
  job_ = nullptr;
  done_.wait(lock, [&] { return job.active == 0; });
  lock.unlock();
  if (job.failure) std::rethrow_exception(job.failure);
}

void ThreadPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || (job_ != nullptr && job_->next < job_->n && !job_->failure); });
    if (stop_) return;
    Job& job = *job_;
    ++job.active;
    while (job.next < job.n && !job.failure) {
      const int64_t begin = job.next;
      job.next += job.chunk;
      lock.unlock();
      std::exception_ptr failure;
      try {
        (*job.body)(begin, std::min(begin + job.chunk, job.n));
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      if (failure && !job.failure) job.failure = failure;
    }
    if (--job.active == 0) done_.notify_all();
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
