#pragma once

#include "rec_plugin_cpp.h"

namespace rec::plugin {

// Scores s_bc = u_b . v_bc between rows of two tables, and the rows' gradients from those of the scores.
class BilinearTerm {
 public:
  BilinearTerm(int64_t n_left, int64_t n_right, int64_t d) : left(n_left), right(n_right), d_(d) {}
  // The left side is one vector per batch row: row b of a table [B, d].
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

// The losses over a score matrix that a model's parameter `loss` may name.
inline constexpr Word<int32_t> kLosses[] = {
    {"bpr", REC_LOSS_BPR_SOFTPLUS}, {"bpr_log", REC_LOSS_BPR_LOG}, {"bpr_multi", REC_LOSS_BPR_MULTI},
    {"bce", REC_LOSS_BCE},          {"softmax", REC_LOSS_SOFTMAX},
};
inline constexpr const char* kLossDoc =
    "bpr: softplus of the difference; bpr_log: -ln(1e-10 + sigmoid); bpr_multi: softmax-weighted negatives";

// The loss that a model with scores [B, C] is trained on, and the kind of rows: the loop's parameter `task`.
struct Objective {
  enum class Rows { kInteractions, kLists, kLabelled } rows = Rows::kInteractions;
  int32_t loss = REC_LOSS_BPR_SOFTPLUS;  // REC_LOSS_, REC_LIST_LOSS_ or REC_LABEL_LOSS_
  bool in_batch = false;                 // scores are corrected by the LOG_Q column
  int64_t batch_size, num_neg, max_pos, max_neg;

  // Declares the parameter `loss`, which applies to task=topk, and reads the loop's task with its losses.
  void declare(Fields& field, const char* default_loss, const char* doc = kLossDoc);
  void read_task(Fields& field);
  // The largest number of scores in a batch, for estimates of memory.
  int64_t largest_batch(const rec_schema_t& schema) const;
  // Sets the plan's rows, negatives and columns; `histories` adds the history and its length.
  void plan(rec_plan_t& plan, bool histories = false) const;
  // The loss of scores [B, C] of the batch's items, and its gradient. Scores of padding become -INFINITY.
  double compute(const Context& context, const Batch& batch, Floats& scores, Floats& dscores) const;
};

// Squared or plain Frobenius norms of the batch's layer-0 rows.
struct Regularizer {
  double weight;
  bool squared = true;

  // The parameters reg_weight and reg_norm.
  void declare(Fields& field, const char* default_weight, const char* default_norm);
};

// The objective over the scores s_bc = u_b . v_bc of a batch, and the gradients of the touched rows.
class PairwiseLoss {
 public:
  PairwiseLoss(const rec_schema_t& schema, int64_t d, const Objective& objective, Regularizer regularizer)
      : term_(schema.n_users, schema.n_items, d), d_(d), objective_(objective), regularizer_(regularizer) {}

  const TouchedRows& users() const { return term_.left; }
  const TouchedRows& items() const { return term_.right; }
  // Gradients [touched, d] of the loss with respect to the scored tables.
  Floats& user_gradients() { return term_.left_gradients; }
  Floats& item_gradients() { return term_.right_gradients; }

  void collect(const Batch& batch);
  // The loss; fills the gradients.
  double compute(const Context& context, const Batch& batch, const float* user_table, const float* item_table);
  // The regulariser of the touched rows of these tables. Adds its gradient to gradients of the touched rows alone,
  // [touched, d], or of every row, [n, d].
  enum class GradientsOf { kTouchedRows, kEveryRow };
  double regularize(const Batch& batch, const float* user_emb, const float* item_emb, GradientsOf layout,
                    Floats& user_gradients, Floats& item_gradients) const;

 private:
  BilinearTerm term_;
  int64_t d_;
  Objective objective_;
  Regularizer regularizer_;
  Floats scores_, dscores_;
};

}  // namespace rec::plugin
