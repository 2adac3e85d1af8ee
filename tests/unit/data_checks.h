#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/columns.h"
#include "core/data/dataset.h"

namespace rec {

// The error that `work` throws; status OK if it throws none.
inline Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return Error(REC_OK, "no error");
}

// Rows of int64 ids, each in its part; `add` sets further columns.
inline Dataset dataset_of(const std::vector<int64_t>& users, const std::vector<int64_t>& items,
                          const std::vector<int32_t>& parts, const std::function<void(rec_columns_t&)>& add) {
  const auto n = std::ssize(users);
  const rec_ids_t u{sizeof u, REC_ID_INT64, users.data(), nullptr, 0, nullptr, n};
  const rec_ids_t v{sizeof v, REC_ID_INT64, items.data(), nullptr, 0, nullptr, n};
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &u;
  columns.items = &v;
  columns.parts = parts.data();
  columns.n_parts = std::ssize(parts);
  add(columns);
  return dataset_from_columns(columns);
}

inline std::string id_text(const IdMap& ids, int64_t row) {
  return ids.type() == REC_ID_BYTES ? std::string(ids.bytes_at(row)) : std::to_string(ids.int64_at(row));
}

inline std::string title_of(const Dataset& data, int64_t item) {
  if (data.title_offsets.empty()) return "";
  return std::string(data.title_bytes.data() + data.title_offsets[item],
                     data.title_bytes.data() + data.title_offsets[item + 1]);
}

// One text per row: "user item [@time] [*weight] [valid|test]".
inline std::vector<std::string> rows_of(const Dataset& data) {
  std::vector<std::string> rows;
  for (int64_t i = 0; i < data.n(); ++i) {
    std::string row = id_text(data.users, data.user[i]) + " " + id_text(data.items, data.item[i]);
    if (!data.time.empty()) row += " @" + std::to_string(data.time[i]);
    if (!data.weight.empty()) row += cat(" *", data.weight[i]);
    if (data.part[i] == Part::kValid) row += " valid";
    if (data.part[i] == Part::kTest) row += " test";
    rows.push_back(row);
  }
  return rows;
}

using Rows = std::vector<std::string>;

}  // namespace rec
