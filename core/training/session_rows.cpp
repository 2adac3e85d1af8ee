#include "core/training/session_rows.h"

#include <algorithm>

namespace rec {

SessionRows::SessionRows(const BatchPlan& plan)
    : plan_(plan), train_(*plan.train), min_slots_(plan.n_shared > 0 ? 1 : 2) {
  const Csr& by_user = train_.by_user;
  for (int64_t u = 0; u < by_user.n_rows(); ++u)
    if (by_user.offsets[u + 1] - by_user.offsets[u] >= 2) sessions_.push_back(static_cast<int32_t>(u));
  if (!train_.entry_time.empty())
    std::stable_sort(sessions_.begin(), sessions_.end(), [&](int32_t a, int32_t b) {
      return train_.entry_time[by_user.offsets[a]] < train_.entry_time[by_user.offsets[b]];
    });
  for (restart(); !over(); advance()) ++n_steps_;
  if (n_steps_ == 0)
    throw argument_error(REC_INVALID_DATA, "dataset", "session-parallel training needs ", min_slots_,
                         " sessions of two events or more, got ", sessions_.size());
}

void SessionRows::restart() {
  slots_.clear();
  kept_.clear();
  first_row_ = 0;
  const Csr& by_user = train_.by_user;
  for (next_ = 0; next_ < sessions_.size() && std::ssize(slots_) < plan_.batch_size; ++next_)
    slots_.push_back({by_user.offsets[sessions_[next_]], by_user.offsets[sessions_[next_] + 1], true});
}

void SessionRows::advance() {
  first_row_ += std::ssize(slots_);
  kept_.assign(slots_.size(), 1);
  const Csr& by_user = train_.by_user;
  size_t n = 0;
  for (size_t s = 0; s < slots_.size(); ++s) {
    Slot slot = slots_[s];
    slot.fresh = false;
    if (++slot.at + 1 == slot.end) {
      if (next_ == sessions_.size()) {
        kept_[s] = 0;
        continue;
      }
      const int32_t session = sessions_[next_++];
      slot = {by_user.offsets[session], by_user.offsets[session + 1], true};
    }
    slots_[n++] = slot;
  }
  slots_.resize(n);
}

void SessionRows::seek(int64_t, int64_t batch) {
  restart();
  for (int64_t step = 0; step < batch && !over(); ++step) advance();
}

void SessionRows::fill(Batch& batch, const CancelToken*) {
  const auto n = std::ssize(slots_);
  batch.first_row = first_row_;
  batch.n_rows = n;
  const int32_t* items = train_.by_user.columns.data();
  for (int32_t id : plan_.columns) {
    Column& column = batch.column(id);
    const auto each = [&](int32_t* out, auto value) {
      for (int64_t s = 0; s < n; ++s) out[s] = value(slots_[s]);
    };
    switch (id) {
      case REC_COLUMN_USER:
        each(column.reshape<int32_t>(n), [&](const Slot& slot) { return train_.entry_user[slot.at]; });
        break;
      case REC_COLUMN_HISTORY:
        each(column.reshape<int32_t>(n, 1), [&](const Slot& slot) { return items[slot.at]; });
        break;
      case REC_COLUMN_ITEM:
        each(column.reshape<int32_t>(n, 1), [&](const Slot& slot) { return items[slot.at + 1]; });
        break;
      case REC_COLUMN_SESSION_RESET:
        each(column.reshape<int32_t>(n), [](const Slot& slot) { return slot.fresh ? 1 : 0; });
        break;
      case REC_COLUMN_SLOT_KEEP:
        std::copy(kept_.begin(), kept_.end(), column.reshape<int32_t>(std::ssize(kept_)));
        break;
      case REC_COLUMN_SHARED_ITEM:
        plan_.sampler->fill_shared(batch.epoch, batch.index, plan_.n_shared, column.reshape<int32_t>(plan_.n_shared));
        break;
      default: break;
    }
  }
  advance();
}

}  // namespace rec
