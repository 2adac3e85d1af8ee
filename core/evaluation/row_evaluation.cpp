#include "core/evaluation/row_evaluation.h"

#include <algorithm>
#include <numeric>

namespace rec {

Buffer<int32_t> match_ids(const IdMap& ids, const IdMap& known) {
  auto rows = Buffer<int32_t>::uninitialized(ids.size());
  for (int64_t i = 0; i < ids.size(); ++i)
    rows[i] = ids.type() == REC_ID_INT64 ? known.find(ids.int64_at(i)) : known.find(ids.bytes_at(i));
  return rows;
}

Histories::Histories(const Dataset& data, const Buffer<int32_t>& item_row, Part part)
    : begin_(Buffer<int64_t>::uninitialized(data.n())),
      end_(Buffer<int64_t>::uninitialized(data.n())),
      row_time_(data.time.copy()) {
  auto order = Buffer<int64_t>::uninitialized(data.n());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    if (data.user[a] != data.user[b]) return data.user[a] < data.user[b];
    if (!data.time.empty() && data.time[a] != data.time[b]) return data.time[a] < data.time[b];
    return a < b;
  });
  int64_t begin = 0, end = 0;
  for (int64_t at = 0; at < data.n(); ++at) {
    const int64_t row = order[at];
    const bool same_user = at > 0 && data.user[row] == data.user[order[at - 1]];
    if (!same_user) begin = static_cast<int64_t>(items_.size());
    if (!same_user || !has_times() || data.time[row] != data.time[order[at - 1]])
      end = static_cast<int64_t>(items_.size());
    begin_[row] = begin;
    end_[row] = end;
    if (!data.is_positive(row) || item_row[data.item[row]] < 0) continue;
    if (data.part[row] != part && !is_before(data.part[row], part)) continue;
    items_.push_back(item_row[data.item[row]]);
    if (has_times()) times_.push_back(data.time[row]);
  }
}

std::span<const int32_t> Histories::before(int64_t row) const {
  return {items_.data() + begin_[row], static_cast<size_t>(end_[row] - begin_[row])};
}

std::span<const int64_t> Histories::times_before(int64_t row) const {
  if (!has_times()) return {};
  return {times_.data() + begin_[row], static_cast<size_t>(end_[row] - begin_[row])};
}

void QueryBlock::score(const Scorer& scorer, const Histories& histories, std::span<const int64_t> rows) {
  Queries queries;
  queries.n = static_cast<int64_t>(users.size());
  queries.users = users.data();
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  std::vector<int64_t> item_times, times;
  // Two tables know their users; the history is for the others.
  if (scorer.model().needs_plugin || scorer.model().has_item_weights()) {
    for (int64_t row : rows) {
      const std::span<const int32_t> history = histories.before(row);
      items.insert(items.end(), history.begin(), history.end());
      offsets.push_back(static_cast<int64_t>(items.size()));
      const std::span<const int64_t> beside = histories.times_before(row);
      item_times.insert(item_times.end(), beside.begin(), beside.end());
      if (histories.has_times()) times.push_back(histories.time(row));
    }
    if (histories.has_times()) queries.history_times = item_times.data(), queries.times = times.data();
    queries.history_offsets = offsets.data();
    queries.history_items = items.data();
    queries.histories_are_complete = true;
  }
  scores.resize(candidates.size());
  status.resize(users.size());
  Scorer::Scratch scratch;
  scorer.candidate_scores(queries, candidate_offsets.data(), candidates.data(), scores.data(), status.data(), scratch);
}

}  // namespace rec
