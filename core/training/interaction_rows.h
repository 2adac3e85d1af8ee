#pragma once

#include "core/training/batches.h"

namespace rec {

// A row is a training interaction, with its negatives; an epoch is all of them, shuffled.
class InteractionRows : public ShuffledRows {
 public:
  explicit InteractionRows(const BatchPlan& plan);
  int64_t batches_per_epoch() const override;
  void fill(Batch& batch, const CancelToken* cancel) override;

 private:
  void fill_items(Column& column, const Batch& batch, const int32_t* entries, const CancelToken* cancel) const;

  const Interactions& train_;
  const bool wants_histories_;
  std::vector<History> histories_;  // of the batch
};

}  // namespace rec
