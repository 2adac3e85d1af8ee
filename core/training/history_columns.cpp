#include "core/training/history_columns.h"

#include <algorithm>

namespace rec {

namespace {

template <class T>
void fill(std::span<const HistoryRange> histories, const T* values, T padding, Column& column) {
  int64_t longest = 1;
  for (const HistoryRange& h : histories) longest = std::max(longest, h.end - h.begin);
  T* out = column.reshape<T>(static_cast<int64_t>(histories.size()), longest);
  for (const HistoryRange& h : histories) {
    std::fill(std::copy(values + h.begin, values + h.end, out), out + longest, padding);
    out += longest;
  }
}

}  // namespace

HistoryRange history_before(const BatchPlan& plan, int32_t user, int64_t end) {
  const int64_t first = plan.train->by_user.offsets[user];
  return {plan.history_max > 0 ? std::max(first, end - plan.history_max) : first, end};
}

bool fill_history_column(const BatchPlan& plan, std::span<const HistoryRange> histories, Column& column) {
  switch (column.id()) {
    case REC_COLUMN_HISTORY: fill(histories, plan.train->by_user.columns.data(), int32_t{-1}, column); return true;
    case REC_COLUMN_HISTORY_TIME: fill(histories, plan.train->user_time.data(), int64_t{0}, column); return true;
    case REC_COLUMN_HISTORY_LENGTH: {
      auto* lengths = column.reshape<int32_t>(static_cast<int64_t>(histories.size()));
      for (const HistoryRange& h : histories) *lengths++ = static_cast<int32_t>(h.end - h.begin);
      return true;
    }
    default: return false;
  }
}

}  // namespace rec
