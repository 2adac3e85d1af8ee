#include "core/training/batches.h"

#include <algorithm>
#include <numeric>

#include "core/base/rng.h"

namespace rec {

BatchStream::BatchStream(const BatchPlan& plan, Cursor start, int64_t n_epochs)
    : plan_(plan), start_(start), n_epochs_(n_epochs), thread_([this] { produce(); }) {}

BatchStream::~BatchStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

const Batch* BatchStream::next() {
  std::unique_lock lock(mutex_);
  if (current_ != nullptr) spare_.push_back(std::move(current_));
  changed_.notify_all();
  changed_.wait(lock, [this] { return !ready_.empty() || finished_; });
  if (ready_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return nullptr;
  }
  current_ = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return current_.get();
}

void BatchStream::produce() {
  try {
    const int64_t n_batches = plan_.batches_per_epoch();
    for (int64_t epoch = start_.epoch; epoch < n_epochs_; ++epoch) {
      const Buffer<int32_t> order = plan_.rows == REC_PLAN_ITEMS ? Buffer<int32_t>() : shuffled(epoch);
      for (int64_t index = epoch == start_.epoch ? start_.batch : 0; index < n_batches; ++index) {
        std::unique_ptr<Batch> batch;
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [this] { return stop_ || ready_.size() < kAhead; });
          if (stop_) return;
          if (!spare_.empty()) {
            batch = std::move(spare_.front());
            spare_.pop_front();
          }
        }
        if (batch == nullptr) batch = std::make_unique<Batch>();
        batch->epoch = epoch;
        batch->index = index;
        fill(*batch, order);
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(batch));
        changed_.notify_all();
      }
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

// Fisher-Yates over the training interactions, a function of (seed, epoch).
Buffer<int32_t> BatchStream::shuffled(int64_t epoch) const {
  const int64_t n = plan_.rows_per_epoch();
  auto order = Buffer<int32_t>::uninitialized(n);
  std::iota(order.begin(), order.end(), 0);
  Rng rng(plan_.seed, RngStream::kShuffle, static_cast<uint64_t>(epoch));
  for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[rng.next_below(static_cast<uint32_t>(i + 1))]);
  return order;
}

void BatchStream::fill(Batch& batch, const Buffer<int32_t>& order) const {
  const int64_t begin = batch.index * plan_.batch_size;
  const int64_t n = std::min(plan_.batch_size, plan_.rows_per_epoch() - begin);
  const int64_t columns = 1 + plan_.n_negatives;
  batch.first_row = begin;
  batch.n_rows = n;
  batch.n_candidates = columns;
  if (batch.items.size() < n * columns) batch.items = Buffer<int32_t>::uninitialized(n * columns);
  if (plan_.rows == REC_PLAN_ITEMS) {
    std::iota(batch.items.begin(), batch.items.begin() + n, static_cast<int32_t>(begin));
    return;
  }
  if (batch.users.size() < n) batch.users = Buffer<int32_t>::uninitialized(n);
  if (plan_.weights && batch.weights.size() < n) batch.weights = Buffer<float>::uninitialized(n);
  const Interactions& train = *plan_.train;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t row = order[begin + i];
    batch.users[i] = train.user_of[row];
    batch.items[i * columns] = train.by_user.columns[row];
    if (plan_.weights) batch.weights[i] = train.user_weight.empty() ? 1.f : train.user_weight[row];
    if (plan_.n_negatives > 0)
      plan_.sampler->fill(batch.users[i], row, batch.epoch, plan_.n_negatives, batch.items.data() + i * columns + 1);
  }
}

}  // namespace rec
