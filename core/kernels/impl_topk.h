#pragma once

#include "core/kernels/impl_tiles.h"
#include "core/kernels/impl_topk_scratch.h"

namespace rec::kernels {
namespace {

REC_INLINE uint64_t key_of(float score, int64_t row) {
  const float positive_zero = score + 0.0f;
  uint32_t order;
  __builtin_memcpy(&order, &positive_zero, 4);
  order = order >> 31 ? ~order : order | 0x80000000u;
  return static_cast<uint64_t>(order) << 32 | ~static_cast<uint32_t>(row);
}
REC_INLINE float score_of(uint64_t key) {
  uint32_t order = static_cast<uint32_t>(key >> 32);
  order = order >> 31 ? order & 0x7fffffffu : ~order;
  float score;
  __builtin_memcpy(&score, &order, 4);
  return score;
}
REC_INLINE int64_t row_of(uint64_t key) { return static_cast<int64_t>(~static_cast<uint32_t>(key)); }

// Puts `key` into the hole at the top of a heap of `count`.
REC_INLINE void sift_down(uint64_t* keys, int64_t count, uint64_t key) {
  int64_t hole = 0;
  for (int64_t child = 1; child < count; child = 2 * hole + 1) {
    if (child + 1 < count) child += keys[child + 1] < keys[child];
    if (key <= keys[child]) break;
    keys[hole] = keys[child];
    hole = child;
  }
  keys[hole] = key;
}

REC_INLINE void sift_up(uint64_t* keys, int64_t hole, uint64_t key) {
  while (hole > 0 && key < keys[(hole - 1) / 2]) {
    keys[hole] = keys[(hole - 1) / 2];
    hole = (hole - 1) / 2;
  }
  keys[hole] = key;
}

inline void insert(Selection& s, float score, int64_t row) {
  if (s.count < s.capacity) {
    sift_up(s.keys, s.count, key_of(score, row));
    if (++s.count < s.capacity) return;
  } else {
    sift_down(s.keys, s.count, key_of(score, row));
  }
  s.threshold = score_of(s.keys[0]);
}

// Rows come in ascending order, so one walk along the excluded rows is enough.
REC_INLINE bool is_excluded(Selection& s, int64_t row) {
  while (s.excluded < s.excluded_end && *s.excluded < row) ++s.excluded;
  return s.excluded < s.excluded_end && *s.excluded == row;
}

REC_INLINE bool passes(const ItemFilter& filter, int64_t row) {
  const auto bit = [row](const uint8_t* map) { return map[row / 8] >> (row % 8) & 1; };
  return (filter.allow == nullptr || bit(filter.allow)) && (filter.deny == nullptr || !bit(filter.deny));
}

__attribute__((noinline)) void take(Selection& s, const ItemFilter& filter, int64_t row, uint32_t hits,
                                    const float* scores) {
  for (; hits != 0; hits &= hits - 1) {
    const int lane = __builtin_ctz(hits);
    if (!(scores[lane] > s.threshold) || !passes(filter, row + lane) || is_excluded(s, row + lane)) continue;
    insert(s, scores[lane], row + lane);
  }
}

// Sixteen scores of rows `row`.. against the threshold: nearly always nothing to do.
REC_INLINE void offer(Selection& s, const ItemFilter& filter, int64_t row, int64_t n_items, F16 scores) {
  uint32_t hits = bits(lt(set1(s.threshold), scores));
  if (__builtin_expect(hits == 0, 1)) return;
  if (n_items - row < kTileItems) hits &= (1u << (n_items - row)) - 1;
  float values[16];
  store(values, scores);
  take(s, filter, row, hits, values);
}

void start(Selection* selections, uint64_t* keys, const ItemFilter& filter, int64_t query, int64_t n, int64_t capacity) {
  for (int64_t i = 0; i < n; ++i) {
    Selection& s = selections[i];
    s = {keys + i * capacity, 0, capacity, nullptr, nullptr, -kInfinity};
    if (filter.exclude_offsets == nullptr) continue;
    s.excluded = filter.exclude_rows + filter.exclude_offsets[query + i];
    s.excluded_end = filter.exclude_rows + filter.exclude_offsets[query + i + 1];
  }
}

// Sorts the heap best first and writes it, padded.
void finish(const Selection& s, int64_t k, int64_t* rows, float* scores) {
  for (int64_t last = s.count - 1; last > 0; --last) {
    const uint64_t key = s.keys[last];
    s.keys[last] = s.keys[0];
    sift_down(s.keys, last, key);
  }
  for (int64_t i = 0; i < s.count; ++i) {
    rows[i] = row_of(s.keys[i]);
    scores[i] = score_of(s.keys[i]);
  }
  for (int64_t i = s.count; i < k; ++i) {
    rows[i] = -1;
    scores[i] = -kInfinity;
  }
}

void top_k(const TopK& t, int64_t query_begin, int64_t query_end) {
  const int64_t capacity = t.k < t.n_items ? t.k : t.n_items;
  Selection* selections = static_cast<Selection*>(t.scratch);
  uint64_t* keys = reinterpret_cast<uint64_t*>(selections + kTopKQueries);
  const int64_t n_tiles = (t.n_items + kTileItems - 1) / kTileItems, step = tiles_per_pass(t.d);
  for (int64_t query = query_begin; query < query_end; query += kTopKQueries) {
    const int64_t n = query_end - query < kTopKQueries ? query_end - query : kTopKQueries;
    start(selections, keys, t.filter, query, n, capacity);
    for (int64_t begin = 0; begin < n_tiles; begin += step) {
      const int64_t end = begin + step < n_tiles ? begin + step : n_tiles;
      scan(t.queries, query, query + n, t.tiles, t.d, begin, end, [&](int64_t q, int64_t tile, F16 scores) {
        offer(selections[q - query], t.filter, tile * kTileItems, t.n_items, scores);
      });
    }
    for (int64_t i = 0; i < n; ++i)
      finish(selections[i], t.k, t.rows + (query + i) * t.k, t.scores + (query + i) * t.k);
  }
}

void top_k_of_scores(const TopKOfScores& t, int64_t query_begin, int64_t query_end) {
  const int64_t capacity = t.k < t.n_items ? t.k : t.n_items;
  Selection* selection = static_cast<Selection*>(t.scratch);
  uint64_t* keys = reinterpret_cast<uint64_t*>(selection + 1);
  for (int64_t query = query_begin; query < query_end; ++query) {
    start(selection, keys, t.filter, query, 1, capacity);
    const float* scores = t.item_scores + query * t.n_items;
    for (int64_t row = 0; row < t.n_items; row += kTileItems)
      offer(*selection, t.filter, row, t.n_items, load_or(scores + row, t.n_items - row, -kInfinity));
    finish(*selection, t.k, t.rows + query * t.k, t.scores + query * t.k);
  }
}

}  // namespace
}  // namespace rec::kernels
