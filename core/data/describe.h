#pragma once

#include <string>

#include "core/data/dataset.h"

namespace rec {

// The JSON of rec_dataset_describe.
std::string describe_dataset(const Dataset& dataset);

}  // namespace rec
