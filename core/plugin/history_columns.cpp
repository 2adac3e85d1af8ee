#include "core/plugin/history_columns.h"

namespace rec {

bool fill_history_column(std::span<const History> histories, Column& column) {
  const int64_t n = std::ssize(histories);
  int64_t longest = 1;
  for (const History& history : histories) longest = std::max(longest, std::ssize(history.items));
  switch (column.id()) {
    case REC_COLUMN_HISTORY: {
      auto* items = column.reshape<int32_t>(n, longest);
      for (const History& history : histories) {
        std::fill(std::copy(history.items.begin(), history.items.end(), items), items + longest, -1);
        items += longest;
      }
      return true;
    }
    case REC_COLUMN_HISTORY_TIME: {
      auto* times = column.reshape<int64_t>(n, longest);
      std::fill_n(times, n * longest, 0);
      for (const History& history : histories) {
        if (history.times != nullptr) std::copy_n(history.times, history.items.size(), times);
        times += longest;
      }
      return true;
    }
    case REC_COLUMN_HISTORY_LENGTH: {
      auto* lengths = column.reshape<int32_t>(n);
      for (const History& history : histories) *lengths++ = static_cast<int32_t>(history.items.size());
      return true;
    }
    default: return false;
  }
}

}  // namespace rec
