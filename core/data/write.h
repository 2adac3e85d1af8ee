#pragma once

#include <string>

#include "core/base/cancel.h"
#include "core/data/dataset.h"

namespace rec {

// Writes FOLDER/<FOLDER's name>.{train,valid,test}.inter, RecBole benchmark files, and .item when there are titles.
// Where byte ids look like numbers, .byte_ids names their columns, which RecBole's files cannot express.
// INVALID_DATA for a byte id that such a file cannot hold. A data set of the same name is replaced as a whole: after a
// failure the folder holds all of the old one or, without a train file, none.
void write_dataset(const Dataset& dataset, const std::string& folder, const CancelToken* cancel = nullptr);

}  // namespace rec
