#include "core/training/labelled_rows.h"

#include <algorithm>
#include <numeric>

namespace rec {

namespace {

std::vector<int32_t> numbers(int64_t n) {
  std::vector<int32_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

std::vector<int32_t> training_rows(const Dataset& data) {
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < data.n(); ++i)
    if (data.part[i] == Part::kTrain) rows.push_back(static_cast<int32_t>(i));
  return rows;
}

}  // namespace

ListRows::ListRows(const BatchPlan& plan) : ShuffledRows(plan, numbers(plan.lists->n())) {
  if (plan.lists->n() == 0)
    throw argument_error(REC_INVALID_DATA, "dataset",
                         "no impression list with a clicked and a shown item in its train part");
}

void ListRows::fill(Batch& batch, const CancelToken*) {
  const std::span<const int32_t> lists = begin(batch);
  const int64_t columns = plan_.max_pos + plan_.max_neg;
  int32_t* users =
      plan_.wants(REC_COLUMN_USER) ? batch.column(REC_COLUMN_USER).reshape<int32_t>(batch.n_rows) : nullptr;
  auto* items = batch.column(REC_COLUMN_ITEM).reshape<int32_t>(batch.n_rows, columns);
  auto* mask = batch.column(REC_COLUMN_IMPRESSION_MASK).reshape<uint8_t>(batch.n_rows, columns);
  for (int32_t list : lists) {
    if (users != nullptr) *users++ = plan_.lists->users[list];
    const std::span<const int32_t> positives = plan_.lists->positives.row(list);
    const auto put = [&](std::span<const int32_t> side, int64_t slots, uint8_t slot) {
      for (int64_t s = 0; s < slots; ++s) {
        const bool there = s < std::ssize(side);
        *items++ = there ? side[s] : positives.front();
        *mask++ = there ? slot : REC_SLOT_PADDING;
      }
    };
    put(positives, plan_.max_pos, REC_SLOT_POSITIVE);
    put(plan_.lists->negatives.row(list), plan_.max_neg, REC_SLOT_NEGATIVE);
  }
}

LabelledRows::LabelledRows(const BatchPlan& plan) : ShuffledRows(plan, training_rows(*plan.data)) {
  if (plan.data->label.empty())
    throw argument_error(REC_INVALID_DATA, "dataset",
                         "task=ctr needs a label of each row, and there is no label column");
  if (!plan_.wants_histories()) return;
  // A row's history is what its user had clicked before: earlier in time, or earlier in the data without times.
  const Dataset& data = *plan.data;
  const Interactions& train = *plan.train;
  std::vector<int64_t> clicked(train.by_user.offsets.begin(), train.by_user.offsets.end());
  ends_.resize(data.n());
  for (int64_t i = 0; i < data.n(); ++i) {
    const int32_t user = data.user[i];
    if (data.time.empty()) {
      ends_[i] = clicked[user];
      clicked[user] += data.part[i] == Part::kTrain && data.is_positive(i);
      continue;
    }
    const int64_t* times = train.entry_time.data();
    ends_[i] =
        std::lower_bound(times + train.by_user.offsets[user], times + train.by_user.offsets[user + 1], data.time[i]) -
        times;
  }
}

void LabelledRows::fill(Batch& batch, const CancelToken*) {
  const std::span<const int32_t> rows = begin(batch);
  const Dataset& data = *plan_.data;
  histories_.clear();
  if (plan_.wants_histories())
    for (int32_t row : rows) histories_.push_back(plan_.history_before(data.user[row], ends_[row]));
  for (int32_t id : plan_.columns) {
    Column& column = batch.column(id);
    if (fill_history_column(histories_, column)) continue;
    if (id == REC_COLUMN_LABEL) {
      auto* labels = column.reshape<float>(batch.n_rows);
      for (int32_t row : rows) *labels++ = data.label[row];
    } else {
      const bool user = id == REC_COLUMN_USER;
      auto* out = user ? column.reshape<int32_t>(batch.n_rows) : column.reshape<int32_t>(batch.n_rows, 1);
      for (int32_t row : rows) *out++ = user ? data.user[row] : data.item[row];
    }
  }
}

}  // namespace rec
