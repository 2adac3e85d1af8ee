#pragma once

#include "core/data/dataset.h"

namespace rec {

// A data set from the caller's columns, which are taken for hostile: lengths, offsets, types and values are checked.
Dataset dataset_from_columns(const rec_columns_t& columns);

// INVALID_ARGUMENT when the list is not what its type says; name is its argument's.
void check_ids(const rec_ids_t& ids, const char* name);

}  // namespace rec
