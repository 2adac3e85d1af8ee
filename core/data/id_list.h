#pragma once

#include "core/data/id_map.h"
#include "rec_c_api.h"

namespace rec {

// A caller's ids, checked once.
class IdList {
 public:
  IdList() = default;
  // name: the argument's name in error messages.
  IdList(const rec_ids_t& ids, const char* name);

  int64_t size() const { return ids_.n; }
  // The row of id i in this map; -1 when it is not in it. A REC_ID_ROW out of range is INVALID_ARGUMENT.
  int32_t row(int64_t i, const IdMap& map) const;

 private:
  rec_ids_t ids_{};
  const char* name_ = "";
};

}  // namespace rec
