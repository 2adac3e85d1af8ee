#pragma once

#include <cstdint>

#include "core/base/cancel.h"
#include "core/data/dataset.h"

namespace rec {

// rec_split_options_t.
struct SplitOptions {
  int32_t kind = REC_SPLIT_RATIO;
  double train_ratio = 0.8, valid_ratio = 0.1, test_ratio = 0.1;
  uint64_t seed = 0;
};

// How many of n interactions go where.
struct PartCounts {
  int64_t train = 0, valid = 0, test = 0;
};

// RecBole's counts: floor for valid and test, then a part whose exact share lies strictly between 0 and 1 is raised to
// one, test first, as long as train keeps one.
PartCounts recbole_split_counts(int64_t n, double valid_ratio, double test_ratio);

// A copy of the data set with new parts. INVALID_ARGUMENT for bad options; INVALID_DATA for a split by time of a
// data set without times. Leave-one-out without times goes by input order.
Dataset split_dataset(const Dataset& dataset, const SplitOptions& options, const CancelToken* cancel = nullptr);

// A deep copy, parts included.
Dataset copy_dataset(const Dataset& dataset);

}  // namespace rec
