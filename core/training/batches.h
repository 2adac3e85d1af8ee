#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "core/data/interactions.h"
#include "core/sampling/negatives.h"
#include "rec_plugin_api.h"

namespace rec {

// Rows of one step as arrays; the plugin gets views of them.
struct Batch {
  int64_t epoch = 0, index = 0, first_row = 0, n_rows = 0, n_candidates = 1;
  Buffer<int32_t> users;  // [n_rows]; empty when a row is an item
  Buffer<int32_t> items;  // [n_rows, n_candidates]
  Buffer<float> weights;  // [n_rows], or empty
};

// What batches are made of; all of it outlives the stream.
struct BatchPlan {
  const Interactions* train = nullptr;
  int64_t n_items = 0;
  int32_t rows = REC_PLAN_INTERACTIONS;
  int64_t batch_size = 1;
  int64_t n_negatives = 0;  // per row; 0 = none
  const NegativeSampler* sampler = nullptr;
  uint64_t seed = 0;
  bool weights = false;

  int64_t rows_per_epoch() const { return rows == REC_PLAN_ITEMS ? n_items : train->by_user.nnz(); }
  int64_t batches_per_epoch() const { return (rows_per_epoch() + batch_size - 1) / batch_size; }
};

// Place in a training run: so many epochs, and batches of the next one, are done.
struct Cursor {
  int64_t epoch = 0, batch = 0;
};

// Batches from a cursor on, built ahead on a thread of its own. What is in a batch depends on (seed, epoch, row) only.
class BatchStream {
 public:
  BatchStream(const BatchPlan& plan, Cursor start, int64_t n_epochs);
  ~BatchStream();

  // The next batch, or nullptr after the last; valid until the next call. Rethrows what went wrong in building it.
  const Batch* next();

 private:
  static constexpr size_t kAhead = 4;

  void produce();
  Buffer<int32_t> shuffled(int64_t epoch) const;
  void fill(Batch& batch, const Buffer<int32_t>& order) const;

  const BatchPlan plan_;
  const Cursor start_;
  const int64_t n_epochs_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Batch>> ready_, spare_;
  std::unique_ptr<Batch> current_;
  std::exception_ptr failure_;
  bool finished_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace rec
