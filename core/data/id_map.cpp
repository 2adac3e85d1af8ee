#include "core/data/id_map.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string>

#include "core/base/text.h"

namespace rec {

namespace {

constexpr int64_t kMaxRows = INT32_MAX;

void check_row_count(int64_t n) {
  if (n > kMaxRows) throw Error(REC_LIMIT, cat(n, " ids are more than ", kMaxRows));
}

Buffer<int32_t> first_rows(int64_t n) {
  auto rows = Buffer<int32_t>::uninitialized(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

Error stands_twice(const std::string& id, int32_t row, int32_t other) {
  return invalid_argument("ids", "id ", id, " occurs twice, at ", std::min(row, other), " and ", std::max(row, other));
}

void check_offsets(const Buffer<int64_t>& offsets, const Buffer<char>& bytes, rec_status_t status) {
  bool good = !offsets.empty() && offsets[0] == 0 && offsets[offsets.size() - 1] == bytes.size();
  for (int64_t i = 1; good && i < offsets.size(); ++i) good = offsets[i] >= offsets[i - 1];
  if (!good) throw Error(status, "ids: offsets must rise from 0 to the number of bytes");
}

}  // namespace

IdMap IdMap::from_int64(Buffer<int64_t> ids, const CancelToken* cancel) {
  check_row_count(ids.size());
  IdMap map;
  map.type_ = REC_ID_INT64;
  map.i64_ = std::move(ids);
  map.sorted_ = first_rows(map.i64_.size());
  const int64_t* values = map.i64_.data();
  CancelCheck check(cancel);
  std::sort(map.sorted_.begin(), map.sorted_.end(), [&check, values](int32_t a, int32_t b) {
    check();
    return values[a] < values[b];
  });
  for (int64_t i = 1; i < map.size(); ++i)
    if (values[map.sorted_[i - 1]] == values[map.sorted_[i]])
      throw stands_twice(std::to_string(values[map.sorted_[i]]), map.sorted_[i - 1], map.sorted_[i]);
  return map;
}

IdMap IdMap::from_bytes(Buffer<int64_t> offsets, Buffer<char> bytes, const CancelToken* cancel) {
  check_offsets(offsets, bytes, REC_INVALID_ARGUMENT);
  check_row_count(offsets.size() - 1);
  IdMap map;
  map.type_ = REC_ID_BYTES;
  map.offsets_ = std::move(offsets);
  map.bytes_ = std::move(bytes);
  map.sorted_ = first_rows(map.offsets_.size() - 1);
  CancelCheck check(cancel);
  std::sort(map.sorted_.begin(), map.sorted_.end(), [&](int32_t a, int32_t b) {
    check();
    return map.bytes_at(a) < map.bytes_at(b);
  });
  for (int64_t i = 1; i < map.size(); ++i)
    if (map.bytes_at(map.sorted_[i - 1]) == map.bytes_at(map.sorted_[i]))
      throw stands_twice(cat("'", printable(map.bytes_at(map.sorted_[i])), "'"), map.sorted_[i - 1], map.sorted_[i]);
  return map;
}

IdMap IdMap::from_sorted(int32_t type, Buffer<int64_t> ids_or_offsets, Buffer<char> bytes, Buffer<int32_t> sorted) {
  IdMap map;
  map.type_ = type;
  if (type == REC_ID_INT64) {
    map.i64_ = std::move(ids_or_offsets);
  } else if (type == REC_ID_BYTES) {
    check_offsets(ids_or_offsets, bytes, REC_CORRUPT_DATA);
    map.offsets_ = std::move(ids_or_offsets);
    map.bytes_ = std::move(bytes);
  } else {
    throw Error(REC_CORRUPT_DATA, cat("ids: type must be int64 (", int{REC_ID_INT64}, ") or bytes (", int{REC_ID_BYTES},
                                      "), got ", type));
  }
  const int64_t n = type == REC_ID_INT64 ? map.i64_.size() : map.offsets_.size() - 1;
  if (sorted.size() != n)
    throw Error(REC_CORRUPT_DATA, cat("ids: the permutation has ", sorted.size(), " entries for ", n, " ids"));
  for (int64_t i = 0; i < n; ++i)
    if (sorted[i] < 0 || sorted[i] >= n)
      throw Error(REC_CORRUPT_DATA, cat("ids: the permutation names row ", sorted[i]));
  // Strictly ascending ids are distinct rows, so this also proves a permutation.
  for (int64_t i = 1; i < n; ++i) {
    const bool ascends = type == REC_ID_INT64 ? map.i64_[sorted[i - 1]] < map.i64_[sorted[i]]
                                              : map.bytes_at(sorted[i - 1]) < map.bytes_at(sorted[i]);
    if (!ascends) throw Error(REC_CORRUPT_DATA, cat("ids: the permutation does not ascend at ", i));
  }
  map.sorted_ = std::move(sorted);
  return map;
}

int32_t IdMap::find(int64_t id) const {
  if (type_ != REC_ID_INT64) {
    char digits[24];
    return find(std::string_view(digits, std::to_chars(digits, digits + sizeof digits, id).ptr));
  }
  const int32_t* at = std::lower_bound(sorted_.begin(), sorted_.end(), id,
                                       [this](int32_t row, int64_t wanted) { return i64_[row] < wanted; });
  return at != sorted_.end() && i64_[*at] == id ? *at : -1;
}

int32_t IdMap::find(std::string_view id) const {
  if (type_ != REC_ID_BYTES) {
    const auto number = parse_int64(id);
    return number ? find(*number) : -1;
  }
  const int32_t* at = std::lower_bound(sorted_.begin(), sorted_.end(), id,
                                       [this](int32_t row, std::string_view wanted) { return bytes_at(row) < wanted; });
  return at != sorted_.end() && bytes_at(*at) == id ? *at : -1;
}

IdMap IdMap::copy() const {
  IdMap map;
  map.type_ = type_;
  map.i64_ = i64_.copy();
  map.offsets_ = offsets_.copy();
  map.bytes_ = bytes_.copy();
  map.sorted_ = sorted_.copy();
  return map;
}

Buffer<int32_t> IdMap::rows_of(const IdMap& other) const {
  auto rows = Buffer<int32_t>::uninitialized(other.size());
  for (int64_t i = 0; i < other.size(); ++i)
    rows[i] = other.type_ == REC_ID_INT64 ? find(other.int64_at(i)) : find(other.bytes_at(i));
  return rows;
}

bool IdMap::same_ids(const IdMap& other) const {
  const auto equal = [](const auto& a, const auto& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  if (type_ == other.type_)
    return equal(i64_, other.i64_) && equal(offsets_, other.offsets_) && equal(bytes_, other.bytes_);
  if (size() != other.size()) return false;
  const Buffer<int32_t> rows = rows_of(other);
  for (int64_t i = 0; i < size(); ++i)
    if (rows[i] != i) return false;
  return true;
}

}  // namespace rec
