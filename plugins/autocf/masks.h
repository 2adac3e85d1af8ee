#pragma once

#include <functional>

#include "rec_plugin_cpp.h"

namespace rec::autocf {

// A symmetric pattern over the N = n_users + n_items nodes, users first; columns ascend within a row.
struct Pattern {
  std::vector<int64_t> offsets{0};  // [N + 1]
  std::vector<int32_t> columns;
  std::vector<int32_t> mirror;  // entry (c, r) of entry (r, c)
  std::vector<float> scale;     // D^-1/2 of its rows

  int64_t n() const { return std::ssize(offsets) - 1; }
  int64_t nnz() const { return offsets.back(); }
  rec_csr_t csr() const { return {offsets.data(), columns.data(), n(), n()}; }
};

// Both directions of every training pair and a self loop at every node.
Pattern adjacency_with_loops(const rec_dataset_view_t& view);

struct MaskOptions {
  int64_t seed_num;
  int64_t mask_depth;
  double keep_rate;
};

// n uniform integers below `below` for one use, determined by the arguments alone.
enum class Draw : int32_t { kKeep, kPairRows, kPairColumns };
using DrawFn = std::function<std::vector<int64_t>(Draw use, int64_t n, int64_t below)>;

struct Masks {
  Pattern encoder;            // what is left when the entries around the seeds are removed
  Pattern decoder;            // the encoder's entries, random pairs of pool nodes, and every self loop
  std::vector<int32_t> pool;  // masked nodes and a random share of all nodes, ascending
};

// Section 3.2 of the paper: masks around the seeds, depth by depth, and the graphs of encoder and decoder.
Masks draw_masks(const Pattern& adjacency, const std::vector<int64_t>& seeds, const MaskOptions& options,
                 const DrawFn& draw);

}  // namespace rec::autocf
