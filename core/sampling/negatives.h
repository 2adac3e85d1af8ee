#pragma once

#include <cstdint>
#include <span>

#include "core/base/buffer.h"
#include "core/data/interactions.h"

namespace rec {

class Rng;

enum class NegativeKind { kUniform, kPopularity };

struct NegativeOptions {
  NegativeKind kind = NegativeKind::kUniform;
  double alpha = 1.0;  // of popularity: P(i) ~ count_i^alpha
  uint64_t seed = 0;
};

// Negative item rows. What is drawn depends on (seed, epoch, row_key) alone, so any number of threads and any starting
// batch give the same ids.
class NegativeSampler {
 public:
  // positives: distinct ascending rows of each user, which must outlive the sampler; counts: training rows per item.
  // INVALID_ARGUMENT without items, or without counts under popularity.
  NegativeSampler(const Csr& positives, std::span<const int64_t> item_counts, const NegativeOptions& options);

  NegativeSampler(Csr&& positives, std::span<const int64_t> item_counts, const NegativeOptions& options) = delete;

  // n items for one training interaction, outside the user's set; ids may repeat. A user who has every item that can be
  // drawn gets any of them. Threads: readers.
  void fill(int64_t user, int64_t row_key, int64_t epoch, int64_t n, int32_t* out) const;

  // n items for a whole batch, not excluding any user's. Threads: readers.
  void fill_shared(int64_t epoch, int64_t batch, int64_t n, int32_t* out) const;

  int64_t n_items() const { return n_items_; }

 private:
  int32_t draw(Rng& rng) const;
  int32_t draw_outside(Rng& rng, std::span<const int32_t> row) const;
  bool has(int64_t user, int32_t item) const;
  void build_filters();
  void build_guide(std::span<const int64_t> item_counts);

  const Csr& positives_;
  NegativeOptions options_;
  int64_t n_items_;
  // Per user a power-of-two bitmap, of items when it is large enough for all of them, else of hashes.
  struct Filter {
    int64_t begin = 0;  // first 64-bit word
    int32_t shift = 0;  // bits of the hash that are dropped
    bool exact = false;
  };
  Buffer<Filter> filters_;
  Buffer<uint64_t> words_;
  // The cdf, and for each of n equal parts of [0, 1) where to begin looking in it.
  Buffer<double> cdf_;
  Buffer<int32_t> guide_;
};

}  // namespace rec
