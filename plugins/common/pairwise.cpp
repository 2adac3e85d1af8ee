#include "plugins/common/pairwise.h"

#include <cmath>

namespace rec::plugin {

int32_t loss_named(const std::string& name) {
  if (name == "bpr_log") return REC_LOSS_BPR_LOG;
  if (name == "bpr_multi") return REC_LOSS_BPR_MULTI;
  if (name == "bce") return REC_LOSS_BCE;
  if (name == "softmax") return REC_LOSS_SOFTMAX;
  return REC_LOSS_BPR_SOFTPLUS;
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
  for (int64_t e = 0; e < n_entries; ++e) {
    const auto slot = static_cast<size_t>(slot_of_[static_cast<size_t>(ids[e])]);
    entries_[static_cast<size_t>(offsets_[slot]++)] = static_cast<int32_t>(e);
  }
  for (size_t s = offsets_.size() - 1; s > 0; --s) offsets_[s] = offsets_[s - 1];
  offsets_[0] = 0;
  for (int32_t row : rows_) slot_of_[static_cast<size_t>(row)] = -1;
}

void PairwiseStep::collect(const Batch& batch) {
  users.collect(batch.users(), batch.n_rows());
  items.collect(batch.items(), batch.n_rows() * batch.n_candidates());
}

double PairwiseStep::compute(const Context& context, const Batch& batch, const float* user_table,
                             const float* item_table) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  scores_.resize(static_cast<size_t>(B * C));
  dscores_.resize(static_cast<size_t>(B * C));
  context.host.pair_scores(context.call, batch.users(), batch.items(), B, C, user_table, item_table, d_,
                           scores_.data());
  double loss = 0;
  check(context.host.loss(context.call, loss_, scores_.data(), B, C, &loss, dscores_.data()));

  // dL/du_b = sum_c ds_bc v_bc: the entries of a user are the candidates of its rows.
  std::vector<int64_t> offsets(users.offsets());
  for (int64_t& offset : offsets) offset *= C;
  entry_columns_.resize(static_cast<size_t>(B * C));
  entry_weights_.resize(static_cast<size_t>(B * C));
  size_t at = 0;
  for (int32_t b : users.entries())
    for (int64_t c = 0; c < C; ++c, ++at) {
      entry_columns_[at] = batch.items()[b * C + c];
      entry_weights_[at] = dscores_[static_cast<size_t>(b * C + c)];
    }
  user_gradients.resize(static_cast<size_t>(users.size() * d_));
  const rec_csr_t by_user{offsets.data(), entry_columns_.data(), users.size(), 0};
  context.host.weighted_rows(context.call, &by_user, entry_weights_.data(), item_table, d_, false,
                             user_gradients.data());

  // dL/dv_i = sum over its occurrences of ds_bc u_b.
  at = 0;
  for (int32_t e : items.entries()) {
    entry_columns_[at] = batch.users()[e / C];
    entry_weights_[at++] = dscores_[static_cast<size_t>(e)];
  }
  item_gradients.resize(static_cast<size_t>(items.size() * d_));
  const rec_csr_t by_item{items.offsets().data(), entry_columns_.data(), items.size(), 0};
  context.host.weighted_rows(context.call, &by_item, entry_weights_.data(), user_table, d_, false,
                             item_gradients.data());
  return loss;
}

double PairwiseStep::regularize(const Batch& batch, const float* user_emb, const float* item_emb) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  user_coefficients.assign(static_cast<size_t>(users.size()), 0.f);
  item_coefficients.assign(static_cast<size_t>(items.size()), 0.f);
  if (regularizer_.weight == 0) return 0;
  const auto square = [this](const float* row) {
    double sum = 0;
    for (int64_t k = 0; k < d_; ++k) sum += static_cast<double>(row[k]) * row[k];
    return sum;
  };
  // The blocks of models.md 1.5: users, positives (column 0), negatives, repetitions included.
  double user_square = 0, positive_square = 0, negative_square = 0;
  const auto occurrences = [](const TouchedRows& rows, int64_t s) {
    return static_cast<double>(rows.offsets()[static_cast<size_t>(s) + 1] - rows.offsets()[static_cast<size_t>(s)]);
  };
  std::vector<double> positives(static_cast<size_t>(items.size()));
  for (int64_t s = 0; s < users.size(); ++s)
    user_square += occurrences(users, s) * square(user_emb + users.rows()[static_cast<size_t>(s)] * d_);
  for (int64_t s = 0; s < items.size(); ++s) {
    double n = 0;
    for (int64_t e = items.offsets()[static_cast<size_t>(s)]; e < items.offsets()[static_cast<size_t>(s) + 1]; ++e)
      n += items.entries()[static_cast<size_t>(e)] % C == 0;
    positives[static_cast<size_t>(s)] = n;
    const double norm = square(item_emb + items.rows()[static_cast<size_t>(s)] * d_);
    positive_square += n * norm;
    negative_square += (occurrences(items, s) - n) * norm;
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
    const double n = positives[static_cast<size_t>(s)];
    item_coefficients[static_cast<size_t>(s)] =
        static_cast<float>(of_positives * n + of_negatives * (occurrences(items, s) - n));
  }
  if (regularizer_.squared) return scale * 0.5 * (user_square + positive_square + negative_square);
  return scale * (std::sqrt(user_square) + std::sqrt(positive_square) + std::sqrt(negative_square));
}

}  // namespace rec::plugin
