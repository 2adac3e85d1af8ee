#pragma once

#include <cstdint>
#include <string>

#include "core/base/buffer.h"

namespace rec {

template <class T>
struct NpyMatrix {
  int64_t rows = 0, columns = 0;
  Buffer<T> values;  // [rows, columns]
  std::span<const T> row(int64_t r) const { return {values.data() + r * columns, static_cast<size_t>(columns)}; }
};

// A matrix of a NumPy file: version 1 or 2, two dimensions, C order, little-endian float32, float64, int32 or int64.
// INVALID_DATA names the file and what was expected.
NpyMatrix<float> read_npy_floats(const std::string& path, MemoryBudget& budget);
// For int32 or int64 only.
NpyMatrix<int64_t> read_npy_integers(const std::string& path, MemoryBudget& budget);

}  // namespace rec
