#include "core/training/batches.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "core/base/rng.h"
#include "core/training/interaction_rows.h"
#include "core/training/labelled_rows.h"
#include "core/training/session_rows.h"

namespace rec {

namespace {

// A row is an item, or a user; an epoch is all of them, in order.
class EveryRow : public RowSource {
 public:
  EveryRow(const BatchPlan& plan, int64_t n) : plan_(plan), n_(n) {}
  int64_t batches_per_epoch() const override { return (n_ + plan_.batch_size - 1) / plan_.batch_size; }
  void seek(int64_t, int64_t) override {}
  void fill(Batch& batch, const CancelToken*) override {
    batch.first_row = batch.index * plan_.batch_size;
    batch.n_rows = std::min(plan_.batch_size, n_ - batch.first_row);
    for (int32_t id : plan_.columns) {
      Column& column = batch.column(id);
      auto* rows =
          id == REC_COLUMN_ITEM ? column.reshape<int32_t>(batch.n_rows, 1) : column.reshape<int32_t>(batch.n_rows);
      std::iota(rows, rows + batch.n_rows, static_cast<int32_t>(batch.first_row));
    }
  }

 private:
  const BatchPlan plan_;
  const int64_t n_;
};

}  // namespace

std::unique_ptr<RowSource> make_row_source(const BatchPlan& plan) {
  switch (plan.rows) {
    case REC_PLAN_ITEMS: return std::make_unique<EveryRow>(plan, plan.n_items);
    case REC_PLAN_USERS: return std::make_unique<EveryRow>(plan, plan.train->by_user.n_rows());
    case REC_PLAN_LISTS: return std::make_unique<ListRows>(plan);
    case REC_PLAN_LABELLED: return std::make_unique<LabelledRows>(plan);
    case REC_PLAN_SESSIONS: return std::make_unique<SessionRows>(plan);
    default: return std::make_unique<InteractionRows>(plan);
  }
}

// Fisher-Yates.
void ShuffledRows::seek(int64_t epoch, int64_t) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  order_ = rows_;
  Rng rng(plan_.seed, RngStream::kShuffle, static_cast<uint64_t>(epoch));
  for (size_t i = order_.size(); i-- > 1;) std::swap(order_[i], order_[rng.next_below(static_cast<uint32_t>(i + 1))]);
}

std::span<const int32_t> ShuffledRows::begin(Batch& batch) const {
  batch.first_row = batch.index * plan_.batch_size;
  batch.n_rows = std::min(plan_.batch_size, size() - batch.first_row);
  return {order_.data() + batch.first_row, static_cast<size_t>(batch.n_rows)};
}

BatchStream::BatchStream(RowSource& source, Cursor start, int64_t n_epochs)
    : source_(source), start_(start), n_epochs_(n_epochs), thread_([this] { produce(); }) {}

BatchStream::~BatchStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_.request();
  }
  wanted_.notify_one();
  thread_.join();
}

Batch* BatchStream::next(const CancelToken* cancel) {
  std::unique_lock lock(mutex_);
  if (current_ != nullptr) spare_.push_back(std::move(current_));
  while (!filled_.wait_for(lock, std::chrono::milliseconds(20), [this] { return !ready_.empty() || finished_; }))
    throw_if_cancelled(cancel);
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
          if (ready_.size() >= kAhead)
            wanted_.wait(lock, [this] { return stop_.requested() || ready_.size() <= kRefill; });
          if (stop_.requested()) return;
          if (!spare_.empty()) {
            batch = std::move(spare_.front());
            spare_.pop_front();
          }
        }
        if (batch == nullptr) batch = std::make_unique<Batch>();
        batch->epoch = epoch;
        batch->index = index;
        source_.fill(*batch, &stop_);
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
