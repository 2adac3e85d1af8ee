#pragma once

#include <span>

#include "core/training/row_source.h"

namespace rec {

// Entries of the training interactions by user that came before a row, oldest first.
struct HistoryRange {
  int64_t begin, end;
};
// Those before entry `end`, cut to the plan's longest history.
HistoryRange history_before(const BatchPlan& plan, int32_t user, int64_t end);

// Fills HISTORY, HISTORY_LENGTH or HISTORY_TIME, padded on the right to the longest of the batch; false for another column.
bool fill_history_column(const BatchPlan& plan, std::span<const HistoryRange> histories, Column& column);

}  // namespace rec
