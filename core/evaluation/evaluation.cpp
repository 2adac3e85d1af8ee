#include "core/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>

#include "core/base/log.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/evaluation/evaluation_input.h"

namespace rec {

namespace {

int32_t first_item(const Dataset& data, Part part) {
  return data.item[std::ranges::find(data.part, part) - data.part.begin()];
}

Buffer<int32_t> item_rows(const Dataset& data, const Catalog& catalog, std::span<const uint8_t> untrained, Part part) {
  Buffer<int32_t> rows = catalog.items.rows_of(data.items);
  int64_t n = 0, n_known = 0;
  for (int64_t i = 0; i < data.n(); ++i) {
    if (data.part[i] != part) continue;
    ++n;
    n_known += rows[data.item[i]] >= 0;
  }
  if (n > 0 && n_known == 0)
    throw argument_error(REC_INVALID_DATA, "dataset", "the model knows no item of the ", n, " rows of the ",
                         part == Part::kValid ? "valid" : "test", " part, such as '",
                         printable(data.items.text_at(first_item(data, part))), "'; its own are like '",
                         printable(catalog.items.text_at(0)), "'");
  for (int64_t i = 0; i < rows.size(); ++i)
    if (rows[i] < 0 || has_bit(untrained, rows[i])) rows[i] = static_cast<int32_t>(catalog.items.size() + i);
  return rows;
}

// A model may answer users that it does not know; if it knows none, their ids are probably written otherwise. If it knows
// some, or knows only the ids of some, their rows are in the mean.
void warn_of_users_without_rows(const Dataset& data, const Catalog& catalog, Part part,
                                const Buffer<int32_t>& user_row) {
  int64_t n = 0, n_unknown = 0, n_new = 0, first = -1;
  for (int64_t i = 0; i < data.n(); ++i) {
    if (data.part[i] != part) continue;
    const int32_t row = user_row[data.user[i]];
    if (n++ == 0) first = data.user[i];
    n_unknown += row < 0;
    n_new += row >= 0 && catalog.has_user_data && catalog.seen.row(row).empty();
  }
  const std::string of_part = cat(" of the ", n, " rows of the ", part == Part::kValid ? "valid" : "test", " part");
  if (n > 0 && n_unknown == n)
    log::write(REC_LOG_WARNING, cat("evaluation: the model knows none of the users", of_part, ", such as '",
                                    printable(data.users.text_at(first)), "'; its own are like '",
                                    printable(catalog.users.text_at(0)), "'"));
  else if (n_unknown > 0 || n_new > 0)
    log::write(REC_LOG_WARNING, cat("evaluation: ", n_unknown + n_new, of_part,
                                    " are of users without a row in training; they are in the metrics too"));
}

// n_users of those with rows, each set of them equally likely.
Buffer<char> sample_users(const Dataset& data, const Protocol& protocol) {
  if (protocol.n_users == 0) return {};
  Buffer<char> chosen(data.n_users());
  for (int64_t i = 0; i < data.n(); ++i)
    if (data.part[i] == protocol.part && data.is_positive(i)) chosen[data.user[i]] = 1;
  std::vector<int64_t> users;
  for (int64_t user = 0; user < data.n_users(); ++user)
    if (chosen[user]) users.push_back(user);
  shuffle(users.data(), std::ssize(users), Rng(protocol.seed, RngStream::kEvaluation, 0, UINT64_MAX));
  for (size_t i = static_cast<size_t>(protocol.n_users); i < users.size(); ++i) chosen[users[i]] = 0;
  return chosen;
}

std::unique_ptr<const Evaluation> make_evaluation(const EvaluationInput& input) {
  switch (input.protocol.rows) {
    case REC_ROWS_EVENT: return make_event_evaluation(input);
    case REC_ROWS_LIST: return make_list_evaluation(input);
    case REC_ROWS_LABEL: return make_label_evaluation(input);
    default: return make_user_evaluation(input);
  }
}

}  // namespace

Timelines::Timelines(const Dataset& data)
    : offsets_(data.n_users() + 1), order_(Buffer<int64_t>::uninitialized(data.n())) {
  for (int64_t i = 0; i < data.n(); ++i) ++offsets_[data.user[i] + 1];
  for (int64_t user = 0; user < data.n_users(); ++user) offsets_[user + 1] += offsets_[user];
  Buffer<int64_t> next = offsets_.copy();
  for (int64_t i = 0; i < data.n(); ++i) order_[next[data.user[i]]++] = i;
  if (data.time.empty()) return;
  for (int64_t user = 0; user < data.n_users(); ++user)
    std::stable_sort(order_.data() + offsets_[user], order_.data() + offsets_[user + 1],
                     [&](int64_t a, int64_t b) { return data.time[a] < data.time[b]; });
}

EvaluationInput::EvaluationInput(const Dataset& data_, const Catalog& catalog, std::span<const uint8_t> untrained_,
                                 const Protocol& protocol_, std::vector<MetricSpec> metrics_,
                                 const CancelToken* cancel_)
    : data(data_),
      protocol(protocol_),
      metrics(std::move(metrics_)),
      cancel(cancel_),
      seen(catalog.seen),
      n_items(catalog.items.size()),
      untrained(untrained_.begin(), untrained_.end()),
      user_row(catalog.users.rows_of(data.users)),
      item_row(item_rows(data, catalog, untrained, protocol_.part)),
      timelines(data),
      is_measured(sample_users(data_, protocol_)) {
  if (!protocol.skip_first) warn_of_users_without_rows(data, catalog, protocol.part, user_row);  // sessions are new
}

Error EvaluationInput::no_rows(const char* what) const {
  return argument_error(REC_INVALID_DATA, "dataset", "no ", what, " in its ",
                        protocol.part == Part::kValid ? "valid" : "test", " part");
}

std::unique_ptr<const Evaluation> prepare_evaluation(const Dataset& data, const Catalog& catalog,
                                                     std::span<const uint8_t> untrained, const Protocol& protocol,
                                                     std::vector<MetricSpec> metrics, const CancelToken* cancel) {
  check_protocol(protocol, metrics, data);
  return make_evaluation({data, catalog, untrained, protocol, std::move(metrics), cancel});
}

Report Evaluation::run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const {
  if (scorer.wants_query_column(REC_COLUMN_HISTORY_TIME) && !has_times_)
    throw argument_error(REC_INVALID_DATA, "dataset", "'", scorer.model().name,
                         "' looks at times, and the interactions have none");
  return run_rows(scorer, pool, cancel);
}

Report evaluate(std::shared_ptr<const Model> model, const Dataset& data, const Protocol& protocol,
                std::vector<MetricSpec> metrics, int64_t threads, const CancelToken* cancel) {
  const auto rows = prepare_evaluation(data, *model->catalog, model->untrained, protocol, std::move(metrics), cancel);
  ThreadPool pool(resolve_threads(threads));
  return rows->run(*make_scorer(std::move(model)), pool, cancel);
}

double standard_error(std::span<const double> values, std::span<const double> weights, std::span<const int32_t> users,
                      double mean) {
  double squares = 0, total = 0;
  int64_t n_users = 0;
  for (size_t row = 0; row < values.size();) {
    double deviation = 0, weight = 0;
    const size_t first = row;
    do {
      const double w = std::isnan(values[row]) ? 0 : weights.empty() ? 1 : weights[row];
      if (w != 0) deviation += w * (values[row] - mean);
      weight += w;
      ++row;
    } while (row < values.size() && users[row] >= 0 && users[row] == users[first]);
    const double rounding = 1e-12 * weight * std::max(1.0, std::abs(mean));
    if (std::abs(deviation) > rounding) squares += deviation * deviation;
    total += weight;
    n_users += weight != 0;
  }
  if (n_users < 2) return std::nan("");
  const auto n = static_cast<double>(n_users);
  return std::sqrt(n / (n - 1) * squares) / total;
}

void Report::set_lists(std::span<const RankedList> lists) {
  list_offsets.assign(1, 0);
  for (const RankedList& list : lists) {
    list_items.insert(list_items.end(), list.items.begin(), list.items.end());
    list_scores.insert(list_scores.end(), list.scores.begin(), list.scores.end());
    list_relevant.insert(list_relevant.end(), list.relevant.begin(), list.relevant.end());
    list_offsets.push_back(std::ssize(list_items));
  }
}

Report report_of(const std::vector<MetricSpec>& metrics, const std::string& suffix, std::span<const int32_t> users,
                 std::span<const int64_t> interactions, std::vector<double> values,
                 std::span<const double> gauc_weights) {
  Report report;
  report.users.assign(users.begin(), users.end());
  report.interactions.assign(interactions.begin(), interactions.end());
  report.values = std::move(values);
  for (size_t m = 0; m < metrics.size(); ++m) {
    report.names.push_back(metrics[m].name + suffix);
    double sum = 0, total = 0;
    for (size_t row = 0; row < users.size(); ++row) {
      const double value = report.values[m * users.size() + row];
      const double weight = metrics[m].metric == Metric::kGauc ? gauc_weights[row] : 1;
      if (std::isnan(value)) continue;
      sum += weight * value;
      total += weight;
    }
    report.means.push_back(total > 0 ? sum / total : std::nan(""));
    report.standard_errors.push_back(standard_error(
        std::span(report.values).subspan(m * users.size(), users.size()),
        metrics[m].metric == Metric::kGauc ? gauc_weights : std::span<const double>(), users, report.means.back()));
  }
  return report;
}

}  // namespace rec
