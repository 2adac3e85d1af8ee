#pragma once

#include <memory>

#include "core/data/impressions.h"
#include "core/plugin/batch.h"
#include "core/sampling/negatives.h"

namespace rec {

// What batches are made of; all of it outlives the batches.
struct BatchPlan {
  const Interactions* train = nullptr;
  const Dataset* data = nullptr;           // labelled rows
  const ImpressionLists* lists = nullptr;  // of the train part, when rows are lists
  int64_t max_pos = 0, max_neg = 0;        // slots of a list
  int64_t n_items = 0;
  int32_t rows = REC_PLAN_INTERACTIONS;
  std::vector<int32_t> columns;  // REC_COLUMN_ wanted
  int64_t batch_size = 1;
  int64_t n_negatives = 0;  // per row; 0 = none
  bool in_batch = false;    // the other rows' positives are the negatives
  int64_t n_shared = 0;     // negatives of the batch as a whole
  const NegativeSampler* sampler = nullptr;
  int64_t history_max = 0;  // items kept of a history; 0 = all
  int64_t min_history = 0;  // rows with fewer items before them are left out
  uint64_t seed = 0;

  bool wants(int32_t column) const;
  bool wants_histories() const {
    return wants(REC_COLUMN_HISTORY) || wants(REC_COLUMN_HISTORY_LENGTH) || wants(REC_COLUMN_HISTORY_TIME);
  }
};

// The rows of an epoch, batch after batch. What is in a batch depends on (seed, epoch, row) only.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual int64_t batches_per_epoch() const = 0;
  // The next fill is for this batch of this epoch.
  virtual void seek(int64_t epoch, int64_t batch) = 0;
  virtual void fill(Batch& batch) = 0;
};

// Some rows, shuffled for each epoch: a function of (seed, epoch).
class ShuffledRows {
 public:
  ShuffledRows() = default;
  explicit ShuffledRows(std::vector<int32_t> rows) : rows_(std::move(rows)) {}

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  int64_t batches(int64_t batch_size) const { return (size() + batch_size - 1) / batch_size; }
  void seek(uint64_t seed, int64_t epoch);
  // Sets the batch's place and size, and gives its rows.
  std::span<const int32_t> begin(Batch& batch, int64_t batch_size) const;

 private:
  std::vector<int32_t> rows_, order_;
  int64_t epoch_ = -1;
};

std::unique_ptr<RowSource> make_row_source(const BatchPlan& plan);

}  // namespace rec
