#pragma once

#include <cstdint>

namespace rec::kernels {
namespace {

// Number of queries that one pass over the item tiles serves.
constexpr int64_t kTopKQueries = 48;

// The best items of one query so far and some more, in row order; cut back to k when full.
struct Selection {
  float* scores;
  int32_t* rows;
  int64_t count;
  const int32_t* excluded;  // next excluded row that may still come
  const int32_t* excluded_end;
  float threshold;  // a later row must score more; no entry scores less
};

// Includes room for sixteen more entries after the last check for fullness.
constexpr int64_t selection_capacity(int64_t k) { return (k + (k > 32 ? k : 32) + 16 + 15) / 16 * 16; }
constexpr int64_t selection_bytes(int64_t k) {
  return static_cast<int64_t>(sizeof(Selection)) + selection_capacity(k) * 8;
}

}  // namespace
}  // namespace rec::kernels
