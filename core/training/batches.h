#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "core/training/row_source.h"

namespace rec {

// Place in a training run: how many epochs, and how many batches of the next one, are done.
struct Cursor {
  int64_t epoch = 0, batch = 0;
};

// Batches from a cursor on, built ahead on a separate thread.
class BatchStream {
 public:
  // The producer fills the queue, then sleeps until half of it is taken: waking it for each batch costs the step more.
  static constexpr size_t kAhead = 8, kRefill = kAhead / 2;

  // The source is this stream's while it lives.
  BatchStream(RowSource& source, Cursor start, int64_t n_epochs);
  ~BatchStream();

  // The next batch, or nullptr after the last; valid until the next call. Rethrows what went wrong in building it.
  Batch* next();

 private:
  void produce();

  RowSource& source_;
  const Cursor start_;
  const int64_t n_epochs_;
  std::mutex mutex_;
  std::condition_variable filled_, wanted_;
  std::deque<std::unique_ptr<Batch>> ready_, spare_;
  std::unique_ptr<Batch> current_;
  std::exception_ptr failure_;
  bool finished_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace rec
