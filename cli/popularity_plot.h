// Whether a model recommends more than just popular items: shares of training and of recommendations, by popularity.
#pragma once

#include <vector>

#include "cli/api.h"
#include "cli/stop.h"

namespace rec::cli {

struct PopularityPlot {
  int64_t n_users = 0, k = 10;           // users sampled, items per user
  std::vector<int64_t> interactions;     // in training, of each item, most popular first
  std::vector<int64_t> recommendations;  // of the same items, over the sampled users
};

// Empty if the installation has no popularity model to count with.
PopularityPlot popularity_plot(const Model& model, const Dataset& dataset, Stop& stop);

}  // namespace rec::cli
