#pragma once

#include "core/kernels/impl_tiles.h"
#include "core/kernels/impl_topk_scratch.h"

namespace rec::kernels {
namespace {

// Maps floats to integers in the same order, and back.
REC_INLINE int64_t order_of(float x) {
  int32_t bits_of_x;
  __builtin_memcpy(&bits_of_x, &x, 4);
  return bits_of_x < 0 ? bits_of_x ^ 0x7fffffff : bits_of_x;
}
REC_INLINE float float_at(int64_t order) {
  int32_t bits_of_x = static_cast<int32_t>(order);
  if (bits_of_x < 0) bits_of_x ^= 0x7fffffff;
  float x;
  __builtin_memcpy(&x, &bits_of_x, 4);
  return x;
}

// Counts the entries above `pivot`; the array is padded to sixteen with -infinity.
REC_INLINE int64_t count_above(const float* scores, int64_t n, float pivot) {
  const F16 pivots = set1(pivot);
  int64_t count = 0;
  for (int64_t i = 0; i < n; i += 16) count += __builtin_popcount(bits(lt(pivots, load(scores + i))));
  return count;
}

// Keeps the k best of more than k entries, ties by order of entry, which is row order.
void cut(Selection& s, int64_t k) {
  for (int64_t i = s.count; i % 16 != 0; ++i) s.scores[i] = -kInfinity;
  // Bisection for the threshold score: more than k entries exceed `low`, at most k exceed `high`.
  int64_t low = order_of(s.threshold) - 1, high = order_of(kInfinity), ties = k;
  while (low + 1 < high) {
    const int64_t middle = low + (high - low) / 2;
    const int64_t above = count_above(s.scores, s.count, float_at(middle));
    if (above > k) {
      low = middle;
    } else {
      high = middle;
      ties = k - above;
      if (ties == 0) break;
    }
  }
  s.threshold = float_at(high);
  const F16 threshold = set1(s.threshold);
  int64_t kept = 0;
  for (int64_t i = 0; i < s.count; i += 16) {
    const F16 scores = load(s.scores + i), rows = load_bits(s.rows + i);
    uint32_t equal = bits(eq(scores, threshold));
    for (; __builtin_popcount(equal) > ties; equal ^= 0x80000000u >> __builtin_clz(equal)) {
    }
    ties -= __builtin_popcount(equal);
    const uint32_t keep = bits(lt(threshold, scores)) | equal;
    compress(s.scores + kept, scores, keep);
    compress_bits(s.rows + kept, rows, keep);
    kept += __builtin_popcount(keep);
  }
  s.count = k;
}

// Rows come in ascending order, so one pass over the excluded rows is enough.
REC_INLINE uint32_t without_excluded(Selection& s, int64_t row, uint32_t hits) {
  while (s.excluded < s.excluded_end && *s.excluded < row) ++s.excluded;
  for (; s.excluded < s.excluded_end && *s.excluded < row + 16; ++s.excluded) hits &= ~(1u << (*s.excluded - row));
  return hits;
}

// Sixteen bits of a map from `row` on, which is a multiple of sixteen.
REC_INLINE uint32_t bits_at(const uint8_t* map, int64_t row, int64_t n_items) {
  const uint32_t low = map[row / 8];
  return row + 8 < n_items ? low | static_cast<uint32_t>(map[row / 8 + 1]) << 8 : low;
}

// Compares the scores of sixteen rows from `row` on with the threshold: nearly always there is nothing to do.
REC_INLINE void offer(Selection& s, const ItemFilter& filter, int64_t row, int64_t n_items, int64_t k, F16 scores) {
  uint32_t hits = bits(lt(set1(s.threshold), scores));
  if (__builtin_expect(hits == 0, 1)) return;
  if (n_items - row < kTileItems) hits &= (1u << (n_items - row)) - 1;
  if (filter.allow != nullptr) hits &= bits_at(filter.allow, row, n_items);
  if (filter.deny != nullptr) hits &= ~bits_at(filter.deny, row, n_items);
  if (s.excluded < s.excluded_end) hits = without_excluded(s, row, hits);
  append(s.scores + s.count, s.rows + s.count, scores, static_cast<int32_t>(row), hits);
  s.count += __builtin_popcount(hits);
  if (s.count > selection_capacity(k) - 16) cut(s, k);
}

void start(Selection* selections, char* entries, const ItemFilter& filter, int64_t query, int64_t n, int64_t k) {
  for (int64_t i = 0; i < n; ++i, entries += selection_capacity(k) * 8) {
    float* scores = reinterpret_cast<float*>(entries);
    int32_t* rows = reinterpret_cast<int32_t*>(scores + selection_capacity(k));
    selections[i] = {scores, rows, 0, nullptr, nullptr, -kInfinity};
    if (filter.exclude_offsets == nullptr) continue;
    selections[i].excluded = filter.exclude_rows + filter.exclude_offsets[query + i];
    selections[i].excluded_end = filter.exclude_rows + filter.exclude_offsets[query + i + 1];
  }
}

// Whether entry a ranks after entry b.
REC_INLINE bool is_after(const float* scores, const int64_t* rows, int64_t a, int64_t b) {
  return scores[a] < scores[b] || (scores[a] == scores[b] && rows[a] > rows[b]);
}

// Heap sort of n (score, row) pairs, best first.
void sort_pairs(float* scores, int64_t* rows, int64_t n) {
  const auto swap = [&](int64_t a, int64_t b) {
    const float score = scores[a];
    const int64_t row = rows[a];
    scores[a] = scores[b], rows[a] = rows[b];
    scores[b] = score, rows[b] = row;
  };
  const auto sink = [&](int64_t hole, int64_t size) {
    for (int64_t child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && is_after(scores, rows, child + 1, child)) ++child;
      if (!is_after(scores, rows, child, hole)) return;
      swap(hole, child);
      hole = child;
    }
  };
  for (int64_t i = n / 2; i-- > 0;) sink(i, n);
  for (int64_t last = n - 1; last > 0; --last) {
    swap(0, last);
    sink(0, last);
  }
}

// The rank of an entry is the number of entries before it: counting beats sorting for short lists.
void write_by_rank(const Selection& s, int64_t* rows, float* scores) {
  for (int64_t i = 0; i < s.count; ++i) {
    const F16 score = set1(s.scores[i]);
    int64_t rank = count_above(s.scores, s.count, s.scores[i]);
    for (int64_t j = 0; j < i; j += 16) {
      const uint32_t earlier = i - j >= 16 ? 0xffff : (1u << (i - j)) - 1;
      rank += __builtin_popcount(bits(eq(score, load(s.scores + j))) & earlier);
    }
    rows[rank] = s.rows[i];
    scores[rank] = s.scores[i] + 0.0f;
  }
}

void finish(Selection& s, int64_t capped_k, int64_t k, int64_t* rows, float* scores) {
  if (s.count > capped_k) cut(s, capped_k);
  if (s.count <= 256) {
    for (int64_t i = s.count; i % 16 != 0; ++i) s.scores[i] = -kInfinity;
    write_by_rank(s, rows, scores);
  } else {
    for (int64_t i = 0; i < s.count; ++i) rows[i] = s.rows[i], scores[i] = s.scores[i] + 0.0f;
    sort_pairs(scores, rows, s.count);
  }
  for (int64_t i = s.count; i < k; ++i) rows[i] = -1, scores[i] = -kInfinity;
}

void top_k(const TopK& t, int64_t query_begin, int64_t query_end) {
  const int64_t k = t.k < t.n_items ? t.k : t.n_items;
  Selection* selections = static_cast<Selection*>(t.scratch);
  char* entries = reinterpret_cast<char*>(selections + kTopKQueries);
  const int64_t n_tiles = (t.n_items + kTileItems - 1) / kTileItems, step = tiles_per_pass(t.d);
  for (int64_t query = query_begin; query < query_end; query += kTopKQueries) {
    const int64_t n = query_end - query < kTopKQueries ? query_end - query : kTopKQueries;
    start(selections, entries, t.filter, query, n, k);
    for (int64_t begin = 0; begin < n_tiles; begin += step) {
      const int64_t end = begin + step < n_tiles ? begin + step : n_tiles;
      scan(t.queries, query, query + n, t.tiles, t.d, begin, end, [&](int64_t q, int64_t tile, F16 scores) {
        offer(selections[q - query], t.filter, tile * kTileItems, t.n_items, k, scores);
      });
    }
    for (int64_t i = 0; i < n; ++i)
      finish(selections[i], k, t.k, t.rows + (query + i) * t.k, t.scores + (query + i) * t.k);
  }
}

void top_k_of_scores(const TopKOfScores& t, int64_t query_begin, int64_t query_end) {
  const int64_t k = t.k < t.n_items ? t.k : t.n_items;
  Selection* selection = static_cast<Selection*>(t.scratch);
  char* entries = reinterpret_cast<char*>(selection + 1);
  for (int64_t query = query_begin; query < query_end; ++query) {
    start(selection, entries, t.filter, query, 1, k);
    const float* scores = t.item_scores + query * t.n_items;
    for (int64_t row = 0; row < t.n_items; row += kTileItems)
      offer(*selection, t.filter, row, t.n_items, k, load_or(scores + row, t.n_items - row, -kInfinity));
    finish(*selection, k, t.k, t.rows + query * t.k, t.scores + query * t.k);
  }
}

}  // namespace
}  // namespace rec::kernels
