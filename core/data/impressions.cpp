#include "core/data/impressions.h"

#include <algorithm>

#include "core/base/error.h"

namespace rec {

namespace {

// The rows of a part grouped by list, in input order within a list.
struct ByList {
  Buffer<int64_t> offsets, rows;
};

ByList group(const Dataset& data, Part part) {
  const int64_t n_lists = int64_t{*std::max_element(data.impression.begin(), data.impression.end())} + 1;
  ByList out{Buffer<int64_t>(n_lists + 1), {}};
  for (int64_t i = 0; i < data.n(); ++i)
    if (data.part[i] == part) ++out.offsets[data.impression[i] + 1];
  for (int64_t list = 0; list < n_lists; ++list) out.offsets[list + 1] += out.offsets[list];
  out.rows = Buffer<int64_t>::uninitialized(out.offsets[n_lists]);
  Buffer<int64_t> cursor = out.offsets.copy();
  for (int64_t i = 0; i < data.n(); ++i)
    if (data.part[i] == part) out.rows[cursor[data.impression[i]]++] = i;
  return out;
}

// One side of the lists under construction. taken_by[item] is the last list that the item was added to.
struct Side {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  Buffer<int32_t> taken_by;

  explicit Side(int64_t n_items) : taken_by(n_items, -1) {}
  void add(int32_t list, int32_t item) {
    if (taken_by[item] == list) return;
    taken_by[item] = list;
    items.push_back(item);
  }
  bool empty() const { return std::ssize(items) == offsets.back(); }
  void drop() { items.resize(offsets.back()); }
  void close() { offsets.push_back(std::ssize(items)); }
  Csr take() const {
    return {Buffer<int64_t>(std::span<const int64_t>(offsets)), Buffer<int32_t>(std::span<const int32_t>(items))};
  }
};

}  // namespace

ImpressionLists impression_lists(const Dataset& data, Part part) {
  if (data.label.empty())
    throw argument_error(REC_INVALID_DATA, "dataset",
                         "impression lists need a label of each row, and there is no label column");
  if (data.impression.empty())
    throw argument_error(REC_INVALID_DATA, "dataset",
                         "impression lists need a time or an impression_key, and there is none");
  const ByList lists = group(data, part);
  ImpressionLists out;
  Side positives(data.n_items()), negatives(data.n_items());
  for (int64_t list = 0; list + 1 < lists.offsets.size(); ++list) {
    const int64_t begin = lists.offsets[list], end = lists.offsets[list + 1];
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = lists.rows[r];
      (data.label[i] != 0 ? positives : negatives).add(static_cast<int32_t>(list), data.item[i]);
    }
    if (positives.empty() || negatives.empty()) {
      positives.drop();
      negatives.drop();
      continue;
    }
    positives.close();
    negatives.close();
    out.users.push_back(data.user[lists.rows[begin]]);
    const auto* first = lists.rows.data() + begin;
    out.first_row.push_back(data.time.empty() ? *first
                                              : *std::min_element(first, lists.rows.data() + end, [&](auto a, auto b) {
                                                  return data.time[a] < data.time[b];
                                                }));
  }
  out.positives = positives.take();
  out.negatives = negatives.take();
  return out;
}

}  // namespace rec
