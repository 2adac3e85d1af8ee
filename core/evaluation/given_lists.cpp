#include "core/evaluation/given_lists.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/text.h"
#include "core/data/columns.h"
#include "core/data/id_column.h"
#include "core/evaluation/evaluation_input.h"

namespace rec {

namespace {

// Ids as rows of one column, and where the list of each row begins.
struct Lists {
  const char* name;
  std::span<const int64_t> offsets;  // [n + 1]
  std::vector<int32_t> items;

  int64_t n() const { return std::ssize(offsets) - 1; }
  std::span<const int32_t> row(int64_t row) const {
    return std::span(items).subspan(offsets[row], offsets[row + 1] - offsets[row]);
  }
};

Lists read_lists(const rec_ids_t* ids, const int64_t* offsets, int64_t n_offsets, const char* name,
                 const char* offsets_name, IdColumn& column) {
  if (ids == nullptr) throw invalid_argument(name, "must not be NULL");
  check_ids(*ids, name);
  check_offsets(offsets, n_offsets, ids->n, offsets_name);
  Lists lists{name, {offsets, static_cast<size_t>(n_offsets)}, {}};
  for (int64_t i = 0; i < ids->n; ++i)
    lists.items.push_back(column.add(
        ids->type == REC_ID_BYTES
            ? column.key({ids->bytes + ids->offsets[i], static_cast<size_t>(ids->offsets[i + 1] - ids->offsets[i])})
            : column.key(ids->i64[i])));
  return lists;
}

// INVALID_DATA when a row has an item twice.
void refuse_repeated(const Lists& lists, int64_t n_items) {
  std::vector<int64_t> last_row(n_items, -1);
  for (int64_t row = 0; row < lists.n(); ++row)
    for (int64_t e = lists.offsets[row]; e < lists.offsets[row + 1]; ++e)
      if (std::exchange(last_row[lists.items[e]], row) == row)
        throw argument_error(REC_INVALID_DATA, lists.name, "row ", row, ": the item at position ",
                             e - lists.offsets[row] + 1, " is in it twice");
}

void check_gains(const rec_lists_t& lists, const std::vector<MetricSpec>& metrics) {
  if (lists.gains == nullptr) return;
  if (lists.n_gains != lists.truth->n)
    throw invalid_argument("gains", "must have as many elements as truth, ", lists.truth->n, ", got ", lists.n_gains);
  for (int64_t i = 0; i < lists.n_gains; ++i)
    if (!std::isfinite(lists.gains[i]) || lists.gains[i] < 0)
      throw argument_error(REC_INVALID_DATA, "gains", "element ", i, " must be finite and >= 0, got ", lists.gains[i]);
  for (const MetricSpec& metric : metrics)
    if (metric.metric == Metric::kSparkNdcg)
      throw invalid_argument("metrics", "'", metric.name, "' knows no gains; ndcg does");
}

// The relevant items of a row, ascending, with their gains beside them.
struct Relevant {
  std::vector<int32_t> items;
  std::vector<float> gains;

  void read(const Lists& truth, const float* all_gains, int64_t row) {
    std::vector<std::pair<int32_t, float>> pairs;
    for (int64_t e = truth.offsets[row]; e < truth.offsets[row + 1]; ++e)
      if (const float gain = all_gains == nullptr ? 1 : all_gains[e]; gain > 0)
        pairs.emplace_back(truth.items[e], gain);
    std::sort(pairs.begin(), pairs.end());
    items.clear();
    gains.clear();
    for (const auto& [item, gain] : pairs) {
      if (!items.empty() && items.back() == item) continue;  // without gains, repeated items are one
      items.push_back(item);
      gains.push_back(gain);
    }
    if (all_gains == nullptr) gains.clear();
  }
};

}  // namespace

Report evaluate_lists(const rec_lists_t& lists, const std::vector<MetricSpec>& metrics) {
  for (const MetricSpec& metric : metrics)
    if (metric.input != MetricInput::kList)
      throw invalid_argument("metrics", "'", metric.name,
                             "' needs more than ranked lists; recall, ndcg and such do not");
  MemoryBudget unlimited;
  IdColumn items("item_id", REC_ID_AUTO, &unlimited);
  const Lists ranked =
      read_lists(lists.ranked, lists.ranked_offsets, lists.n_ranked_offsets, "ranked", "ranked_offsets", items);
  const Lists truth =
      read_lists(lists.truth, lists.truth_offsets, lists.n_truth_offsets, "truth", "truth_offsets", items);
  if (truth.n() != ranked.n())
    throw invalid_argument("truth", "must have as many rows as ranked, ", ranked.n(), ", got ", truth.n());
  if (ranked.n() == 0) throw argument_error(REC_INVALID_DATA, "ranked", "there are no rows");
  check_gains(lists, metrics);
  refuse_repeated(ranked, items.size());
  if (lists.gains != nullptr) refuse_repeated(truth, items.size());

  const ListMetrics of_lists(metrics);
  const int64_t n = ranked.n();
  std::vector<double> values(metrics.size() * n), of_row(metrics.size());
  std::vector<int32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  Relevant relevant;
  for (int64_t row = 0; row < n; ++row) {
    relevant.read(truth, lists.gains, row);
    of_lists.row(ranked.row(row), relevant.items, of_row, relevant.gains);
    for (size_t m = 0; m < metrics.size(); ++m) values[m * n + row] = of_row[m];
  }
  const std::vector<int64_t> numbers(rows.begin(), rows.end());
  return report_of(metrics, "", rows, numbers, std::move(values), {});
}

}  // namespace rec
