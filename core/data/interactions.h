#pragma once

#include <cstdint>

#include "core/data/csr.h"
#include "core/data/dataset.h"

namespace rec {

// Selected parts of a data set as rows of users and of items. Duplicates are kept.
struct Interactions {
  Csr by_user;                 // columns are items; in time order, equal times (or none) in the order read
  Buffer<int64_t> entry_time;  // [nnz] beside by_user.columns, or empty
  Buffer<float> entry_weight;  // [nnz] beside by_user.columns, or empty
  Buffer<int32_t> entry_user;  // [nnz] the user of each entry of by_user
  Csr by_item;                 // columns are users, ascending
};

// The bipartite graph: each pair once, ascending.
struct Graph {
  Csr users;  // [n_users] -> items
  Csr items;  // [n_items] -> users
};

// Which rows of a labelled data set count; without labels all do.
enum class Labels { kPositives, kAll };

Interactions build_interactions(const Dataset& dataset, bool train, bool valid, bool test,
                                Labels labels = Labels::kPositives);
Graph build_graph(const Csr& by_user, int64_t n_items);
// Distinct columns of each row, ascending.
Csr distinct_rows(const Csr& rows);

}  // namespace rec
