#include "core/training/batches.h"

namespace rec {

BatchStream::BatchStream(RowSource& source, Cursor start, int64_t n_epochs)
    : source_(source), start_(start), n_epochs_(n_epochs), thread_([this] { produce(); }) {}

BatchStream::~BatchStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wanted_.notify_one();
  thread_.join();
}

Batch* BatchStream::next() {
  std::unique_lock lock(mutex_);
  if (current_ != nullptr) spare_.push_back(std::move(current_));
  filled_.wait(lock, [this] { return !ready_.empty() || finished_; });
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return nullptr;
  }
  current_ = std::move(ready_.front());
  ready_.pop_front();
  if (ready_.size() <= kRefill) wanted_.notify_one();
  return current_.get();
}

void BatchStream::produce() {
  try {
    const int64_t n_batches = source_.batches_per_epoch();
    for (int64_t epoch = start_.epoch; epoch < n_epochs_; ++epoch) {
      const int64_t first = epoch == start_.epoch ? start_.batch : 0;
      source_.seek(epoch, first);
      for (int64_t index = first; index < n_batches; ++index) {
        std::unique_ptr<Batch> batch;
        {
          std::unique_lock lock(mutex_);
          if (ready_.size() >= kAhead) wanted_.wait(lock, [this] { return stop_ || ready_.size() <= kRefill; });
          if (stop_) return;
          if (!spare_.empty()) {
            batch = std::move(spare_.front());
            spare_.pop_front();
          }
        }
        if (batch == nullptr) batch = std::make_unique<Batch>();
        batch->epoch = epoch;
        batch->index = index;
        source_.fill(*batch);
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(batch));
        filled_.notify_one();
      }
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
  filled_.notify_one();
}

}  // namespace rec
