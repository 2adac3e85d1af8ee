#pragma once

#include <vector>

#include "core/data/interactions.h"

namespace rec {

// The impression lists of one part that have both a clicked and a merely shown item. Lists, and the items of each side,
// are in order of first appearance; each side has an item once. Users of the lists cut them to their slots.
struct ImpressionLists {
  std::vector<int32_t> users;      // [n_lists]
  std::vector<int64_t> first_row;  // [n_lists] its earliest row in the data set
  Csr positives, negatives;        // [n_lists] -> items
  int64_t n() const { return std::ssize(users); }
};

// INVALID_DATA for a data set without labels or without an impression key.
ImpressionLists impression_lists(const Dataset& dataset, Part part);

}  // namespace rec
