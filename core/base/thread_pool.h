#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rec {

// A bounded pool. Work is cut into chunks that depend on n only, so results do not depend on the number of threads.
class ThreadPool {
 public:
  // The calling thread works too: n_threads = 1 starts none. If a thread cannot be started, the pool has fewer.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // body(begin, end) over [0, n) in chunks; returns when all are done; the first exception is rethrown. One caller at a
  // time: a second concurrent call, or one from inside a body, runs all its chunks itself.
  void parallel_for(int64_t n, int64_t chunk, const std::function<void(int64_t, int64_t)>& body);

 private:
  void work();
  void run_chunks();
  bool wait_for_job(uint64_t& seen);

  // The job. Written by its caller while no worker is inside; a worker reads it only between enter and leave.
  const std::function<void(int64_t, int64_t)>* body_ = nullptr;
  int64_t n_ = 0, chunk_ = 1;
  alignas(64) std::atomic<int64_t> next_{0};  // first row not taken yet
  alignas(64) std::atomic<uint64_t> job_{0};  // number of the open job; even = none is open
  alignas(64) std::atomic<int> inside_{0};    // workers that may be using the job
  std::atomic<bool> busy_{false};             // a caller has the pool
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;  // guarded by mutex_

  // Workers that found no job for a while sleep.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<int> sleeping_{0};
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

// The number that `threads` means: 0 = as many as the machine offers this process; at most 256.
int resolve_threads(int64_t threads);

}  // namespace rec
