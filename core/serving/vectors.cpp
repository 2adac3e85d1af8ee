#include "core/serving/vectors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/serving/block_scorer.h"

namespace rec {

Vectors::Vectors(const MatrixView& table)
    : table_(table),
      tiles_(Buffer<float>::uninitialized(kernels::tiled_size(table.rows, table.d))),
      inverse_norms_(table.rows) {
  kernels::tile_items(table.data, table.rows, table.d, tiles_.data(), 0, kernels::tile_count(table.rows));
  for (int64_t i = 0; i < table.rows; ++i) {
    double square = 0;
    for (int64_t k = 0; k < table.d; ++k) square += static_cast<double>(table.row(i)[k]) * table.row(i)[k];
    const double largest = std::numeric_limits<float>::max();
    inverse_norms_[i] = square > 0 ? static_cast<float>(std::min(1 / std::sqrt(square), largest)) : 0;
  }
}

void Vectors::most_similar(int32_t row, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
                           Scorer::Scratch& scratch) const {
  BlockSelection({&row, 1}, filter.allow, filter.deny, k, rows, scores, scratch)
      .run(table_.rows, [&](int64_t begin, int64_t end, float* block) {
        const int64_t first = begin / kernels::kTileItems, last = kernels::tile_count(end);
        kernels::fastest().score_tiles({.queries = table_.row(row),
                                        .n_queries = 1,
                                        .tiles = tiles_.data(),
                                        .d = table_.d,
                                        .scores = block,
                                        .stride = (last - first) * kernels::kTileItems},
                                       first, last);
        for (int64_t i = begin; i < end; ++i)
          block[i - begin] = std::clamp(block[i - begin] * inverse_norms_[i] * inverse_norms_[row], -1.f, 1.f);
      });
}

}  // namespace rec
