#pragma once

#include "core/base/buffer.h"
#include "core/kernels/kernels.h"
#include "core/serving/scorer.h"

namespace rec {

// A table of vectors, one for each item or each user, laid out for the kernels. The table itself is the caller's.
class Vectors {
 public:
  explicit Vectors(const MatrixView& table);

  const MatrixView& table() const { return table_; }
  const float* tiles() const { return tiles_.data(); }

  // The k rows most similar to a row by cosine, best first, of those that allow and deny leave, padded. The row itself is
  // left out; the zero vector has a cosine of 0 with every other.
  void most_similar(int32_t row, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
                    Scorer::Scratch& scratch) const;

 private:
  MatrixView table_;
  Buffer<float> tiles_;
  Buffer<float> inverse_norms_;  // [rows] 1 / length of each vector, 0 for the zero vector
};

}  // namespace rec
