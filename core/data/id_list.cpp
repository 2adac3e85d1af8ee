#include "core/data/id_list.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/columns.h"

namespace rec {

IdList::IdList(const rec_ids_t& ids, const char* name) : ids_(ids), name_(name) {
  rec_ids_t checked = ids;
  if (ids.type == REC_ID_ROW) checked.type = REC_ID_INT64;  // the same array
  check_ids(checked, name);
}

int32_t IdList::row(int64_t i, const IdMap& map) const {
  if (ids_.type == REC_ID_INT64) return map.find(ids_.i64[i]);
  if (ids_.type == REC_ID_BYTES) {
    const std::string_view text(ids_.bytes + ids_.offsets[i], ids_.offsets[i + 1] - ids_.offsets[i]);
    if (map.type() == REC_ID_INT64 && !parse_int64(text))
      throw invalid_argument(name_, "element ", i, ", '", printable(text),
                             "', is not a plain whole number, as the ids of this model are");
    return map.find(text);
  }
  if (ids_.i64[i] < REC_NO_ROW || ids_.i64[i] >= map.size())
    throw invalid_argument(name_, "element ", i, " must be a row between -1 and ", map.size() - 1, ", got ",
                           ids_.i64[i]);
  return static_cast<int32_t>(ids_.i64[i]);
}

}  // namespace rec
