#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rec {

// A bounded pool. Work is cut into chunks that depend on n only, so results do not depend on the number of threads.
class ThreadPool {
 public:
  // The calling thread works too: n_threads = 1 starts none. A thread that cannot be started is done without.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // body(begin, end) over [0, n) in chunks; returns when all are done; the first exception is rethrown. One caller at a
  // time: a second concurrent call, or one from inside a body, runs all its chunks itself.
  void parallel_for(int64_t n, int64_t chunk, const std::function<void(int64_t, int64_t)>& body);

 private:
  struct Job;
  void work();

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

// What `threads` means: 0 = as many as the machine offers this process, else the number, at most 256.
int resolve_threads(int64_t threads);

}  // namespace rec
