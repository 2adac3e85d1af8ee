#include "core/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>

#include "core/evaluation/evaluation_input.h"

namespace rec {

namespace {

// Row of each id among the known ones; -1 = unknown.
Buffer<int32_t> match_ids(const IdMap& ids, const IdMap& known) {
  auto rows = Buffer<int32_t>::uninitialized(ids.size());
  for (int64_t i = 0; i < ids.size(); ++i)
    rows[i] = ids.type() == REC_ID_INT64 ? known.find(ids.int64_at(i)) : known.find(ids.bytes_at(i));
  return rows;
}

Buffer<int32_t> item_rows(const Dataset& data, const Catalog& catalog) {
  Buffer<int32_t> rows = match_ids(data.items, catalog.items);
  for (int64_t i = 0; i < rows.size(); ++i)
    if (rows[i] < 0) rows[i] = static_cast<int32_t>(catalog.items.size() + i);
  return rows;
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

EvaluationInput::EvaluationInput(const Dataset& data_, const Catalog& catalog, const Protocol& protocol_,
                                 std::vector<MetricSpec> metrics_, const CancelToken* cancel_)
    : data(data_),
      protocol(protocol_),
      metrics(std::move(metrics_)),
      cancel(cancel_),
      n_items(catalog.items.size()),
      user_row(match_ids(data.users, catalog.users)),
      item_row(item_rows(data, catalog)),
      timelines(data) {}

Error EvaluationInput::no_rows(const char* what) const {
  return argument_error(REC_INVALID_DATA, "dataset", "no ", what, " in its ",
                        protocol.part == Part::kValid ? "valid" : "test", " part");
}

std::unique_ptr<const Evaluation> prepare_evaluation(const Dataset& data, const Catalog& catalog,
                                                     const Protocol& protocol, std::vector<MetricSpec> metrics,
                                                     const CancelToken* cancel) {
  check_protocol(protocol, metrics, data);
  return make_evaluation({data, catalog, protocol, std::move(metrics), cancel});
}

Report Evaluation::run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const {
  if (scorer.wants_query_column(REC_COLUMN_HISTORY_TIME) && !has_times_)
    throw argument_error(REC_INVALID_DATA, "dataset", "'", scorer.model().name,
                         "' looks at times, and the interactions have none");
  return run_rows(scorer, pool, cancel);
}

Report evaluate(std::shared_ptr<const Model> model, const Dataset& data, const Protocol& protocol,
                std::vector<MetricSpec> metrics, int64_t threads, const CancelToken* cancel) {
  const auto rows = prepare_evaluation(data, *model->catalog, protocol, std::move(metrics), cancel);
  ThreadPool pool(resolve_threads(threads));
  return rows->run(*make_scorer(std::move(model)), pool, cancel);
}

Report report_of(const std::vector<MetricSpec>& metrics, const std::string& suffix, std::span<const int32_t> users,
                 std::vector<double> values, std::span<const double> gauc_weights) {
  Report report;
  report.users.assign(users.begin(), users.end());
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
  }
  return report;
}

}  // namespace rec
