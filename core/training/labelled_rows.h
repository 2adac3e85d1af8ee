#pragma once

#include "core/data/impressions.h"
#include "core/training/batches.h"

namespace rec {

// A row is an impression list: the first max_pos clicked items, then the first max_neg shown ones; an epoch is all
// lists, shuffled. Padding repeats the list's first clicked item and is marked in the mask.
class ListRows : public ShuffledRows {
 public:
  explicit ListRows(const BatchPlan& plan);
  void fill(Batch& batch, const CancelToken* cancel) override;
};

// A row is a labelled training interaction, clicked or not; an epoch is all of them, shuffled.
class LabelledRows : public ShuffledRows {
 public:
  explicit LabelledRows(const BatchPlan& plan);
  void fill(Batch& batch, const CancelToken* cancel) override;

 private:
  // [n] the end of each row's history among its user's training entries; empty when no history is wanted.
  std::vector<int64_t> ends_;
  std::vector<History> histories_;  // of the batch
};

}  // namespace rec
