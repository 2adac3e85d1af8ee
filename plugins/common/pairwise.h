#pragma once

#include <algorithm>
#include <vector>

#include "plugins/common/model.h"

namespace rec::plugin {

// The rows of one table that a batch touches, each once, in order of first appearance, and where it touches them.
class TouchedRows {
 public:
  explicit TouchedRows(int64_t n_rows) : slot_of_(static_cast<size_t>(n_rows), -1) {}

  void grow(int64_t n_rows) { slot_of_.resize(std::max(slot_of_.size(), static_cast<size_t>(n_rows)), -1); }

  // ids[e] is touched by entry e.
  void collect(const int32_t* ids, int64_t n_entries);

  const std::vector<int32_t>& rows() const { return rows_; }
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  // Entries of each slot, ascending: CSR [size()] -> entry numbers.
  const std::vector<int64_t>& offsets() const { return offsets_; }
  const std::vector<int32_t>& entries() const { return entries_; }
  // Slot of each entry.
  const std::vector<int32_t>& slots() const { return slots_; }
  // Sum of the entries' rows [n_entries, d] at each slot: [size(), d].
  void sum_entries(const Context& context, const float* rows, int64_t d, float* out) const;
  void sum_entries(const Context& context, const float* rows, int64_t d, Floats& out) const;

 private:
  std::vector<int32_t> slot_of_;  // per table row, -1 when untouched
  std::vector<int32_t> rows_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> entries_, slots_;
};

// Scores s_bc = u_b . v_bc between rows of two tables, and what a gradient of the scores is for the tables' rows.
class BilinearTerm {
 public:
  BilinearTerm(int64_t n_left, int64_t n_right, int64_t d) : left(n_left), right(n_right), d_(d) {}
  // The left side is a vector of each batch row: row b of a table [B, d].
  BilinearTerm(int64_t n_right, int64_t d) : BilinearTerm(0, n_right, d) {}

  TouchedRows left, right;                 // of the last batch
  Floats left_gradients, right_gradients;  // [touched, d]

  // left_ids [B], right_ids [B, C]; kept until backward.
  void collect(const int32_t* left_ids, const int32_t* right_ids, int64_t B, int64_t C);
  void collect(const int32_t* right_ids, int64_t B, int64_t C);
  void score(const Context& context, const float* left_table, const float* right_table, float* scores) const;
  void backward(const Context& context, const float* dscores, const float* left_table, const float* right_table);

 private:
  int64_t d_, B_ = 0, C_ = 0;
  const int32_t *left_ids_ = nullptr, *right_ids_ = nullptr;
  std::vector<int32_t> row_numbers_;  // 0 .. B - 1
  std::vector<int64_t> entry_offsets_;
  std::vector<int32_t> entry_columns_;
  std::vector<float> entry_weights_;
};

// What the scores of a batch are trained to, and on which rows: the loop's parameter `task`.
struct Objective {
  enum class Rows { kInteractions, kLists, kLabelled } rows = Rows::kInteractions;
  int32_t loss = REC_LOSS_BPR_SOFTPLUS;  // REC_LOSS_, REC_LIST_LOSS_ or REC_LABEL_LOSS_
  bool in_batch = false;                 // scores are corrected by the LOG_Q column
};
// For models whose scores are a matrix [B, C]; their own parameter `loss` is that of task=topk.
Objective read_objective(const Context& context, const rec_params_t& params);
// Rows of the largest batch and its scores [rows, candidates], for estimates of memory.
struct BatchSize {
  int64_t rows, entries;
};
BatchSize largest_batch(const Context& context, const rec_params_t& params, const rec_schema_t& schema,
                        const Objective& objective);
// Rows, negatives and columns of the plan; with the history and its length for a model that reads them.
void plan_objective(const Objective& objective, rec_plan_t& plan, bool histories = false);
// The objective over scores [B, C] of the batch's items, and its gradient. Scores of padding become -INFINITY.
double objective_loss(const Context& context, const Objective& objective, const Batch& batch, Floats& scores,
                      Floats& dscores);

// Squared or plain Frobenius norms of the batch's layer-0 rows.
struct Regularizer {
  double weight = 0;
  bool squared = true;
};

// The objective over the scores s_bc = u_b . v_bc of a batch, and the gradients of the touched rows.
class PairwiseStep {
 public:
  PairwiseStep(int64_t n_users, int64_t n_items, int64_t d, const Objective& objective, Regularizer regularizer)
      : term_(n_users, n_items, d), d_(d), objective_(objective), regularizer_(regularizer) {}

  const TouchedRows& users() const { return term_.left; }
  const TouchedRows& items() const { return term_.right; }
  // [touched, d] of the loss by the tables that were scored.
  Floats& user_gradients() { return term_.left_gradients; }
  Floats& item_gradients() { return term_.right_gradients; }

  void collect(const Batch& batch);
  // The loss; fills the gradients.
  double compute(const Context& context, const Batch& batch, const float* user_table, const float* item_table);
  // The regulariser over raw rows; its gradient is coefficient * row for each touched row.
  double regularize(const Batch& batch, const float* user_emb, const float* item_emb);
  std::vector<float> user_coefficients, item_coefficients;

 private:
  BilinearTerm term_;
  int64_t d_;
  Objective objective_;
  Regularizer regularizer_;
  Floats scores_, dscores_;
};

int32_t loss_named(const std::string& name);

}  // namespace rec::plugin
