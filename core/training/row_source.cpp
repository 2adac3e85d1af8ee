#include "core/training/row_source.h"

#include <algorithm>
#include <numeric>

#include "core/base/rng.h"
#include "core/training/history_columns.h"
#include "core/training/labelled_rows.h"
#include "core/training/session_rows.h"

namespace rec {

namespace {

// A row is a training interaction; an epoch is all of them, shuffled.
class InteractionRows : public RowSource {
 public:
  explicit InteractionRows(const BatchPlan& plan)
      : plan_(plan), train_(*plan.train), wants_histories_(plan.wants_histories()) {
    const Csr& by_user = train_.by_user;
    std::vector<int32_t> rows;
    for (int64_t u = 0; u < by_user.n_rows(); ++u)
      for (int64_t e = by_user.offsets[u] + plan_.min_history; e < by_user.offsets[u + 1]; ++e)
        rows.push_back(static_cast<int32_t>(e));
    if (rows.empty())
      throw Error(REC_INVALID_DATA, cat("dataset: no user has more than ", plan_.min_history,
                                        " training interactions, so no row has the history this model needs"))
          .at_argument("dataset");
    if (plan.in_batch && rows.size() == 1)
      throw Error(REC_INVALID_DATA, "dataset: in-batch negatives need two training rows, and there is one")
          .at_argument("dataset");
    order_ = ShuffledRows(std::move(rows));
  }

  // A row alone in the last batch has no other's positive to be told from; in each epoch it is another one.
  int64_t batches_per_epoch() const override {
    const bool one_alone = plan_.in_batch && order_.size() % plan_.batch_size == 1;
    return order_.batches(plan_.batch_size) - one_alone;
  }
  void seek(int64_t epoch, int64_t) override { order_.seek(plan_.seed, epoch); }

  void fill(Batch& batch) override {
    const int32_t* entries = order_.begin(batch, plan_.batch_size).data();
    histories_.clear();
    for (int64_t b = 0; wants_histories_ && b < batch.n_rows; ++b)
      histories_.push_back(history_before(plan_, train_.user_of[entries[b]], entries[b]));
    for (int32_t id : plan_.columns)
      if (Column& column = batch.column(id); !fill_history_column(plan_, histories_, column))
        fill_column(column, batch, entries);
  }

 private:
  void fill_column(Column& column, const Batch& batch, const int32_t* entries) const {
    const int64_t n = batch.n_rows;
    switch (column.id()) {
      case REC_COLUMN_USER: {
        auto* users = column.reshape<int32_t>(n);
        for (int64_t b = 0; b < n; ++b) users[b] = train_.user_of[entries[b]];
        break;
      }
      case REC_COLUMN_ITEM: fill_items(column, batch, entries); break;
      case REC_COLUMN_WEIGHT: {
        auto* weights = column.reshape<float>(n);
        for (int64_t b = 0; b < n; ++b) weights[b] = train_.user_weight.empty() ? 1.f : train_.user_weight[entries[b]];
        break;
      }
      case REC_COLUMN_TIME: {
        auto* times = column.reshape<int64_t>(n);
        for (int64_t b = 0; b < n; ++b) times[b] = train_.user_time[entries[b]];
        break;
      }
      case REC_COLUMN_LOG_Q: column.reshape<float>(n, plan_.in_batch ? n : 1 + plan_.n_negatives); break;
      default: break;
    }
  }

  // The positive, then its negatives: drawn, or the positives of the rows after it, around the batch.
  void fill_items(Column& column, const Batch& batch, const int32_t* entries) const {
    const int64_t n = batch.n_rows, columns = plan_.in_batch ? n : 1 + plan_.n_negatives;
    auto* items = column.reshape<int32_t>(n, columns);
    const int32_t* known = train_.by_user.columns.data();
    for (int64_t b = 0; b < n; ++b) {
      int32_t* row = items + b * columns;
      row[0] = known[entries[b]];
      if (plan_.in_batch)
        for (int64_t j = 1; j < n; ++j) row[j] = known[entries[b + j < n ? b + j : b + j - n]];
      else if (plan_.n_negatives > 0)
        plan_.sampler->fill(train_.user_of[entries[b]], entries[b], batch.epoch, plan_.n_negatives, row + 1);
    }
  }

  const BatchPlan plan_;
  const Interactions& train_;
  const bool wants_histories_;
  std::vector<HistoryRange> histories_;  // of the batch
  ShuffledRows order_;                   // entries of by_user
};

// A row is an item, or a user; an epoch is all of them, in order.
class EveryRow : public RowSource {
 public:
  EveryRow(const BatchPlan& plan, int64_t n) : plan_(plan), n_(n) {}
  int64_t batches_per_epoch() const override { return (n_ + plan_.batch_size - 1) / plan_.batch_size; }
  void seek(int64_t, int64_t) override {}
  void fill(Batch& batch) override {
    batch.first_row = batch.index * plan_.batch_size;
    batch.n_rows = std::min(plan_.batch_size, n_ - batch.first_row);
    for (int32_t id : plan_.columns) {
      Column& column = batch.column(id);
      auto* rows =
          id == REC_COLUMN_ITEM ? column.reshape<int32_t>(batch.n_rows, 1) : column.reshape<int32_t>(batch.n_rows);
      std::iota(rows, rows + batch.n_rows, static_cast<int32_t>(batch.first_row));
    }
  }

 private:
  const BatchPlan plan_;
  const int64_t n_;
};

}  // namespace

// Fisher-Yates.
void ShuffledRows::seek(uint64_t seed, int64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  order_ = rows_;
  Rng rng(seed, RngStream::kShuffle, static_cast<uint64_t>(epoch));
  for (size_t i = order_.size(); i-- > 1;) std::swap(order_[i], order_[rng.next_below(static_cast<uint32_t>(i + 1))]);
}

std::span<const int32_t> ShuffledRows::begin(Batch& batch, int64_t batch_size) const {
  batch.first_row = batch.index * batch_size;
  batch.n_rows = std::min(batch_size, size() - batch.first_row);
  return {order_.data() + batch.first_row, static_cast<size_t>(batch.n_rows)};
}

bool BatchPlan::wants(int32_t column) const {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::unique_ptr<RowSource> make_row_source(const BatchPlan& plan) {
  switch (plan.rows) {
    case REC_PLAN_ITEMS: return std::make_unique<EveryRow>(plan, plan.n_items);
    case REC_PLAN_USERS: return std::make_unique<EveryRow>(plan, plan.train->by_user.n_rows());
    case REC_PLAN_LISTS: return std::make_unique<ListRows>(plan);
    case REC_PLAN_LABELLED: return std::make_unique<LabelledRows>(plan);
    case REC_PLAN_SESSIONS: return std::make_unique<SessionRows>(plan);
    default: return std::make_unique<InteractionRows>(plan);
  }
}

}  // namespace rec
