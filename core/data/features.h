#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/buffer.h"
#include "core/data/id_column.h"

namespace rec {

enum class FeatureKind { kDense, kCategorical };

// One feature of every user, or of every item.
struct Feature {
  std::string name;
  FeatureKind kind = FeatureKind::kDense;
  int64_t width = 0;       // dense: numbers per row
  int64_t vocabulary = 0;  // categorical: values are 0 .. vocabulary - 1
  Buffer<float> dense;     // [n, width], 0 where nothing is known
  Buffer<int32_t> values;  // [n], 0 where nothing is known

  Feature copy() const { return {name, kind, width, vocabulary, dense.copy(), values.copy()}; }
};

// A vocabulary becomes a table of vectors: one stray number must not ask for gigabytes.
inline constexpr int64_t kLargestCategory = (1 << 24) - 1;

// Collects the features of the rows of an id column.
class FeatureColumns {
 public:
  FeatureColumns(const IdColumn& ids, MemoryBudget& budget) : ids_(ids), budget_(budget) {}

  // Returns the new feature's index, for set.
  size_t add_dense(std::string name, int64_t width);
  size_t add_categorical(std::string name);

  // `numbers` has width entries. The row is one of the id column's.
  void set(size_t feature, int32_t row, std::span<const float> numbers);
  // INVALID_DATA outside 0 .. kLargestCategory.
  void set(size_t feature, int32_t row, int64_t category);

  std::vector<Feature> finish();

 private:
  struct Column {
    Feature made;  // its buffers are filled by finish
    std::vector<float> dense;
    std::vector<int32_t> values;
  };
  template <class T>
  void reach(std::vector<T>& values, int64_t width);

  const IdColumn& ids_;
  MemoryBudget& budget_;
  std::vector<Column> columns_;
};

}  // namespace rec
