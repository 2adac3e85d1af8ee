#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/buffer.h"
#include "core/base/cancel.h"

namespace rec {

// External ids of rows 0 .. n - 1, and back. An int64 and its plain decimal text are the same id. Look-up is a binary search over a stored permutation, so that opening a
// model file builds no hash table.
class IdMap {
 public:
  IdMap() = default;
  // Throws INVALID_ARGUMENT when an id occurs twice.
  static IdMap from_int64(Buffer<int64_t> ids, const CancelToken* cancel = nullptr);
  static IdMap from_bytes(Buffer<int64_t> offsets, Buffer<char> bytes, const CancelToken* cancel = nullptr);
  // From a file: `sorted` is checked to be the ascending permutation; CORRUPT_DATA otherwise.
  static IdMap from_sorted(int32_t type, Buffer<int64_t> ids_or_offsets, Buffer<char> bytes, Buffer<int32_t> sorted);

  int32_t type() const { return type_; }  // REC_ID_INT64 or REC_ID_BYTES
  int64_t size() const { return sorted_.size(); }
  int64_t int64_at(int64_t row) const { return i64_[row]; }
  std::string_view bytes_at(int64_t row) const {
    return {bytes_.data() + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }
  // The id as text: a number in plain decimal.
  std::string text_at(int64_t row) const {
    return type_ == REC_ID_INT64 ? std::to_string(i64_[row]) : std::string(bytes_at(row));
  }
  // The row, or -1.
  int32_t find(int64_t id) const;
  int32_t find(std::string_view id) const;

  const Buffer<int64_t>& i64() const { return i64_; }
  const Buffer<int64_t>& offsets() const { return offsets_; }
  const Buffer<char>& bytes() const { return bytes_; }
  const Buffer<int32_t>& sorted() const { return sorted_; }
  IdMap copy() const;
  // Rows of the other's ids in this one; -1 for an id that it does not have.
  Buffer<int32_t> rows_of(const IdMap& other) const;
  // Whether both have the same ids in the same rows.
  bool same_ids(const IdMap& other) const;

 private:
  int32_t type_ = REC_ID_INT64;
  Buffer<int64_t> i64_;      // [n] for int64 ids
  Buffer<int64_t> offsets_;  // [n + 1] for byte ids
  Buffer<char> bytes_;
  Buffer<int32_t> sorted_;  // rows in ascending order of id
};

}  // namespace rec
