#include "core/data/interactions.h"

#include <algorithm>

namespace rec {

namespace {

// On entry offsets[r + 1] is the count of row r, on return its end. Returns a cursor: where each row begins.
Buffer<int64_t> to_offsets(Buffer<int64_t>& offsets) {
  for (int64_t r = 1; r < offsets.size(); ++r) offsets[r] += offsets[r - 1];
  return Buffer<int64_t>(std::span<const int64_t>(offsets.data(), offsets.size() - 1));
}

Csr transpose(const Csr& rows, int64_t n_columns) {
  Csr out;
  out.offsets = Buffer<int64_t>(n_columns + 1);
  for (int32_t column : rows.columns) ++out.offsets[column + 1];
  Buffer<int64_t> cursor = to_offsets(out.offsets);
  out.columns = Buffer<int32_t>::uninitialized(rows.nnz());
  for (int64_t r = 0; r < rows.n_rows(); ++r)
    for (int32_t column : rows.row(r)) out.columns[cursor[column]++] = static_cast<int32_t>(r);
  return out;
}

}  // namespace

bool Csr::row_contains(int64_t r, int32_t column) const {
  const auto columns_of_row = row(r);
  return std::binary_search(columns_of_row.begin(), columns_of_row.end(), column);
}

Interactions build_interactions(const Dataset& dataset, bool train, bool valid, bool test, Labels labels) {
  const bool wanted[] = {train, valid, test};
  const auto selected = [&](int64_t i) {
    return wanted[static_cast<uint8_t>(dataset.part[i])] && (labels == Labels::kAll || dataset.is_positive(i));
  };
  Interactions out;
  Csr& by_user = out.by_user;
  by_user.offsets = Buffer<int64_t>(dataset.n_users() + 1);
  for (int64_t i = 0; i < dataset.n(); ++i)
    if (selected(i)) ++by_user.offsets[dataset.user[i] + 1];
  Buffer<int64_t> cursor = to_offsets(by_user.offsets);
  const int64_t nnz = by_user.offsets[dataset.n_users()];

  auto order = Buffer<int64_t>::uninitialized(nnz);
  for (int64_t i = 0; i < dataset.n(); ++i)
    if (selected(i)) order[cursor[dataset.user[i]]++] = i;
  if (!dataset.time.empty()) {
    const int64_t* time = dataset.time.data();
    // The position in the file breaks ties, so an unstable sort without allocation gives the stable order.
    const auto earlier = [time](int64_t a, int64_t b) { return time[a] != time[b] ? time[a] < time[b] : a < b; };
    for (int64_t u = 0; u < dataset.n_users(); ++u) {
      int64_t* begin = order.data() + by_user.offsets[u];
      int64_t* end = order.data() + by_user.offsets[u + 1];
      if (!std::is_sorted(begin, end, earlier)) std::sort(begin, end, earlier);
    }
  }

  by_user.columns = Buffer<int32_t>::uninitialized(nnz);
  out.entry_user = Buffer<int32_t>::uninitialized(nnz);
  if (!dataset.time.empty()) out.entry_time = Buffer<int64_t>::uninitialized(nnz);
  if (!dataset.weight.empty()) out.entry_weight = Buffer<float>::uninitialized(nnz);
  for (int64_t p = 0; p < nnz; ++p) {
    const int64_t i = order[p];
    by_user.columns[p] = dataset.item[i];
    out.entry_user[p] = dataset.user[i];
    if (!out.entry_time.empty()) out.entry_time[p] = dataset.time[i];
    if (!out.entry_weight.empty()) out.entry_weight[p] = dataset.weight[i];
  }
  out.by_item = transpose(by_user, dataset.n_items());
  return out;
}

Csr distinct_rows(const Csr& rows) {
  Csr out;
  out.offsets = Buffer<int64_t>(rows.n_rows() + 1);
  Buffer<int32_t> columns = rows.columns.copy();
  int64_t kept = 0;
  for (int64_t r = 0; r < rows.n_rows(); ++r) {
    int32_t* begin = columns.data() + rows.offsets[r];
    int32_t* end = columns.data() + rows.offsets[r + 1];
    if (!std::is_sorted(begin, end)) std::sort(begin, end);
    kept = std::unique_copy(begin, end, columns.data() + kept) - columns.data();
    out.offsets[r + 1] = kept;
  }
  if (kept < columns.size()) columns = Buffer<int32_t>(std::span<const int32_t>(columns.data(), kept));
  out.columns = std::move(columns);
  return out;
}

Graph build_graph(const Csr& by_user, int64_t n_items) {
  Graph graph;
  graph.users = distinct_rows(by_user);
  graph.items = transpose(graph.users, n_items);
  return graph;
}

}  // namespace rec
