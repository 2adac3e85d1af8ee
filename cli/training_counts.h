// How often the user and the item of each row of a data set occur in its train part.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/api.h"

namespace rec::cli {

struct TrainingCounts {
  std::vector<int64_t> of_user, of_item;  // [n_interactions]
};

TrainingCounts training_counts(const Dataset& dataset);

}  // namespace rec::cli
