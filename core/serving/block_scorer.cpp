#include "core/serving/block_scorer.h"

namespace rec {

void BlockScorer::top_k(const Queries& queries, const kernels::ItemFilter& filter, int64_t k, int64_t* rows,
                        float* scores, rec_status_t* status, Scratch& scratch) const {
  find_answerable(queries, status);
  for (int64_t q = 0; q < queries.n; ++q) {
    if (status[q] != REC_OK) {
      pad(k, rows + q * k, scores + q * k);
      continue;
    }
    open(queries, q, scratch);
    std::span<const int32_t> excluded;
    if (filter.exclude_offsets != nullptr)
      excluded = {filter.exclude_rows + filter.exclude_offsets[q], filter.exclude_rows + filter.exclude_offsets[q + 1]};
    BlockSelection(excluded, filter.allow, filter.deny, k, rows + q * k, scores + q * k, scratch)
        .run(model().n_items(),
             [&](int64_t begin, int64_t end, float* block) { score_range(begin, end, block, scratch); });
  }
}

void BlockScorer::all_scores(const Queries& queries, float* scores, int64_t stride, rec_status_t* status,
                             Scratch& scratch) const {
  find_answerable(queries, status);
  const int64_t n_items = model().n_items();
  for (int64_t q = 0; q < queries.n; ++q) {
    float* row = scores + q * stride;
    if (status[q] != REC_OK) {
      std::fill_n(row, n_items, std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    open(queries, q, scratch);
    for (int64_t begin = 0; begin < n_items; begin += kItems)
      score_range(begin, std::min(begin + kItems, n_items), row + begin, scratch);
  }
}

// Ranks the scores of the items [begin, end), held in the scratch, among those found so far.
void BlockSelection::add(int64_t begin, int64_t end) {
  for (; !excluded_.empty() && excluded_.front() < end; excluded_ = excluded_.subspan(1))
    scratch_.scores[excluded_.front() - begin] = -std::numeric_limits<float>::infinity();
  const bool first = begin == 0;
  const int64_t k = first ? k_ : std::min(k_, end - begin);
  if (!first) scratch_.found_rows.resize(k), scratch_.found_scores.resize(k);
  const int64_t words = (kernels::top_k_scratch_bytes(end - begin, k) + 7) / 8;
  if (std::ssize(scratch_.selection) < words) scratch_.selection.resize(words);
  kernels::TopKOfScores job;
  job.item_scores = scratch_.scores.data();
  job.n_items = end - begin;
  job.filter.allow = allow_ != nullptr ? allow_ + begin / 8 : nullptr;
  job.filter.deny = deny_ != nullptr ? deny_ + begin / 8 : nullptr;
  job.k = k;
  job.rows = first ? rows_ : scratch_.found_rows.data();
  job.scores = first ? scores_ : scratch_.found_scores.data();
  job.scratch = scratch_.selection.data();
  kernels::fastest().top_k_of_scores(job, 0, 1);
  if (first) return;
  for (int64_t& row : scratch_.found_rows)
    if (row >= 0) row += begin;
  merge(k);
}

// Both lists are best first and padded; on a tie the earlier block, which has the lower rows, goes first.
void BlockSelection::merge(int64_t n_found) {
  if (!(scratch_.found_scores.front() > scores_[k_ - 1])) return;
  scratch_.merged_rows.resize(k_);
  scratch_.merged_scores.resize(k_);
  int64_t old = 0, found = 0;
  for (int64_t at = 0; at < k_; ++at) {
    const bool take_found = found < n_found && scratch_.found_scores[found] > scores_[old];
    scratch_.merged_rows[at] = take_found ? scratch_.found_rows[found] : rows_[old];
    scratch_.merged_scores[at] = take_found ? scratch_.found_scores[found] : scores_[old];
    ++(take_found ? found : old);
  }
  std::copy_n(scratch_.merged_rows.begin(), k_, rows_);
  std::copy_n(scratch_.merged_scores.begin(), k_, scores_);
}

}  // namespace rec
