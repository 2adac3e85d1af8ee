#pragma once

#include <algorithm>
#include <span>

#include "core/plugin/batch.h"

namespace rec {

// A user's items, oldest first.
struct History {
  std::span<const int32_t> items;
  const int64_t* times = nullptr;  // beside items, nullable

  History last(int64_t n) const {
    const size_t dropped = items.size() - std::min<size_t>(items.size(), n);
    return {items.subspan(dropped), times != nullptr ? times + dropped : nullptr};
  }
};

// Fills HISTORY, HISTORY_LENGTH or HISTORY_TIME, padded on the right to the longest of the batch; false for another column.
bool fill_history_column(std::span<const History> histories, Column& column);

}  // namespace rec
