#include "core/evaluation/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/base/rng.h"
#include "core/evaluation/row_evaluation.h"

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// Rows of a Csr under construction.
struct Rows {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> columns;

  void close() { offsets.push_back(static_cast<int64_t>(columns.size())); }
  void close_sorted() {
    std::sort(columns.begin() + offsets.back(), columns.end());
    close();
  }
  void close_ascending() {
    const auto begin = columns.begin() + offsets.back();
    std::sort(begin, columns.end());
    columns.erase(std::unique(begin, columns.end()), columns.end());
    close();
  }
  Csr take() const {
    return {Buffer<int64_t>(std::span<const int64_t>(offsets)), Buffer<int32_t>(std::span<const int32_t>(columns))};
  }
};

// All positive interactions of each user in time order; equal times, or none, in the order read.
std::vector<std::vector<int64_t>> events_of_users(const Dataset& data) {
  std::vector<std::vector<int64_t>> events(static_cast<size_t>(data.n_users()));
  for (int64_t i = 0; i < data.n(); ++i)
    if (data.is_positive(i)) events[static_cast<size_t>(data.user[i])].push_back(i);
  if (!data.time.empty())
    for (auto& list : events)
      std::stable_sort(list.begin(), list.end(), [&](int64_t a, int64_t b) { return data.time[a] < data.time[b]; });
  return events;
}

// Throws what is wrong and which rows to use.
void check_rows(const MetricSpec& metric, int32_t rows) {
  if (fits_rows(metric, rows)) return;
  const auto refuse = [&](const char* input, const char* use) {
    throw invalid_argument("metrics", "'", metric.name, "' is defined for ", input, "; use rows = ", use);
  };
  switch (metric.input) {
    case MetricInput::kValues: refuse("a prediction and a label", "REC_ROWS_LABEL"); break;
    case MetricInput::kImpression: refuse("an impression list", "REC_ROWS_LIST"); break;
    case MetricInput::kRank:
      if (fits_rows(metric, REC_ROWS_LIST))
        refuse("one target or one impression list a row", "REC_ROWS_EVENT or REC_ROWS_LIST");
      refuse("one target a row", "REC_ROWS_EVENT");
      break;
    default: refuse("a ranking of items", "REC_ROWS_USER or REC_ROWS_EVENT");
  }
}

bool wants_scores(const MetricSpec& metric) {
  return metric.input == MetricInput::kRank || metric.input == MetricInput::kScores;
}

}  // namespace

bool fits_rows(const MetricSpec& metric, int32_t rows) {
  const bool of_lists = metric.metric == Metric::kRechorusHr || metric.metric == Metric::kRechorusNdcg;
  switch (metric.input) {
    case MetricInput::kValues: return rows == REC_ROWS_LABEL;
    case MetricInput::kImpression: return rows == REC_ROWS_LIST;
    case MetricInput::kRank: return rows == REC_ROWS_EVENT || (of_lists && rows == REC_ROWS_LIST);
    default: return rows == REC_ROWS_USER || rows == REC_ROWS_EVENT;
  }
}

std::string Protocol::suffix() const {
  if (rows == REC_ROWS_LIST)
    return max_pos == 20 && max_neg == 20 ? "[list]" : cat("[list", max_pos, "+", max_neg, "]");
  switch (candidates) {
    case REC_CANDIDATES_GIVEN: return "[given]";
    case REC_CANDIDATES_UNIFORM: return cat("[uni", n_candidates, "]");
    case REC_CANDIDATES_POPULAR: return cat("[pop", n_candidates, "]");
    default: return "";
  }
}

Evaluator::Evaluator(const Dataset& data, const Catalog& catalog, const Protocol& protocol,
                     std::vector<MetricSpec> metrics, const CancelToken* cancel)
    : protocol_(protocol),
      cancel_(cancel),
      metrics_(std::move(metrics)),
      has_times_(!data.time.empty()),
      n_items_(catalog.items.size()),
      lists_(metrics_) {
  for (const MetricSpec& metric : metrics_) {
    check_rows(metric, protocol_.rows);
    needs_scores_ |= wants_scores(metric);
  }
  if (protocol_.candidates == REC_CANDIDATES_GIVEN &&
      (protocol_.rows != REC_ROWS_EVENT || data.candidate_offsets.empty()))
    throw invalid_argument("candidates",
                           "given lists need rows = REC_ROWS_EVENT and a data set that came with lists (neg_items)");
  if (protocol_.ties == REC_TIES_AGAINST_TARGET && protocol_.rows != REC_ROWS_EVENT)
    throw invalid_argument("ties", "REC_TIES_AGAINST_TARGET needs one target a row; use rows = REC_ROWS_EVENT");
  if (protocol_.rows == REC_ROWS_LIST || protocol_.rows == REC_ROWS_LABEL) {
    if (protocol_.candidates != REC_CANDIDATES_FULL)
      throw invalid_argument("candidates", "must be REC_CANDIDATES_FULL (0), got ", protocol_.candidates,
                             ": labelled rows are their own candidates");
    const bool lists = protocol_.rows == REC_ROWS_LIST;
    labelled_ = (lists ? make_list_evaluation : make_value_evaluation)(data, catalog, protocol_, metrics_);
    return;
  }
  needs_scores_ |= protocol_.ties == REC_TIES_AGAINST_TARGET || protocol_.candidates != REC_CANDIDATES_FULL;
  max_k_ = std::clamp<int64_t>(lists_.max_k(), 1, std::max<int64_t>(n_items_, 1));

  item_row_ = match_ids(data.items, catalog.items);
  for (int64_t i = 0; i < item_row_.size(); ++i)
    if (item_row_[i] < 0) item_row_[i] = static_cast<int32_t>(n_items_ + i);
  user_row_ = match_ids(data.users, catalog.users);
  if (protocol_.rows == REC_ROWS_EVENT)
    prepare_event_rows(data);
  else
    prepare_user_rows(data);
  if (users_.empty())
    throw Error(REC_INVALID_DATA,
                cat("dataset: no interaction in its ", protocol_.part == Part::kValid ? "valid" : "test", " part"))
        .at_argument("dataset");
}

Evaluator::~Evaluator() = default;

bool Evaluator::masked(Part part) const {
  return is_before(part, protocol_.part) &&
         (protocol_.mask == REC_MASK_KNOWN || (protocol_.mask == REC_MASK_TRAIN && part == Part::kTrain));
}

void Evaluator::add_history(const Dataset& data, int64_t event) {
  const int32_t item = item_row_[data.item[event]];
  if (item >= n_items_) return;
  history_items_.push_back(item);
  if (has_times_) history_times_.push_back(data.time[event]);
}

void Evaluator::prepare_user_rows(const Dataset& data) {
  Rows positives, masks;
  const auto events = events_of_users(data);
  std::vector<int64_t> row_users;
  for (int64_t user = 0; user < data.n_users(); ++user) {
    const std::vector<int64_t>& list = events[static_cast<size_t>(user)];
    const auto first =
        std::find_if(list.begin(), list.end(), [&](int64_t i) { return data.part[i] == protocol_.part; });
    if (first == list.end()) continue;
    const auto begin = static_cast<int64_t>(history_items_.size());
    for (int64_t i : list) {
      const int32_t item = item_row_[data.item[i]];
      if (data.part[i] == protocol_.part) positives.columns.push_back(item);
      if (masked(data.part[i]) && item < n_items_) masks.columns.push_back(item);
      if (is_before(data.part[i], protocol_.part)) add_history(data, i);
    }
    positives.close_ascending();
    masks.close_ascending();
    mask_of_.push_back(static_cast<int64_t>(users_.size()));
    history_of_.emplace_back(begin, static_cast<int64_t>(history_items_.size()));
    users_.push_back(user_row_[user]);
    row_users.push_back(user);
    if (has_times_) row_times_.push_back(data.time[*first]);
  }
  positives_ = positives.take();
  masks_ = masks.take();
  prepare_candidates(data, events, row_users, {});
}

// A row's history is what came before it in time, but for later parts; the masked items are those of whole parts, since a
// split need not go by time. Given candidates are ranked as they are. The rows of a user share both.
void Evaluator::prepare_event_rows(const Dataset& data) {
  Rows positives, masks;
  const auto events = events_of_users(data);
  std::vector<int64_t> row_users, row_events;
  for (int64_t user = 0; user < data.n_users(); ++user) {
    const std::vector<int64_t>& list = events[static_cast<size_t>(user)];
    if (std::none_of(list.begin(), list.end(), [&](int64_t i) { return data.part[i] == protocol_.part; })) continue;
    const auto begin = static_cast<int64_t>(history_items_.size());
    const auto mask = static_cast<int64_t>(masks.offsets.size()) - 1;
    for (int64_t i : list) {
      const int32_t item = item_row_[data.item[i]];
      if (item < n_items_ && masked(data.part[i]) && protocol_.candidates != REC_CANDIDATES_GIVEN)
        masks.columns.push_back(item);
      const bool is_row = data.part[i] == protocol_.part;
      if (is_row) {
        positives.columns.push_back(item);
        positives.close();
        mask_of_.push_back(mask);
        history_of_.emplace_back(begin, static_cast<int64_t>(history_items_.size()));
        users_.push_back(user_row_[user]);
        row_users.push_back(user);
        row_events.push_back(i);
        if (has_times_) row_times_.push_back(data.time[i]);
      }
      if (is_row || is_before(data.part[i], protocol_.part)) add_history(data, i);
    }
    masks.close_ascending();
  }
  positives_ = positives.take();
  masks_ = masks.take();
  prepare_candidates(data, events, row_users, row_events);
}

// The candidates of each row, drawn once: with the seed, outside everything the user has in any part.
void Evaluator::prepare_candidates(const Dataset& data, const std::vector<std::vector<int64_t>>& events,
                                   const std::vector<int64_t>& row_users, const std::vector<int64_t>& row_events) {
  if (protocol_.candidates == REC_CANDIDATES_FULL) return;
  Rows candidates;
  std::vector<double> cdf;  // training counts, for the popular ones
  if (protocol_.candidates == REC_CANDIDATES_POPULAR) {
    cdf.resize(static_cast<size_t>(n_items_));
    for (int64_t i = 0; i < data.n(); ++i)
      if (data.part[i] == Part::kTrain && data.is_positive(i) && item_row_[data.item[i]] < n_items_)
        cdf[static_cast<size_t>(item_row_[data.item[i]])] += 1;
    std::partial_sum(cdf.begin(), cdf.end(), cdf.begin());
    if (cdf.empty() || cdf.back() == 0)
      throw Error(REC_INVALID_DATA, "dataset: popular candidates need training interactions").at_argument("dataset");
  }
  std::vector<uint8_t> taken(static_cast<size_t>(n_items_));  // by the row's user, or drawn
  for (size_t row = 0; row < users_.size(); ++row) {
    throw_if_cancelled(cancel_);
    const std::span<const int32_t> positives = positives_.row(static_cast<int64_t>(row));
    for (int32_t item : positives)
      if (item < n_items_) candidates.columns.push_back(item);
    if (protocol_.candidates == REC_CANDIDATES_GIVEN) {
      const int64_t event = row_events[row];
      for (int64_t e = data.candidate_offsets[event]; e < data.candidate_offsets[event + 1]; ++e)
        if (const int32_t item = item_row_[data.candidates[e]]; item < n_items_ && item != positives.front())
          candidates.columns.push_back(item);
      candidates.close_sorted();  // one that is listed twice counts twice
    } else {
      const std::vector<int64_t>& own = events[static_cast<size_t>(row_users[row])];
      int64_t known = 0;
      for (int64_t i : own)
        if (const int32_t item = item_row_[data.item[i]]; item < n_items_) {
          known += taken[static_cast<size_t>(item)] == 0;
          taken[static_cast<size_t>(item)] = 1;
        }
      Rng rng(protocol_.seed, RngStream::kEvaluation, 0, row);
      const int64_t wanted =
          std::min<int64_t>(protocol_.n_candidates * static_cast<int64_t>(positives.size()), n_items_ - known);
      const size_t first_drawn = candidates.columns.size();
      // Distinct draws; popularity may leave too few items with a count, so tries are bounded.
      int64_t got = 0;
      for (int64_t tries = 0; got < wanted && tries < 100 * wanted + 1000; ++tries) {
        int32_t item;
        if (cdf.empty())
          item = static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(n_items_)));
        else
          item = static_cast<int32_t>(std::upper_bound(cdf.begin(), cdf.end(), rng.next_double() * cdf.back()) -
                                      cdf.begin());
        if (item >= n_items_ || taken[static_cast<size_t>(item)] != 0) continue;
        taken[static_cast<size_t>(item)] = 1;
        candidates.columns.push_back(item);
        ++got;
      }
      for (size_t c = first_drawn; c < candidates.columns.size(); ++c)
        taken[static_cast<size_t>(candidates.columns[c])] = 0;
      for (int64_t i : own)
        if (const int32_t item = item_row_[data.item[i]]; item < n_items_) taken[static_cast<size_t>(item)] = 0;
      candidates.close_ascending();
    }
  }
  candidates_ = candidates.take();
}

Report Evaluator::run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const {
  if (scorer.wants_query_column(REC_COLUMN_HISTORY_TIME) && !has_times_)
    throw Error(REC_INVALID_DATA,
                cat("dataset: '", scorer.model().name, "' looks at times, and the interactions have none"))
        .at_argument("dataset");
  if (labelled_ != nullptr) return labelled_->run(scorer, pool, cancel);
  const auto n_rows = static_cast<int64_t>(users_.size());
  const size_t n_metrics = metrics_.size();
  std::vector<double> by_row(static_cast<size_t>(n_rows) * n_metrics), weights(static_cast<size_t>(n_rows), 1.0);
  pool.parallel_for(n_rows, Scorer::kQueries, [&](int64_t begin, int64_t end) {
    throw_if_cancelled(cancel);
    evaluate(scorer, begin, end, by_row.data(), weights.data());
  });

  Report report;
  report.users.assign(users_.begin(), users_.end());
  report.values.resize(by_row.size());
  for (size_t m = 0; m < n_metrics; ++m) {
    report.names.push_back(metrics_[m].name + protocol_.suffix());
    double sum = 0, total = 0;
    for (size_t row = 0; row < static_cast<size_t>(n_rows); ++row) {
      const double value = by_row[row * n_metrics + m];
      report.values[m * static_cast<size_t>(n_rows) + row] = value;
      const double weight = metrics_[m].metric == Metric::kGauc ? weights[row] : 1;
      if (std::isnan(value)) continue;
      sum += weight * value;
      total += weight;
    }
    report.means.push_back(total > 0 ? sum / total : std::nan(""));
  }
  return report;
}

// Rows [begin, end), at most a block of them.
void Evaluator::evaluate(const Scorer& scorer, int64_t begin, int64_t end, double* values, double* weights) const {
  const int64_t n = end - begin;
  const size_t n_metrics = metrics_.size();
  Scorer::Scratch scratch;
  std::vector<rec_status_t> status(static_cast<size_t>(n));
  Queries queries;
  queries.n = n;
  queries.users = users_.data() + begin;
  // Two tables know their users; an item-by-item matrix takes what the model knows of them, if anything, unless rows are
  // events.
  const Model& model = scorer.model();
  std::vector<int64_t> history_offsets{0}, history_times;
  std::vector<int32_t> history_items;
  if (scorer.wants_query_column(REC_COLUMN_HISTORY) ||
      (protocol_.rows == REC_ROWS_EVENT ? model.needs_plugin || model.has_item_weights()
                                        : model.has_item_weights() && !model.catalog->has_user_data)) {
    for (int64_t row = begin; row < end; ++row) {
      const auto [first, last] = history_of_[static_cast<size_t>(row)];
      history_items.insert(history_items.end(), history_items_.begin() + first, history_items_.begin() + last);
      if (has_times_)
        history_times.insert(history_times.end(), history_times_.begin() + first, history_times_.begin() + last);
      history_offsets.push_back(static_cast<int64_t>(history_items.size()));
    }
    queries.history_offsets = history_offsets.data();
    queries.history_items = history_items.data();
    if (has_times_) {
      queries.history_times = history_times.data();
      queries.times = row_times_.data() + begin;
    }
    queries.histories_are_complete = protocol_.rows == REC_ROWS_EVENT;
  }
  if (!needs_scores_) {
    std::vector<int64_t> top(static_cast<size_t>(n * max_k_)), offsets{0};
    std::vector<float> scores(top.size());
    std::vector<int32_t> excluded;
    for (int64_t row = begin; row < end; ++row) {
      std::ranges::set_difference(masks_.row(mask_of_[static_cast<size_t>(row)]), positives_.row(row),
                                  std::back_inserter(excluded));
      offsets.push_back(static_cast<int64_t>(excluded.size()));
    }
    kernels::ItemFilter filter;
    filter.exclude_offsets = offsets.data();
    filter.exclude_rows = excluded.data();
    scorer.top_k(queries, filter, max_k_, top.data(), scores.data(), status.data(), scratch);
    for (int64_t q = 0; q < n; ++q)
      lists_.row(std::span<const int64_t>(top.data() + q * max_k_, static_cast<size_t>(max_k_)),
                 positives_.row(begin + q), {values + static_cast<size_t>(begin + q) * n_metrics, n_metrics});
    return;
  }
  std::vector<float> scores;
  if (candidates_.offsets.empty()) {
    const int64_t stride = scorer.all_stride();
    scores.resize(static_cast<size_t>(n * stride));
    scorer.all_scores(queries, scores.data(), stride, status.data(), scratch);
    for (int64_t q = 0; q < n; ++q)
      weights[begin + q] =
          evaluate_scores(begin + q, nullptr, {scores.data() + q * stride, static_cast<size_t>(n_items_)},
                          values + static_cast<size_t>(begin + q) * n_metrics);
    return;
  }
  const int64_t first = candidates_.offsets[begin];
  std::vector<int64_t> offsets;
  for (int64_t row = begin; row <= end; ++row) offsets.push_back(candidates_.offsets[row] - first);
  scores.resize(static_cast<size_t>(offsets.back()));
  scorer.candidate_scores(queries, offsets.data(), candidates_.columns.data() + first, scores.data(), status.data(),
                          scratch);
  for (int64_t q = 0; q < n; ++q) {
    const auto at = static_cast<size_t>(offsets[static_cast<size_t>(q)]);
    const std::span<const int32_t> items = candidates_.row(begin + q);
    weights[begin + q] = evaluate_scores(begin + q, &items, {scores.data() + at, items.size()},
                                         values + static_cast<size_t>(begin + q) * n_metrics);
  }
}

// Metrics that look at every score, with masks and the tie rule applied. scores[p] is of items[p], ascending; without
// items, of item p. Returns the row's weight for gauc.
double Evaluator::evaluate_scores(int64_t row, const std::span<const int32_t>* items, std::span<float> scores,
                                  double* out) const {
  const size_t n_metrics = metrics_.size();
  const std::span<const int32_t> positives = positives_.row(row);
  const auto place_of = [&](int32_t item) -> int64_t {  // -1: no candidate
    if (items == nullptr) return item < n_items_ ? item : -1;
    const auto found = std::lower_bound(items->begin(), items->end(), item);
    return found != items->end() && *found == item ? found - items->begin() : -1;
  };
  for (int32_t item : masks_.row(mask_of_[static_cast<size_t>(row)]))
    if (const int64_t place = place_of(item); place >= 0 && !std::ranges::binary_search(positives, item))
      scores[static_cast<size_t>(place)] = kNone;

  // The list: score descending, then lower row; or every tie before the target.
  const bool against = protocol_.ties == REC_TIES_AGAINST_TARGET;
  const int64_t target = place_of(positives.front());
  std::vector<int64_t> list;
  for (size_t p = 0; p < scores.size(); ++p)
    if (scores[p] > kNone) list.push_back(static_cast<int64_t>(p));
  const auto better = [&](int64_t a, int64_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    if (x != y) return x > y;
    if (against && (a == target) != (b == target)) return b == target;
    return a < b;
  };
  const auto k = std::min<size_t>(static_cast<size_t>(max_k_), list.size());
  std::partial_sort(list.begin(), list.begin() + static_cast<int64_t>(k), list.end(), better);
  list.resize(k);
  if (items != nullptr)
    for (int64_t& place : list) place = (*items)[static_cast<size_t>(place)];
  lists_.row(std::span<const int64_t>(list), positives, {out, n_metrics});

  double weight = 1;
  for (size_t m = 0; m < n_metrics; ++m) {
    const MetricSpec& metric = metrics_[m];
    if (metric.input == MetricInput::kRank) {
      // A target that the model does not know, or cannot score, is behind everything.
      const bool known = target >= 0 && !std::isnan(scores[static_cast<size_t>(target)]) &&
                         scores[static_cast<size_t>(target)] > kNone;
      const double rank = known ? rank_of(scores, target, metric.ties) : std::numeric_limits<double>::infinity();
      out[m] = rank_metric(metric, rank);
    } else if (metric.input == MetricInput::kScores) {
      std::vector<int32_t> known;
      for (int32_t item : positives)
        if (const int64_t place = place_of(item); place >= 0) known.push_back(static_cast<int32_t>(place));
      const RowAuc auc = gauc(scores, known);
      out[m] = auc.value;
      weight = auc.weight;
    }
  }
  return weight;
}

}  // namespace rec
