#pragma once

#include <string>

#include "core/data/dataset.h"

namespace rec {

// Writes FOLDER/<FOLDER's name>.{train,valid,test}.inter, RecBole benchmark files, and .item when there are titles.
// INVALID_DATA for a byte id that such a file cannot hold. Each file is whole or not there.
void write_dataset(const Dataset& dataset, const std::string& folder);

}  // namespace rec
