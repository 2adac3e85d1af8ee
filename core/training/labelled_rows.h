#pragma once

#include "core/data/impressions.h"
#include "core/training/batches.h"

namespace rec {

// A row is an impression list: its clicked items in the first max_pos columns, its shown ones in the next max_neg, the
// first of each; an epoch is all lists, shuffled. Padding repeats the list's first item and is told by the mask.
class ListRows : public ShuffledRows {
 public:
  explicit ListRows(const BatchPlan& plan);
  void fill(Batch& batch) override;
};

// A row is a labelled training interaction, clicked or not; an epoch is all of them, shuffled.
class LabelledRows : public ShuffledRows {
 public:
  explicit LabelledRows(const BatchPlan& plan);
  void fill(Batch& batch) override;

 private:
  // [n] training entry of its user that each row comes before; empty when no history is asked.
  std::vector<int64_t> ends_;
  std::vector<History> histories_;  // of the batch
};

}  // namespace rec
