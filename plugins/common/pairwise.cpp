#include "plugins/common/pairwise.h"

#include <limits>
#include <numeric>

namespace rec::plugin {

namespace {

constexpr Word<int32_t> kListLosses[] = {
    {"BPR", REC_LIST_LOSS_BPR},
    {"BPRafter", REC_LIST_LOSS_BPR_AFTER},
    {"BPRbefore", REC_LIST_LOSS_BPR_BEFORE},
    {"BPRsimple", REC_LIST_LOSS_BPR_SIMPLE},
    {"BPRhard", REC_LIST_LOSS_BPR | REC_LIST_LOSS_HARD},
    {"BPRhardafter", REC_LIST_LOSS_BPR_AFTER | REC_LIST_LOSS_HARD},
    {"BPRhardbefore", REC_LIST_LOSS_BPR_BEFORE | REC_LIST_LOSS_HARD},
    {"listnet", REC_LIST_LOSS_LISTNET},
    {"softmaxCE", REC_LIST_LOSS_SOFTMAX_CE},
    {"attention_rank", REC_LIST_LOSS_ATTENTION_RANK},
};

}  // namespace

void Objective::declare(Fields& field, const char* default_loss, const char* doc) {
  field("loss", loss, default_loss, kLosses, doc);
  read_task(field);
}

void Objective::read_task(Fields& field) {
  field.loop("task", rows, {{"topk", Rows::kInteractions}, {"impression", Rows::kLists}, {"ctr", Rows::kLabelled}});
  field.loop("sampler", in_batch, {{"uniform", false}, {"popularity", false}, {"dns", false}, {"in_batch", true}});
  in_batch = in_batch && rows == Rows::kInteractions;
  if (rows == Rows::kLists) field.loop("list_loss", loss, kListLosses);
  if (rows == Rows::kLabelled)
    field.loop("label_loss", loss, {{"bce", REC_LABEL_LOSS_BCE}, {"mse", REC_LABEL_LOSS_MSE}});
  field.loop("batch_size", batch_size);
  field.loop("num_neg", num_neg);
  field.loop("max_pos", max_pos);
  field.loop("max_neg", max_neg);
}

int64_t Objective::largest_batch(const rec_schema_t& schema) const {
  const int64_t n = std::min(batch_size, schema.n_interactions);
  switch (rows) {
    case Rows::kLists: return n * (max_pos + max_neg);
    case Rows::kLabelled: return n;
    default: return n * (in_batch ? n : 1 + num_neg);
  }
}

void Objective::plan(rec_plan_t& plan, bool histories) const {
  if (histories && rows == Rows::kLists)
    throw Failure{REC_UNSUPPORTED,
                  "task: impression lists come without the histories that this model reads; use task=topk or ctr"};
  want(plan, {REC_COLUMN_USER, REC_COLUMN_ITEM});
  switch (rows) {
    case Rows::kLists:
      plan.rows = REC_PLAN_LISTS;
      want(plan, {REC_COLUMN_IMPRESSION_MASK});
      break;
    case Rows::kLabelled:
      plan.rows = REC_PLAN_LABELLED;
      want(plan, {REC_COLUMN_LABEL});
      break;
    default: plan.rows = REC_PLAN_INTERACTIONS; plan.negatives = REC_NEGATIVES_SAMPLED;
  }
  if (in_batch) want(plan, {REC_COLUMN_LOG_Q});
  if (histories) want(plan, {REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH});
}

void Regularizer::declare(Fields& field, const char* default_weight, const char* default_norm) {
  field("reg_weight", weight, default_weight, {0, 100}, "weight of the regulariser of the batch's layer-0 rows");
  field("reg_norm", squared, default_norm, {{"squared", true}, {"plain", false}},
        "squared: half the squares over B; plain: block norms over B");
}

double Objective::compute(const Context& context, const Batch& batch, Floats& scores, Floats& dscores) const {
  const rec_host_t& host = context.host;
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  dscores.resize(scores.size());
  double value = 0;
  if (rows == Rows::kLists) {
    const auto* mask = batch.get<uint8_t>(REC_COLUMN_IMPRESSION_MASK);
    // Deviation: listnet's softmax leaves padding out, since no item of these tables stands for it.
    for (size_t i = 0; i < scores.size(); ++i)
      if (mask[i] == REC_SLOT_PADDING) scores[i] = -std::numeric_limits<float>::infinity();
    check(host.list_loss(context.call, loss, scores.data(), mask, B, C, &value, dscores.data()));
  } else if (rows == Rows::kLabelled) {
    check(host.label_loss(context.call, loss, scores.data(), batch.get<float>(REC_COLUMN_LABEL), B, &value,
                          dscores.data()));
  } else {
    if (in_batch) {
      const auto* log_q = batch.get<float>(REC_COLUMN_LOG_Q);
      for (size_t i = 0; i < scores.size(); ++i) scores[i] -= log_q[i];
    }
    check(host.loss(context.call, loss, scores.data(), B, C, &value, dscores.data()));
  }
  return value;
}

void BilinearTerm::collect(const int32_t* left_ids, const int32_t* right_ids, int64_t B, int64_t C) {
  left_ids_ = left_ids, right_ids_ = right_ids, B_ = B, C_ = C;
  left.collect(left_ids, B);
  right.collect(right_ids, B * C);
}

void BilinearTerm::collect(const int32_t* right_ids, int64_t B, int64_t C) {
  row_numbers_.resize(B);
  std::iota(row_numbers_.begin(), row_numbers_.end(), 0);
  left.grow(B);
  collect(row_numbers_.data(), right_ids, B, C);
}

void BilinearTerm::score(const Context& context, const float* left_table, const float* right_table,
                         float* scores) const {
  context.host.pair_scores(context.call, left_ids_, right_ids_, B_, C_, left_table, right_table, d_, scores);
}

void BilinearTerm::backward(const Context& context, const float* dscores, const float* left_table,
                            const float* right_table) {
  // dL/du_b = sum_c ds_bc v_bc: the entries of a left row are the candidates of its batch rows.
  entry_offsets_ = left.offsets();
  for (int64_t& offset : entry_offsets_) offset *= C_;
  entry_columns_.resize(B_ * C_);
  entry_weights_.resize(B_ * C_);
  size_t at = 0;
  for (int32_t b : left.entries())
    for (int64_t c = 0; c < C_; ++c, ++at) {
      entry_columns_[at] = right_ids_[b * C_ + c];
      entry_weights_[at] = dscores[b * C_ + c];
    }
  left_gradients.resize(left.size() * d_);
  const rec_csr_t by_left{entry_offsets_.data(), entry_columns_.data(), left.size(), 0};
  context.host.weighted_rows(context.call, &by_left, entry_weights_.data(), right_table, d_, false,
                             left_gradients.data());

  // dL/dv_i = sum over its occurrences of ds_bc u_b.
  at = 0;
  for (int32_t e : right.entries()) {
    entry_columns_[at] = left_ids_[e / C_];
    entry_weights_[at++] = dscores[e];
  }
  right_gradients.resize(right.size() * d_);
  const rec_csr_t by_right{right.offsets().data(), entry_columns_.data(), right.size(), 0};
  context.host.weighted_rows(context.call, &by_right, entry_weights_.data(), left_table, d_, false,
                             right_gradients.data());
}

void PairwiseLoss::collect(const Batch& batch) {
  term_.collect(batch.users(), batch.items(), batch.n_rows(), batch.n_candidates());
}

double PairwiseLoss::compute(const Context& context, const Batch& batch, const float* user_table,
                             const float* item_table) {
  scores_.resize(batch.n_rows() * batch.n_candidates());
  term_.score(context, user_table, item_table, scores_.data());
  const double value = objective_.compute(context, batch, scores_, dscores_);
  term_.backward(context, dscores_.data(), user_table, item_table);
  return value;
}

double PairwiseLoss::regularize(const Batch& batch, const float* user_emb, const float* item_emb, GradientsOf layout,
                                Floats& user_gradients, Floats& item_gradients) const {
  if (regularizer_.weight == 0) return 0;
  const int64_t C = batch.n_candidates();
  const TouchedRows &users = term_.left, &items = term_.right;
  // The blocks are users, positives and negatives, repetitions included; padding belongs to none. Negatives that are
  // positives of the batch count as positives only.
  const bool lists = objective_.rows == Objective::Rows::kLists;
  const auto* mask = lists ? batch.get<uint8_t>(REC_COLUMN_IMPRESSION_MASK) : nullptr;
  const auto slot_of = [&](int32_t e) -> uint8_t {
    if (lists) return mask[e];
    return e % C == 0 ? REC_SLOT_POSITIVE : objective_.in_batch ? REC_SLOT_PADDING : REC_SLOT_NEGATIVE;
  };
  const auto square = [this](const float* row) {
    double sum = 0;
    for (int64_t k = 0; k < d_; ++k) sum += static_cast<double>(row[k]) * row[k];
    return sum;
  };
  double user_square = 0, positive_square = 0, negative_square = 0;
  std::vector<double> positives(items.size()), negatives(positives.size());
  for (int64_t s = 0; s < users.size(); ++s)
    user_square += static_cast<double>(users.occurrences(s)) * square(user_emb + users.row(s) * d_);
  for (int64_t s = 0; s < items.size(); ++s) {
    double &n = positives[s], &m = negatives[s];
    for (int64_t e = items.offsets()[s]; e < items.offsets()[s + 1]; ++e) {
      const uint8_t slot = slot_of(items.entries()[e]);
      n += slot == REC_SLOT_POSITIVE;
      m += slot == REC_SLOT_NEGATIVE;
    }
    const double norm = square(item_emb + items.row(s) * d_);
    positive_square += n * norm;
    negative_square += m * norm;
  }
  // Squared: 1/2 sum ||.||^2 / B, gradient row / B. Plain: sum of block norms / B, gradient row / norm / B.
  const double scale = regularizer_.weight / static_cast<double>(batch.n_rows());
  const auto factor = [&](double block) {
    return regularizer_.squared ? scale : block > 0 ? scale / std::sqrt(block) : 0;
  };
  const double of_users = factor(user_square), of_positives = factor(positive_square),
               of_negatives = factor(negative_square);
  const auto add = [&](const TouchedRows& rows, const float* table, Floats& gradients, const auto& coefficient_of) {
    for (int64_t s = 0; s < rows.size(); ++s) {
      const auto coefficient = static_cast<float>(coefficient_of(s));
      const float* row = table + rows.row(s) * d_;
      float* gradient = gradients.data() + (layout == GradientsOf::kEveryRow ? rows.row(s) : s) * d_;
      for (int64_t k = 0; k < d_; ++k) gradient[k] += coefficient * row[k];
    }
  };
  add(users, user_emb, user_gradients, [&](int64_t s) { return of_users * static_cast<double>(users.occurrences(s)); });
  add(items, item_emb, item_gradients,
      [&](int64_t s) { return of_positives * positives[s] + of_negatives * negatives[s]; });
  if (regularizer_.squared) return scale * 0.5 * (user_square + positive_square + negative_square);
  return scale * (std::sqrt(user_square) + std::sqrt(positive_square) + std::sqrt(negative_square));
}

}  // namespace rec::plugin
