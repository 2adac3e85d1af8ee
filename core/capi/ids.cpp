#include "core/capi/ids.h"

#include "core/capi/objects.h"

namespace rec {

void check_rows(const int64_t* rows, int64_t n_rows, int64_t limit) {
  if (n_rows < 0) throw invalid_argument("n_rows", "must be >= 0, got ", n_rows);
  if (n_rows > 0) not_null(rows, "rows");
  for (int64_t i = 0; i < n_rows; ++i)
    if (rows[i] < REC_NO_ROW || rows[i] >= limit)
      throw invalid_argument("rows", "element ", i, " must be between -1 and ", limit - 1, ", got ", rows[i]);
}

rec_text_t* give_ids(const IdMap& map, const int64_t* rows, int64_t n_rows, rec_ids_t* out_ids) {
  not_null(out_ids, "out_ids");
  check_rows(rows, n_rows, map.size());
  auto owner = std::make_shared<TextObject>();
  rec_ids_t ids{sizeof ids, map.type(), nullptr, nullptr, 0, nullptr, n_rows};
  if (map.type() == REC_ID_INT64) {
    for (int64_t i = 0; i < n_rows; ++i) owner->numbers.push_back(rows[i] < 0 ? 0 : map.int64_at(rows[i]));
    ids.i64 = owner->numbers.data();
  } else {
    owner->numbers.push_back(0);
    for (int64_t i = 0; i < n_rows; ++i) {
      if (rows[i] >= 0) owner->text += map.bytes_at(rows[i]);
      owner->numbers.push_back(std::ssize(owner->text));
    }
    ids.bytes = owner->text.data();
    ids.n_bytes = std::ssize(owner->text);
    ids.offsets = owner->numbers.data();
  }
  write_struct(ids, out_ids, "out_ids");
  return new_handle<rec_text_t>(std::move(owner));
}

}  // namespace rec
