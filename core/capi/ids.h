#pragma once

#include "core/capi/guard.h"
#include "core/data/id_list.h"

namespace rec {

inline IdList read_ids(const rec_ids_t* given, const char* name) {
  return IdList(read_struct(&not_null(given, name), name), name);
}

}  // namespace rec
