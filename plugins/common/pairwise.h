#pragma once

#include <vector>

#include "plugins/common/model.h"

namespace rec::plugin {

// The rows of one table that a batch touches, each once, in order of first appearance, and where it touches them.
class TouchedRows {
 public:
  explicit TouchedRows(int64_t n_rows) : slot_of_(static_cast<size_t>(n_rows), -1) {}

  // ids[e] is touched by entry e.
  void collect(const int32_t* ids, int64_t n_entries);

  const std::vector<int32_t>& rows() const { return rows_; }
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  // Entries of each slot, ascending: CSR [size()] -> entry numbers.
  const std::vector<int64_t>& offsets() const { return offsets_; }
  const std::vector<int32_t>& entries() const { return entries_; }

 private:
  std::vector<int32_t> slot_of_;  // per table row, -1 when untouched
  std::vector<int32_t> rows_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> entries_;
};

// Squared or plain Frobenius norms of the batch's layer-0 rows; models.md 1.5.
struct Regularizer {
  double weight = 0;
  bool squared = true;
};

// Scores s_bc = u_b . v_bc of a batch, a loss over them, and the gradients of the touched rows.
class PairwiseStep {
 public:
  PairwiseStep(int64_t n_users, int64_t n_items, int64_t d, int32_t loss, Regularizer regularizer)
      : users(n_users), items(n_items), d_(d), loss_(loss), regularizer_(regularizer) {}

  TouchedRows users, items;               // of the last batch
  Floats user_gradients, item_gradients;  // [touched, d] of the loss by the tables that were scored

  void collect(const Batch& batch);
  // The loss; fills the gradients.
  double compute(const Context& context, const Batch& batch, const float* user_table, const float* item_table);
  // The regulariser over raw rows; its gradient is coefficient * row for each touched row.
  double regularize(const Batch& batch, const float* user_emb, const float* item_emb);
  std::vector<float> user_coefficients, item_coefficients;

 private:
  int64_t d_;
  int32_t loss_;
  Regularizer regularizer_;
  std::vector<float> scores_, dscores_, entry_weights_;
  std::vector<int32_t> entry_columns_;
};

int32_t loss_named(const std::string& name);

}  // namespace rec::plugin
