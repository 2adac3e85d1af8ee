#include "plugins/common/pairwise.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "plugins/common/parallel.h"

namespace rec::plugin {

int32_t loss_named(const std::string& name) {
  if (name == "bpr_log") return REC_LOSS_BPR_LOG;
  if (name == "bpr_multi") return REC_LOSS_BPR_MULTI;
  if (name == "bce") return REC_LOSS_BCE;
  if (name == "softmax") return REC_LOSS_SOFTMAX;
  return REC_LOSS_BPR_SOFTPLUS;
}

Objective read_objective(const Context& context, const rec_params_t& params) {
  const rec_host_t& host = context.host;
  const std::string task = host.param_text(&params, "task");
  if (task == "impression") {
    const std::string name = host.param_text(&params, "list_loss");
    if (name == "listnet") return {Objective::Rows::kLists, REC_LIST_LOSS_LISTNET};
    if (name == "softmaxCE") return {Objective::Rows::kLists, REC_LIST_LOSS_SOFTMAX_CE};
    if (name == "attention_rank") return {Objective::Rows::kLists, REC_LIST_LOSS_ATTENTION_RANK};
    const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
    const int32_t loss = has("after")    ? REC_LIST_LOSS_BPR_AFTER
                         : has("before") ? REC_LIST_LOSS_BPR_BEFORE
                         : has("simple") ? REC_LIST_LOSS_BPR_SIMPLE
                                         : REC_LIST_LOSS_BPR;
    return {Objective::Rows::kLists, has("hard") ? loss | REC_LIST_LOSS_HARD : loss};
  }
  if (task == "ctr") {
    const bool mse = std::string(host.param_text(&params, "label_loss")) == "mse";
    return {Objective::Rows::kLabelled, mse ? REC_LABEL_LOSS_MSE : REC_LABEL_LOSS_BCE};
  }
  const bool in_batch = std::string(host.param_text(&params, "sampler")) == "in_batch";
  return {Objective::Rows::kInteractions, loss_named(host.param_text(&params, "loss")), in_batch};
}

BatchSize largest_batch(const Context& context, const rec_params_t& params, const rec_schema_t& schema,
                        const Objective& objective) {
  const auto number = [&](const char* name) { return context.host.param_int(&params, name); };
  const int64_t rows = std::min(number("batch_size"), schema.n_interactions);
  switch (objective.rows) {
    case Objective::Rows::kLists: return {rows, rows * (number("max_pos") + number("max_neg"))};
    case Objective::Rows::kLabelled: return {rows, rows};
    default: return {rows, rows * (objective.in_batch ? rows : 1 + number("num_neg"))};
  }
}

void plan_objective(const Objective& objective, rec_plan_t& plan, bool histories) {
  if (histories && objective.rows == Objective::Rows::kLists)
    throw Failure{REC_UNSUPPORTED,
                  "task: impression lists come without the histories that this model reads; use task=topk or ctr"};
  plan.columns[plan.n_columns++] = REC_COLUMN_USER;
  plan.columns[plan.n_columns++] = REC_COLUMN_ITEM;
  switch (objective.rows) {
    case Objective::Rows::kLists:
      plan.rows = REC_PLAN_LISTS;
      plan.columns[plan.n_columns++] = REC_COLUMN_IMPRESSION_MASK;
      break;
    case Objective::Rows::kLabelled:
      plan.rows = REC_PLAN_LABELLED;
      plan.columns[plan.n_columns++] = REC_COLUMN_LABEL;
      break;
    default: plan.rows = REC_PLAN_INTERACTIONS; plan.negatives = REC_NEGATIVES_SAMPLED;
  }
  if (objective.in_batch) plan.columns[plan.n_columns++] = REC_COLUMN_LOG_Q;
  if (!histories) return;
  for (int32_t column : {REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH}) plan.columns[plan.n_columns++] = column;
}

double objective_loss(const Context& context, const Objective& objective, const Batch& batch, Floats& scores,
                      Floats& dscores) {
  const rec_host_t& host = context.host;
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  dscores.resize(scores.size());
  double value = 0;
  if (objective.rows == Objective::Rows::kLists) {
    const auto* mask = batch.get<uint8_t>(REC_COLUMN_IMPRESSION_MASK);
    // Deviation: listnet's softmax leaves padding out, since no item of these tables stands for it.
    for (size_t i = 0; i < scores.size(); ++i)
      if (mask[i] == REC_SLOT_PADDING) scores[i] = -std::numeric_limits<float>::infinity();
    check(host.list_loss(context.call, objective.loss, scores.data(), mask, B, C, &value, dscores.data()));
  } else if (objective.rows == Objective::Rows::kLabelled) {
    check(host.label_loss(context.call, objective.loss, scores.data(), batch.get<float>(REC_COLUMN_LABEL), B, &value,
                          dscores.data()));
  } else {
    if (objective.in_batch) {
      const auto* log_q = batch.get<float>(REC_COLUMN_LOG_Q);
      for (size_t i = 0; i < scores.size(); ++i) scores[i] -= log_q[i];
    }
    check(host.loss(context.call, objective.loss, scores.data(), B, C, &value, dscores.data()));
  }
  return value;
}

void TouchedRows::collect(const int32_t* ids, int64_t n_entries) {
  rows_.clear();
  offsets_.assign(1, 0);
  for (int64_t e = 0; e < n_entries; ++e) {
    int32_t& slot = slot_of_[static_cast<size_t>(ids[e])];
    if (slot < 0) {
      slot = static_cast<int32_t>(rows_.size());
      rows_.push_back(ids[e]);
      offsets_.push_back(0);
    }
    ++offsets_[static_cast<size_t>(slot) + 1];
  }
  for (size_t s = 1; s < offsets_.size(); ++s) offsets_[s] += offsets_[s - 1];
  entries_.resize(static_cast<size_t>(n_entries));
  slots_.resize(static_cast<size_t>(n_entries));
  for (int64_t e = 0; e < n_entries; ++e) {
    const auto slot = static_cast<size_t>(slot_of_[static_cast<size_t>(ids[e])]);
    entries_[static_cast<size_t>(offsets_[slot]++)] = static_cast<int32_t>(e);
    slots_[static_cast<size_t>(e)] = static_cast<int32_t>(slot);
  }
  for (size_t s = offsets_.size() - 1; s > 0; --s) offsets_[s] = offsets_[s - 1];
  offsets_[0] = 0;
  for (int32_t row : rows_) slot_of_[static_cast<size_t>(row)] = -1;
}

void BilinearTerm::collect(const int32_t* left_ids, const int32_t* right_ids, int64_t B, int64_t C) {
  left_ids_ = left_ids, right_ids_ = right_ids, B_ = B, C_ = C;
  left.collect(left_ids, B);
  right.collect(right_ids, B * C);
}

void BilinearTerm::collect(const int32_t* right_ids, int64_t B, int64_t C) {
  row_numbers_.resize(static_cast<size_t>(B));
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
  entry_columns_.resize(static_cast<size_t>(B_ * C_));
  entry_weights_.resize(static_cast<size_t>(B_ * C_));
  size_t at = 0;
  for (int32_t b : left.entries())
    for (int64_t c = 0; c < C_; ++c, ++at) {
      entry_columns_[at] = right_ids_[b * C_ + c];
      entry_weights_[at] = dscores[b * C_ + c];
    }
  left_gradients.resize(static_cast<size_t>(left.size() * d_));
  const rec_csr_t by_left{entry_offsets_.data(), entry_columns_.data(), left.size(), 0};
  context.host.weighted_rows(context.call, &by_left, entry_weights_.data(), right_table, d_, false,
                             left_gradients.data());

  // dL/dv_i = sum over its occurrences of ds_bc u_b.
  at = 0;
  for (int32_t e : right.entries()) {
    entry_columns_[at] = left_ids_[e / C_];
    entry_weights_[at++] = dscores[e];
  }
  right_gradients.resize(static_cast<size_t>(right.size() * d_));
  const rec_csr_t by_right{right.offsets().data(), entry_columns_.data(), right.size(), 0};
  context.host.weighted_rows(context.call, &by_right, entry_weights_.data(), left_table, d_, false,
                             right_gradients.data());
}

void TouchedRows::sum_entries(const Context& context, const float* rows, int64_t d, float* out) const {
  const int64_t chunk = std::max<int64_t>(1, 32768 / d);  // 128 KiB, about what handing a part out is worth
  parallel_for(context, size(), chunk, [&](int64_t begin, int64_t end) {
    const rec_csr_t by_slot{offsets_.data() + begin, entries_.data(), end - begin, 0};
    context.host.propagate(context.call, &by_slot, nullptr, nullptr, rows, d, nullptr, 0, out + begin * d, nullptr, 0);
  });
}

void TouchedRows::sum_entries(const Context& context, const float* rows, int64_t d, Floats& out) const {
  out.resize(static_cast<size_t>(size() * d));
  sum_entries(context, rows, d, out.data());
}

void PairwiseStep::collect(const Batch& batch) {
  term_.collect(batch.users(), batch.items(), batch.n_rows(), batch.n_candidates());
}

double PairwiseStep::compute(const Context& context, const Batch& batch, const float* user_table,
                             const float* item_table) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  scores_.resize(static_cast<size_t>(B * C));
  dscores_.resize(static_cast<size_t>(B * C));
  term_.score(context, user_table, item_table, scores_.data());
  const double value = objective_loss(context, objective_, batch, scores_, dscores_);
  term_.backward(context, dscores_.data(), user_table, item_table);
  return value;
}

double PairwiseStep::regularize(const Batch& batch, const float* user_emb, const float* item_emb) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  const TouchedRows &users = term_.left, &items = term_.right;
  user_coefficients.assign(static_cast<size_t>(users.size()), 0.f);
  item_coefficients.assign(static_cast<size_t>(items.size()), 0.f);
  if (regularizer_.weight == 0) return 0;
  const auto square = [this](const float* row) {
    double sum = 0;
    for (int64_t k = 0; k < d_; ++k) sum += static_cast<double>(row[k]) * row[k];
    return sum;
  };
  // The blocks: users, positives, negatives, repetitions included; padding is of none. Negatives that are
  // the batch's positives count as these only.
  const bool lists = objective_.rows == Objective::Rows::kLists;
  const auto* mask = lists ? batch.get<uint8_t>(REC_COLUMN_IMPRESSION_MASK) : nullptr;
  const auto slot_of = [&](int32_t e) -> uint8_t {
    if (lists) return mask[e];
    return e % C == 0 ? REC_SLOT_POSITIVE : objective_.in_batch ? REC_SLOT_PADDING : REC_SLOT_NEGATIVE;
  };
  double user_square = 0, positive_square = 0, negative_square = 0;
  const auto occurrences = [](const TouchedRows& rows, int64_t s) {
    return static_cast<double>(rows.offsets()[static_cast<size_t>(s) + 1] - rows.offsets()[static_cast<size_t>(s)]);
  };
  std::vector<double> positives(static_cast<size_t>(items.size())), negatives(positives.size());
  for (int64_t s = 0; s < users.size(); ++s)
    user_square += occurrences(users, s) * square(user_emb + users.rows()[static_cast<size_t>(s)] * d_);
  for (int64_t s = 0; s < items.size(); ++s) {
    double n = 0, m = 0;
    for (int64_t e = items.offsets()[static_cast<size_t>(s)]; e < items.offsets()[static_cast<size_t>(s) + 1]; ++e) {
      const uint8_t slot = slot_of(items.entries()[static_cast<size_t>(e)]);
      n += slot == REC_SLOT_POSITIVE;
      m += slot == REC_SLOT_NEGATIVE;
    }
    positives[static_cast<size_t>(s)] = n;
    negatives[static_cast<size_t>(s)] = m;
    const double norm = square(item_emb + items.rows()[static_cast<size_t>(s)] * d_);
    positive_square += n * norm;
    negative_square += m * norm;
  }
  // Squared: 1/2 sum ||.||^2 / B, gradient row / B. Plain: sum of block norms / B, gradient row / norm / B.
  const double scale = regularizer_.weight / static_cast<double>(B);
  const auto factor = [&](double block) {
    return regularizer_.squared ? scale : block > 0 ? scale / std::sqrt(block) : 0;
  };
  const double of_users = factor(user_square), of_positives = factor(positive_square),
               of_negatives = factor(negative_square);
  for (int64_t s = 0; s < users.size(); ++s)
    user_coefficients[static_cast<size_t>(s)] = static_cast<float>(of_users * occurrences(users, s));
  for (int64_t s = 0; s < items.size(); ++s) {
    item_coefficients[static_cast<size_t>(s)] = static_cast<float>(of_positives * positives[static_cast<size_t>(s)] +
                                                                   of_negatives * negatives[static_cast<size_t>(s)]);
  }
  if (regularizer_.squared) return scale * 0.5 * (user_square + positive_square + negative_square);
  return scale * (std::sqrt(user_square) + std::sqrt(positive_square) + std::sqrt(negative_square));
}

}  // namespace rec::plugin
