#include "core/evaluation/ranking_evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();
constexpr int64_t kScoresInMemory = int64_t{1} << 22;  // of all items, on one thread

bool wants_scores(const MetricSpec& metric) {
  return metric.input == MetricInput::kRank || metric.input == MetricInput::kScores;
}

}  // namespace

RankingEvaluation::RankingEvaluation(const EvaluationInput& input, RankingRows rows)
    : Evaluation(!input.data.time.empty()),
      protocol_(input.protocol),
      metrics_(input.metrics),
      lists_(metrics_),
      n_items_(input.n_items),
      untrained_(input.untrained),
      max_k_(std::clamp<int64_t>(std::max(lists_.max_k(), protocol_.keep_lists), 1, std::max<int64_t>(n_items_, 1))),
      needs_scores_(std::any_of(metrics_.begin(), metrics_.end(), wants_scores) ||
                    protocol_.ties == REC_TIES_AGAINST_TARGET || protocol_.candidates != REC_CANDIDATES_FULL),
      rows_(std::move(rows)),
      histories_(input) {
  if (rows_.users.empty()) throw input.no_rows("interaction");
  if (protocol_.candidates != REC_CANDIDATES_FULL) candidates_ = make_candidates(input, rows_);
}

bool RankingEvaluation::is_masked(const Protocol& protocol, Part part) {
  return is_before(part, protocol.part) &&
         (protocol.mask == REC_MASK_KNOWN || (protocol.mask == REC_MASK_TRAIN && part == Part::kTrain));
}

Report RankingEvaluation::run_rows(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const {
  const size_t n_rows = rows_.users.size(), n_metrics = metrics_.size();
  const bool all_scores = needs_scores_ && candidates_.offsets.empty();
  const int64_t chunk = all_scores
                            ? std::clamp<int64_t>(kScoresInMemory / std::max<int64_t>(n_items_, 1), 1, Scorer::kQueries)
                            : Scorer::kQueries;
  Results results{std::vector<double>(n_rows * n_metrics), std::vector<double>(n_rows, 1.0),
                  std::vector<RankedList>(protocol_.keep_lists > 0 ? n_rows : 0)};
  pool.parallel_for(static_cast<int64_t>(n_rows), chunk, [&](int64_t begin, int64_t end) {
    throw_if_cancelled(cancel);
    const auto first = static_cast<size_t>(begin), n = static_cast<size_t>(end - begin);
    QueryBlock block(scorer, histories_, std::span(rows_.users).subspan(first, n),
                     std::span(rows_.interactions).subspan(first, n));
    if (!needs_scores_)
      rank_top(scorer, block, begin, results);
    else if (all_scores)
      rank_all(scorer, block, begin, results);
    else
      rank_candidates(scorer, block, begin, results);
  });

  std::vector<double> values(results.values.size());
  for (size_t row = 0; row < n_rows; ++row)
    for (size_t m = 0; m < n_metrics; ++m) values[m * n_rows + row] = results.values[row * n_metrics + m];
  Report report =
      report_of(metrics_, protocol_.suffix(), rows_.users, rows_.interactions, std::move(values), results.weights);
  if (protocol_.keep_lists > 0) report.set_lists(results.lists);
  return report;
}

// This and the next two process the block's rows, from `begin` on.
void RankingEvaluation::rank_top(const Scorer& scorer, QueryBlock& block, int64_t begin, Results& results) const {
  const int64_t n = block.queries.n;
  std::vector<int64_t> top(n * max_k_), offsets{0};
  std::vector<float> scores(top.size());
  std::vector<int32_t> excluded;
  for (int64_t row = begin; row < begin + n; ++row) {
    std::ranges::set_difference(rows_.masks.row(rows_.mask_of[row]), rows_.positives.row(row),
                                std::back_inserter(excluded));
    offsets.push_back(std::ssize(excluded));
  }
  kernels::ItemFilter filter;
  filter.deny = untrained_.empty() ? nullptr : untrained_.data();
  filter.exclude_offsets = offsets.data();
  filter.exclude_rows = excluded.data();
  scorer.top_k(block.queries, filter, max_k_, top.data(), scores.data(), block.status.data(), block.scratch);
  for (int64_t q = 0; q < n; ++q) {
    const std::span<const int64_t> list(top.data() + q * max_k_, max_k_);
    const std::span<const int32_t> positives = rows_.positives.row(begin + q);
    lists_.row(list, positives, {results.values.data() + (begin + q) * metrics_.size(), metrics_.size()});
    for (int64_t j = 0; j < std::min(protocol_.keep_lists, max_k_) && list[j] >= 0; ++j)
      results.lists[begin + q].add(list[j], scores[q * max_k_ + j], std::ranges::binary_search(positives, list[j]));
  }
}

void RankingEvaluation::rank_all(const Scorer& scorer, QueryBlock& block, int64_t begin, Results& results) const {
  const int64_t n = block.queries.n, stride = scorer.all_stride();
  std::vector<float> scores(n * stride);
  scorer.all_scores(block.queries, scores.data(), stride, block.status.data(), block.scratch);
  if (!untrained_.empty())
    for (int64_t item = 0; item < n_items_; ++item)
      if (has_bit(untrained_, item))
        for (int64_t q = 0; q < n; ++q) scores[q * stride + item] = kNone;
  for (int64_t q = 0; q < n; ++q)
    rank_scores(begin + q, nullptr, {scores.data() + q * stride, static_cast<size_t>(n_items_)}, results);
}

void RankingEvaluation::rank_candidates(const Scorer& scorer, QueryBlock& block, int64_t begin,
                                        Results& results) const {
  const int64_t n = block.queries.n, first = candidates_.offsets[begin];
  std::vector<int64_t> offsets;
  for (int64_t row = begin; row <= begin + n; ++row) offsets.push_back(candidates_.offsets[row] - first);
  std::vector<float> scores(offsets.back());
  scorer.candidate_scores(block.queries, offsets.data(), candidates_.columns.data() + first, scores.data(),
                          block.status.data(), block.scratch);
  for (int64_t q = 0; q < n; ++q) {
    const std::span<const int32_t> items = candidates_.row(begin + q);
    rank_scores(begin + q, &items, {scores.data() + offsets[q], items.size()}, results);
  }
}

// A row's results from its scores, with masks and the tie rule applied: scores[p] is the score of items[p], ascending, or
// of item p without items.
void RankingEvaluation::rank_scores(int64_t row, const std::span<const int32_t>* items, std::span<float> scores,
                                    Results& results) const {
  const size_t n_metrics = metrics_.size();
  double* const out = results.values.data() + row * n_metrics;
  const std::span<const int32_t> positives = rows_.positives.row(row);
  const auto place_of = [&](int32_t item) -> int64_t {  // -1: not a candidate
    if (items == nullptr) return item < n_items_ ? item : -1;
    const auto found = std::lower_bound(items->begin(), items->end(), item);
    return found != items->end() && *found == item ? found - items->begin() : -1;
  };
  for (int32_t item : rows_.masks.row(rows_.mask_of[row]))
    if (const int64_t place = place_of(item); place >= 0 && !std::ranges::binary_search(positives, item))
      scores[place] = kNone;

  // The list: score descending, then lower row; or every tie before the target.
  const bool against = protocol_.ties == REC_TIES_AGAINST_TARGET;
  const int64_t target = place_of(positives.front());
  std::vector<int64_t> list;
  for (size_t p = 0; p < scores.size(); ++p)
    if (scores[p] > kNone) list.push_back(static_cast<int64_t>(p));
  const auto better = [&](int64_t a, int64_t b) {
    const float x = scores[a], y = scores[b];
    if (x != y) return x > y;
    if (against && (a == target) != (b == target)) return b == target;
    return a < b;
  };
  const int64_t k = std::min(max_k_, std::ssize(list));
  std::partial_sort(list.begin(), list.begin() + k, list.end(), better);
  list.resize(k);
  for (int64_t j = 0; j < std::min(protocol_.keep_lists, k); ++j) {
    const int64_t item = items != nullptr ? (*items)[list[j]] : list[j];
    results.lists[row].add(item, scores[list[j]], std::ranges::binary_search(positives, item));
  }
  if (items != nullptr)
    for (int64_t& place : list) place = (*items)[place];
  lists_.row(std::span<const int64_t>(list), positives, {out, n_metrics});

  for (size_t m = 0; m < n_metrics; ++m) {
    const MetricSpec& metric = metrics_[m];
    if (metric.input == MetricInput::kRank) {
      // A target that the model does not know or cannot score ranks last.
      const bool known = target >= 0 && !std::isnan(scores[target]) && scores[target] > kNone;
      const double rank = known ? rank_of(scores, target, metric.ties) : std::numeric_limits<double>::infinity();
      out[m] = rank_metric(metric, rank);
    } else if (metric.input == MetricInput::kScores) {
      std::vector<int32_t> known;
      for (int32_t item : positives)
        if (const int64_t place = place_of(item); place >= 0) known.push_back(static_cast<int32_t>(place));
      const RowAuc auc = gauc(scores, known);
      out[m] = auc.value;
      results.weights[row] = auc.weight;
    }
  }
}

}  // namespace rec
