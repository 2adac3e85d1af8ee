#include "core/capi/ids.h"

#include <cstring>

#include "core/capi/guard.h"

namespace rec {

IdList::IdList(const rec_ids_t* given, const char* name) : name_(name) {
  if (given == nullptr) throw invalid_argument(name, "must not be null");
  ids_ = read_struct(given, name);
  if (ids_.n < 0) throw invalid_argument(name, "n must be >= 0, got ", ids_.n);
  if (ids_.type == REC_ID_BYTES) {
    if (ids_.offsets == nullptr) throw invalid_argument(name, "offsets must not be null");
    if (ids_.offsets[0] < 0) throw invalid_argument(name, "offsets must not be negative, got ", ids_.offsets[0]);
    for (int64_t i = 0; i < ids_.n; ++i)
      if (ids_.offsets[i + 1] < ids_.offsets[i])
        throw invalid_argument(name, "offsets must not fall, but offsets[", i + 1, "] is ", ids_.offsets[i + 1],
                               " after ", ids_.offsets[i]);
    if (ids_.bytes == nullptr && ids_.offsets[ids_.n] > 0) throw invalid_argument(name, "bytes must not be null");
  } else if (ids_.type == REC_ID_INT64 || ids_.type == REC_ID_ROW) {
    if (ids_.i64 == nullptr && ids_.n > 0) throw invalid_argument(name, "i64 must not be null");
  } else {
    throw invalid_argument(name, "type must be REC_ID_INT64 (1), REC_ID_BYTES (2) or REC_ID_ROW (3), got ", ids_.type);
  }
}

int32_t IdList::row(int64_t i, const IdMap& map) const {
  if (ids_.type == REC_ID_INT64) return map.find(ids_.i64[i]);
  if (ids_.type == REC_ID_BYTES)
    return map.find(
        std::string_view(ids_.bytes + ids_.offsets[i], static_cast<size_t>(ids_.offsets[i + 1] - ids_.offsets[i])));
  if (ids_.i64[i] < REC_NO_ROW || ids_.i64[i] >= map.size())
    throw invalid_argument(name_, "element ", i, " must be a row between -1 and ", map.size() - 1, ", got ",
                           ids_.i64[i]);
  return static_cast<int32_t>(ids_.i64[i]);
}

void write_ids(const rec_ids_t& ids, rec_ids_t* out) {
  const uint32_t size = out->struct_size;
  if (size < sizeof ids) throw invalid_argument("out_ids", "struct_size ", size, " is none; call rec_ids_init first");
  *out = ids;
  out->struct_size = size;
}

}  // namespace rec
