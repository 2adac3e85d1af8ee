#pragma once

#include <cstdint>

namespace rec::kernels {
namespace {

// Queries that one pass over the item tiles serves.
constexpr int64_t kTopKQueries = 48;

// The best items of one query so far: a heap of keys, the worst on top.
struct Selection {
  uint64_t* keys;  // (score in integer order, complement of the row): greater is better
  int64_t count;
  int64_t capacity;
  const int32_t* excluded;  // next excluded row that may still come
  const int32_t* excluded_end;
  float threshold;  // a later row must score more
};

constexpr int64_t selection_bytes(int64_t capacity) {
  return static_cast<int64_t>(sizeof(Selection)) + capacity * static_cast<int64_t>(sizeof(uint64_t));
}

}  // namespace
}  // namespace rec::kernels
