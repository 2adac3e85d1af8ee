#include "core/training/interaction_rows.h"

namespace rec {

namespace {

// The entries of by_user that become rows: those with enough items before them.
std::vector<int32_t> trainable_entries(const BatchPlan& plan) {
  const Csr& by_user = plan.train->by_user;
  std::vector<int32_t> rows;
  for (int64_t u = 0; u < by_user.n_rows(); ++u)
    for (int64_t e = by_user.offsets[u] + plan.min_history; e < by_user.offsets[u + 1]; ++e)
      rows.push_back(static_cast<int32_t>(e));
  if (rows.empty())
    throw argument_error(REC_INVALID_DATA, "dataset", "no user has more than ", plan.min_history,
                         " training interactions, so no row has the history this model needs");
  if (plan.in_batch && rows.size() == 1)
    throw argument_error(REC_INVALID_DATA, "dataset", "in-batch negatives need two training rows, and there is one");
  return rows;
}

}  // namespace

InteractionRows::InteractionRows(const BatchPlan& plan)
    : ShuffledRows(plan, trainable_entries(plan)), train_(*plan.train), wants_histories_(plan.wants_histories()) {}

// With in-batch negatives, a last batch of one row would have no negative, so it is left out; the shuffle leaves out
// another row in each epoch.
int64_t InteractionRows::batches_per_epoch() const {
  const bool one_alone = plan_.in_batch && size() % plan_.batch_size == 1;
  return ShuffledRows::batches_per_epoch() - one_alone;
}

void InteractionRows::fill(Batch& batch, const CancelToken* cancel) {
  const int32_t* entries = begin(batch).data();
  histories_.clear();
  for (int64_t b = 0; wants_histories_ && b < batch.n_rows; ++b)
    histories_.push_back(plan_.history_before(train_.entry_user[entries[b]], entries[b]));
  const int64_t n = batch.n_rows;
  const bool weighted = !train_.entry_weight.empty();
  const auto each = [&](auto* out, auto value) { std::transform(entries, entries + n, out, value); };
  for (int32_t id : plan_.columns) {
    Column& column = batch.column(id);
    if (fill_history_column(histories_, column)) continue;
    switch (id) {
      case REC_COLUMN_USER: each(column.reshape<int32_t>(n), [&](int32_t e) { return train_.entry_user[e]; }); break;
      case REC_COLUMN_TIME: each(column.reshape<int64_t>(n), [&](int32_t e) { return train_.entry_time[e]; }); break;
      case REC_COLUMN_WEIGHT:
        each(column.reshape<float>(n), [&](int32_t e) { return weighted ? train_.entry_weight[e] : 1.f; });
        break;
      case REC_COLUMN_LOG_Q: column.reshape<float>(n, plan_.in_batch ? n : 1 + plan_.n_negatives); break;
      case REC_COLUMN_ITEM: fill_items(column, batch, entries, cancel); break;
      default: break;
    }
  }
}

// The positive, then its negatives: drawn, or the positives of the rows after it, wrapping around the batch.
void InteractionRows::fill_items(Column& column, const Batch& batch, const int32_t* entries,
                                 const CancelToken* cancel) const {
  const int64_t n = batch.n_rows, columns = plan_.in_batch ? n : 1 + plan_.n_negatives;
  auto* items = column.reshape<int32_t>(n, columns);
  const int32_t* item_of = train_.by_user.columns.data();
  for (int64_t b = 0; b < n; ++b) {
    throw_if_cancelled(cancel);
    int32_t* row = items + b * columns;
    row[0] = item_of[entries[b]];
    if (plan_.in_batch)
      for (int64_t j = 1; j < n; ++j) row[j] = item_of[entries[b + j < n ? b + j : b + j - n]];
    else if (plan_.n_negatives > 0)
      plan_.sampler->fill(train_.entry_user[entries[b]], entries[b], batch.epoch, plan_.n_negatives, row + 1);
  }
}

}  // namespace rec
