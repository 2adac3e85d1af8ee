#pragma once

#include <cstdint>

#include "core/base/buffer.h"

namespace rec {

// Compressed rows: row r has columns[offsets[r] .. offsets[r + 1]).
struct Csr {
  Buffer<int64_t> offsets;  // [n_rows + 1]
  Buffer<int32_t> columns;  // [nnz]
  int64_t n_rows() const { return offsets.size() - 1; }
  int64_t nnz() const { return columns.size(); }
  std::span<const int32_t> row(int64_t r) const {
    return {columns.data() + offsets[r], static_cast<size_t>(offsets[r + 1] - offsets[r])};
  }
  bool row_contains(int64_t r, int32_t column) const;  // for rows that ascend; binary search
};

}  // namespace rec
