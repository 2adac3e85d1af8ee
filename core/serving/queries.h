#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace rec {

// Who asks: a user row (-1 = unknown to the model), a history of item rows, or both. A history that is given and not
// empty replaces what the model knows about the user.
struct Queries {
  int64_t n = 0;
  const int32_t* users = nullptr;            // [n], nullable
  const int64_t* history_offsets = nullptr;  // [n + 1], nullable
  const int32_t* history_items = nullptr;    // oldest first
  const int64_t* history_times = nullptr;    // beside history_items, nullable
  bool histories_are_complete = false;       // an empty history then stays empty: the model's own is not used
  const int64_t* times = nullptr;            // [n] the time of each query; nullptr: the time of its last item

  int32_t user(int64_t q) const { return users != nullptr ? users[q] : -1; }
  std::span<const int32_t> given_history(int64_t q) const {
    if (history_offsets == nullptr) return {};
    return {history_items + history_offsets[q], static_cast<size_t>(history_offsets[q + 1] - history_offsets[q])};
  }

  // At most `size` queries from `begin` on.
  Queries block(int64_t begin, int64_t size) const {
    Queries part = *this;
    part.n = std::min(size, n - begin);
    if (users != nullptr) part.users += begin;
    if (history_offsets != nullptr) part.history_offsets += begin;
    if (times != nullptr) part.times += begin;
    return part;
  }
};

}  // namespace rec
