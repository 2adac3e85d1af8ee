#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "core/base/cancel.h"
#include "core/plugin/batch.h"
#include "core/training/batch_plan.h"

namespace rec {

// Position in a training run: the number of finished epochs, and of finished batches of the next one.
struct Cursor {
  int64_t epoch = 0, batch = 0;
};

// The rows of an epoch, batch after batch. A batch's contents depend on (seed, epoch, row) only.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual int64_t batches_per_epoch() const = 0;
  // Makes the next fill produce this batch of this epoch.
  virtual void seek(int64_t epoch, int64_t batch) = 0;
  // CANCELLED if the token says so before all is filled.
  virtual void fill(Batch& batch, const CancelToken* cancel = nullptr) = 0;
};

// InteractionRows, LabelledRows, ListRows, SessionRows, or every item or user in order, as the plan says.
std::unique_ptr<RowSource> make_row_source(const BatchPlan& plan);

// Rows shuffled for each epoch: a function of (seed, epoch).
class ShuffledRows : public RowSource {
 public:
  int64_t batches_per_epoch() const override { return (size() + plan_.batch_size - 1) / plan_.batch_size; }
  void seek(int64_t epoch, int64_t batch) override;

 protected:
  ShuffledRows(const BatchPlan& plan, std::vector<int32_t> rows) : plan_(plan), rows_(std::move(rows)) {}
  int64_t size() const { return std::ssize(rows_); }
  // Sets the batch's position and size, and returns its rows.
  std::span<const int32_t> begin(Batch& batch) const;

  const BatchPlan plan_;

 private:
  std::vector<int32_t> rows_, order_;
  int64_t epoch_ = -1;
};

// The batches from a cursor onwards, built ahead on a separate thread.
class BatchStream {
 public:
  // The producer fills the queue, then sleeps until half of it is taken: a wake-up per batch would slow the step down.
  static constexpr size_t kAhead = 8, kRefill = kAhead / 2;

  // The stream has exclusive use of the source while it lives.
  BatchStream(RowSource& source, Cursor start, int64_t n_epochs);
  ~BatchStream();

  // The next batch, or nullptr after the last; valid until the next call. Rethrows an error from building it.
  Batch* next(const CancelToken* cancel = nullptr);

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
  bool finished_ = false;
  CancelToken stop_;
  std::thread thread_;
};

}  // namespace rec
