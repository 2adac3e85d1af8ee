#include "core/evaluation/histories.h"

namespace rec {

Histories::Histories(const EvaluationInput& input)
    : training_only_(input.protocol.knows_training_only()),
      begin_(Buffer<int64_t>::uninitialized(input.data.n())),
      end_(Buffer<int64_t>::uninitialized(input.data.n())),
      time_(input.data.time.copy()) {
  const Dataset& data = input.data;
  const Protocol& protocol = input.protocol;
  const bool by_row = !training_only_ && protocol.rows != REC_ROWS_USER;
  const bool by_time = has_times() && protocol.rows != REC_ROWS_EVENT;
  const auto is_known = [&](int64_t i) {
    const Part part = data.part[i];
    return data.is_positive(i) && input.item_row[data.item[i]] < input.n_items &&
           (training_only_ ? part == Part::kTrain
                           : is_before(part, protocol.part) || (by_row && part == protocol.part));
  };
  for (int64_t user = 0; user < data.n_users(); ++user) {
    const auto begin = std::ssize(items_);
    const std::span<const int64_t> timeline = input.timelines.of(user);
    int64_t end = begin, previous = -1;
    for (int64_t i : timeline) {
      if (!by_time || previous < 0 || data.time[i] != data.time[previous]) end = std::ssize(items_);
      begin_[i] = begin;
      end_[i] = end;
      previous = i;
      if (!is_known(i)) continue;
      items_.push_back(input.item_row[data.item[i]]);
      if (has_times()) times_.push_back(data.time[i]);
    }
    if (!by_row)
      for (int64_t i : timeline) end_[i] = std::ssize(items_);
  }
}

History Histories::of(int64_t interaction) const {
  const int64_t begin = begin_[interaction], end = end_[interaction];
  return {{items_.data() + begin, static_cast<size_t>(end - begin)}, has_times() ? times_.data() + begin : nullptr};
}

// Two tables already hold the user's vector; any other model is given the user's history, marked as complete.
QueryBlock::QueryBlock(const Scorer& scorer, const Histories& histories, std::span<const int32_t> users,
                       std::span<const int64_t> interactions)
    : status(users.size()) {
  queries.n = std::ssize(users);
  queries.users = users.data();
  if (!scorer.wants_histories()) return;
  for (size_t q = 0; q < users.size(); ++q) {
    History history = histories.of(interactions[q]);
    if (histories.training_only()) {
      // A data set without this user's training part leaves it to the model's own memory.
      if (history.items.empty()) history = scorer.known_history(users[q]);
      history = scorer.as_kept(history);
    }
    items_.insert(items_.end(), history.items.begin(), history.items.end());
    offsets_.push_back(std::ssize(items_));
    if (!histories.has_times()) continue;
    if (history.times != nullptr)
      item_times_.insert(item_times_.end(), history.times, history.times + history.items.size());
    item_times_.resize(items_.size());
    times_.push_back(histories.time(interactions[q]));
  }
  queries.history_offsets = offsets_.data();
  queries.history_items = items_.data();
  queries.histories_are_complete = true;
  if (!histories.has_times()) return;
  queries.history_times = item_times_.data();
  queries.times = times_.data();
}

}  // namespace rec
