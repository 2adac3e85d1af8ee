#pragma once

#include "core/capi/guard.h"
#include "core/data/id_list.h"

namespace rec {

inline IdList read_ids(const rec_ids_t* given, const char* name) {
  return IdList(read_struct(&not_null(given, name), name), name);
}

// INVALID_ARGUMENT unless rows [n_rows] are between -1 and limit - 1.
void check_rows(const int64_t* rows, int64_t n_rows, int64_t limit);

// Ids of these rows. Returns the object that owns what out_ids points to.
rec_text_t* give_ids(const IdMap& map, const int64_t* rows, int64_t n_rows, rec_ids_t* out_ids);

}  // namespace rec
