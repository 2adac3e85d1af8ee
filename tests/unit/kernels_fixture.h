#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/rng.h"
#include "core/kernels/kernels.h"

namespace rec::kernels {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr int64_t kAwkwardSizes[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 64, 100, 200};

// The levels of this CPU above scalar.
inline std::vector<const KernelTable*> vector_levels() {
  std::vector<const KernelTable*> levels;
  for (Level level : {Level::kAvx2, Level::kAvx512})
    if (const KernelTable* t = table(level)) levels.push_back(t);
  return levels;
}
inline const KernelTable& scalar() { return *table(Level::kScalar); }
inline std::vector<const KernelTable*> all_levels() {
  auto levels = vector_levels();
  levels.push_back(&scalar());
  return levels;
}

inline size_t at(int64_t i) { return static_cast<size_t>(i); }

inline std::vector<float> random_floats(int64_t n, uint64_t seed, float scale = 1) {
  Rng rng(seed, RngStream::kInit);
  std::vector<float> values(at(n));
  for (float& x : values) x = scale * rng.next_normal();
  return values;
}
inline std::vector<int32_t> random_rows(int64_t n, int64_t n_rows, uint64_t seed) {
  Rng rng(seed, RngStream::kNegatives);
  std::vector<int32_t> rows(at(n));
  for (int32_t& row : rows) row = static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(n_rows)));
  return rows;
}
// n_rows + 1 offsets of rows with 0 .. longest entries.
inline std::vector<int64_t> random_offsets(int64_t n_rows, int64_t longest, uint64_t seed) {
  Rng rng(seed, RngStream::kSplit);
  std::vector<int64_t> offsets{0};
  for (int64_t r = 0; r < n_rows; ++r)
    offsets.push_back(offsets.back() + rng.next_below(static_cast<uint32_t>(longest + 1)));
  return offsets;
}

inline std::vector<float> tiled(const std::vector<float>& items, int64_t n, int64_t d) {
  std::vector<float> tiles(at(tiled_size(n, d)), kNan);
  tile_items(items.data(), n, d, tiles.data(), 0, tile_count(n));
  return tiles;
}

// Equal bits, except for NaN payloads.
template <class T>
void expect_same_bits(const std::vector<T>& actual, const std::vector<T>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] != actual[i] && expected[i] != expected[i]) continue;
    ASSERT_EQ(0, std::memcmp(&actual[i], &expected[i], sizeof(T)))
        << "element " << i << ": " << actual[i] << " instead of " << expected[i];
  }
}

}  // namespace rec::kernels
