// The rows of a data set: whose each is, and how often its user and its item occur in the train part.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/api.h"

namespace rec::cli {

struct DataRows {
  std::vector<int64_t> user;              // [n_interactions] numbers from 0
  std::vector<int64_t> of_user, of_item;  // [n_interactions] training rows, of clicked items where rows have labels
};

DataRows data_rows(const Dataset& dataset);

}  // namespace rec::cli
