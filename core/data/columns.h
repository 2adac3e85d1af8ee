#pragma once

#include "core/base/cancel.h"
#include "core/data/dataset.h"

namespace rec {

// A data set from the caller's columns, which are not trusted: lengths, offsets, types and values are checked.
Dataset dataset_from_columns(const rec_columns_t& columns, const CancelToken* cancel = nullptr);

// INVALID_ARGUMENT unless the list is valid for its type; `name` is the argument in the message.
void check_ids(const rec_ids_t& ids, const char* name);

// INVALID_ARGUMENT unless offsets [n_offsets], at least one, rise from 0 to n_elements.
void check_offsets(const int64_t* offsets, int64_t n_offsets, int64_t n_elements, const char* name);

}  // namespace rec
