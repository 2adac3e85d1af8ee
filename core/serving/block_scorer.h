#pragma once

#include <algorithm>
#include <limits>

#include "core/serving/scorer.h"

namespace rec {

// A scorer that scores one block of items for one query at a time, so that only one block of scores is in memory.
class BlockScorer : public Scorer {
 public:
  void top_k(const Queries& queries, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
             rec_status_t* status, Scratch& scratch) const override;
  void all_scores(const Queries& queries, float* scores, int64_t stride, rec_status_t* status,
                  Scratch& scratch) const override;

 protected:
  using Scorer::Scorer;

  // Scores of the items [begin, end) for the open query.
  virtual void score_range(int64_t begin, int64_t end, float* scores, Scratch& scratch) const = 0;
};

// The best items of one query, ranked block by block.
class BlockSelection {
 public:
  // excluded: ascending item rows. allow, deny: bit maps as in kernels::ItemFilter. Results go to rows and scores, [k].
  BlockSelection(std::span<const int32_t> excluded, const uint8_t* allow, const uint8_t* deny, int64_t k, int64_t* rows,
                 float* scores, Scorer::Scratch& scratch)
      : excluded_(excluded), allow_(allow), deny_(deny), k_(k), rows_(rows), scores_(scores), scratch_(scratch) {}

  // score_range(begin, end, scores) is called for blocks of [0, n_items) in ascending order.
  template <class ScoreRange>
  void run(int64_t n_items, const ScoreRange& score_range) {
    scratch_.scores.resize(Scorer::block_floats(n_items));
    int64_t begin = 0;
    do {
      const int64_t end = std::min(begin + Scorer::kItems, n_items);
      score_range(begin, end, scratch_.scores.data());
      add(begin, end);
      begin = end;
    } while (begin < n_items);
  }

 private:
  void add(int64_t begin, int64_t end);
  void merge(int64_t n_found);

  std::span<const int32_t> excluded_;  // those not reached yet
  const uint8_t *allow_, *deny_;
  int64_t k_;
  int64_t* rows_;
  float* scores_;
  Scorer::Scratch& scratch_;
};

}  // namespace rec
