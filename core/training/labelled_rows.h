#pragma once

#include "core/data/impressions.h"
#include "core/training/history_columns.h"

namespace rec {

// A row is an impression list: its clicked items in the first max_pos columns, its shown ones in the next max_neg, the
// first of each; an epoch is all lists, shuffled. Padding repeats the list's first item and is told by the mask.
class ListRows : public RowSource {
 public:
  explicit ListRows(const BatchPlan& plan);
  int64_t batches_per_epoch() const override { return order_.batches(plan_.batch_size); }
  void seek(int64_t epoch, int64_t batch) override;
  void fill(Batch& batch) override;

 private:
  const BatchPlan plan_;
  ShuffledRows order_;
};

// A row is a labelled training interaction, clicked or not; an epoch is all of them, shuffled.
class LabelledRows : public RowSource {
 public:
  explicit LabelledRows(const BatchPlan& plan);
  int64_t batches_per_epoch() const override { return order_.batches(plan_.batch_size); }
  void seek(int64_t epoch, int64_t batch) override;
  void fill(Batch& batch) override;

 private:
  const BatchPlan plan_;
  ShuffledRows order_;
  std::vector<int64_t>
      ends_;  // [n] training entry of its user that each row comes before; empty when no history is asked
  std::vector<HistoryRange> histories_;  // of the batch
};

}  // namespace rec
