#pragma once

#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

// acc[q][t] = scores of query q with the 16 items of tile t; each lane is one chain over the dimensions.
template <int Q, int T>
REC_INLINE void multiply(F16 (&acc)[Q][T], const float* queries, const float* tiles, int64_t d) {
#pragma GCC unroll 16
  for (int q = 0; q < Q; ++q)
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) acc[q][t] = set1(0.0f);
  for (int64_t k = 0; k < d; ++k) {
    F16 items[T];
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) items[t] = load(tiles + (t * d + k) * kTileItems);
#pragma GCC unroll 16
    for (int q = 0; q < Q; ++q) {
      const F16 value = set1(queries[q * d + k]);
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t) acc[q][t] = fma(value, items[t], acc[q][t]);
    }
  }
}

// Calls visit(query, tile, scores) for a block of Q queries against tiles [begin, end), T tiles at a time.
template <int Q, int T, class Visit>
REC_INLINE void scan_queries(const float* queries, int64_t query, const float* tiles, int64_t d, int64_t begin,
                             int64_t end, Visit visit) {
  int64_t tile = begin;
  const auto block = [&]<int kTiles>() {
    F16 acc[Q][kTiles];
    multiply<Q, kTiles>(acc, queries + query * d, tiles + tile * d * kTileItems, d);
#pragma GCC unroll 16
    for (int q = 0; q < Q; ++q)
#pragma GCC unroll 16
      for (int t = 0; t < kTiles; ++t) visit(query + q, tile + t, acc[q][t]);
    tile += kTiles;
  };
  while (tile + T <= end) block.template operator()<T>();
  while (tile < end) block.template operator()<1>();
}

template <class Visit>
REC_INLINE void scan(const float* queries, int64_t query_begin, int64_t query_end, const float* tiles, int64_t d,
                     int64_t begin, int64_t end, Visit visit) {
  int64_t q = query_begin;
  for (; q + kQueryBlock <= query_end; q += kQueryBlock)
    scan_queries<kQueryBlock, kTileBlock>(queries, q, tiles, d, begin, end, visit);
  for (; q + kSmallQueryBlock <= query_end; q += kSmallQueryBlock)
    scan_queries<kSmallQueryBlock, kSmallTileBlock>(queries, q, tiles, d, begin, end, visit);
  for (; q < query_end; ++q) scan_queries<1, kSingleTileBlock>(queries, q, tiles, d, begin, end, visit);
}

// Number of tiles that stay in a second-level cache while all queries pass over them.
REC_INLINE int64_t tiles_per_pass(int64_t d) {
  const int64_t tiles = (256 << 10) / (d * kTileItems * 4);
  return tiles < 8 ? 8 : tiles / 8 * 8;
}

void score_tiles(const TileScores& s, int64_t tile_begin, int64_t tile_end) {
  const int64_t step = tiles_per_pass(s.d);
  for (int64_t begin = tile_begin; begin < tile_end; begin += step) {
    const int64_t end = begin + step < tile_end ? begin + step : tile_end;
    scan(s.queries, 0, s.n_queries, s.tiles, s.d, begin, end, [&](int64_t query, int64_t tile, F16 scores) {
      store(s.scores + query * s.stride + (tile - tile_begin) * kTileItems, scores);
    });
  }
}

}  // namespace
}  // namespace rec::kernels
