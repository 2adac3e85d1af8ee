#pragma once

#include <span>

#include "core/base/buffer.h"

namespace rec {

// How often each item is in a batch, estimated during training (Yi et al., RecSys 2019, algorithm 2): the moving average
// of the gap between two batches that have it.
class FrequencyEstimator {
 public:
  FrequencyEstimator(int64_t n_items, double alpha) : alpha_(alpha), last_(n_items), gap_(n_items) {}

  // Counts the distinct items of the next batch.
  void observe(std::span<const int32_t> items);
  // ln p = -ln max(1, gap), in the state after observe.
  float log_probability(int32_t item) const;

  // What a resumed run needs.
  int64_t step = 0;
  Buffer<int64_t>& last_steps() { return last_; }
  Buffer<double>& gaps() { return gap_; }

 private:
  double alpha_;
  Buffer<int64_t> last_;  // batch that had the item last, from 1; 0 = none
  Buffer<double> gap_;
};

}  // namespace rec
