#include "plugins/fpmc/fpmc.h"

namespace rec::fpmc {

void Fpmc::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  options.objective.plan(plan, true);
  options.frozen.check(schema);
  plan.memory_bytes = plugin::weight_bytes(schema) * (schema.n_users + 3 * schema.n_items) * options.emb_size;
  plan.history_max = options.basket_size;
  plan.min_history = 1;
  plugin::want_in_queries(plan, {REC_COLUMN_USER, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH});
}

Fpmc::Fpmc(const Options& options, const rec_schema_t& schema)
    : options_(options),
      ui_("ui_emb", schema.n_users, options.emb_size, options.optimizer, options.init),
      iu_("iu_emb", schema.n_items, options.emb_size, options.optimizer, options.init),
      li_("li_emb", schema.n_items, options.emb_size, options.optimizer, options.init),
      il_("il_emb", schema.n_items, options.emb_size, options.optimizer, options.init),
      user_term_(schema.n_users, schema.n_items, options.emb_size),
      basket_term_(schema.n_items, options.emb_size),
      basket_rows_(schema.n_items) {}

// Mean of li over the items of each row's last basket; zeros without a basket.
void Fpmc::basket_means(const Batch& batch, plugin::Floats& out) const {
  const int64_t d = options_.emb_size, T = batch.history_width();
  out.assign(batch.n_rows() * d, 0.f);
  for (int64_t b = 0; b < batch.n_rows(); ++b) {
    const int32_t n = batch.history_lengths()[b];
    float* mean = out.data() + b * d;
    for (int32_t t = 0; t < n; ++t) {
      const float* row = li_.row(batch.history()[b * T + t]);
      for (int64_t k = 0; k < d; ++k) mean[k] += row[k];
    }
    for (int64_t k = 0; n > 1 && k < d; ++k) mean[k] /= static_cast<float>(n);
  }
}

// Eq. (9) of the paper: s = ui_u . iu_i + (1 / |basket|) sum over l of li_l . il_i
void Fpmc::score_batch(const Context& context, const Batch& batch) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  basket_items_.clear();
  batch.append_history_items(basket_items_);
  basket_offsets_.assign(1, 0);
  for (int64_t b = 0; b < B; ++b) basket_offsets_.push_back(basket_offsets_.back() + batch.history_lengths()[b]);
  basket_rows_.collect(basket_items_);
  user_term_.collect(batch.users(), batch.items(), B, C);
  basket_term_.collect(batch.items(), B, C);
  ui_.touch(context, user_term_.left, user_term_.left_gradients);
  iu_.touch(context, user_term_.right, user_term_.right_gradients);
  il_.touch(context, basket_term_.right, basket_term_.right_gradients);
  li_.touch(context, basket_rows_);

  basket_means(batch, baskets_);
  scores_.resize(B * C);
  term_scores_.resize(B * C);
  user_term_.score(context, ui_.data(), iu_.data(), scores_.data());
  basket_term_.score(context, baskets_.data(), il_.data(), term_scores_.data());
  for (size_t e = 0; e < scores_.size(); ++e) scores_[e] += term_scores_[e];
}

double Fpmc::compute(const Context& context, const Batch& batch) {
  score_batch(context, batch);
  const double loss = options_.objective.compute(context, batch, scores_, dscores_);
  user_term_.backward(context, dscores_.data(), ui_.data(), iu_.data());
  basket_term_.backward(context, dscores_.data(), baskets_.data(), il_.data());
  scatter_basket_gradients(context);
  return loss;
}

// dL/dli_l = sum over the baskets that hold l of dL/dbasket / |basket|
void Fpmc::scatter_basket_gradients(const Context& context) {
  std::vector<int32_t> row_of;
  std::vector<float> share;
  for (size_t b = 0; b + 1 < basket_offsets_.size(); ++b)
    for (int64_t e = basket_offsets_[b]; e < basket_offsets_[b + 1]; ++e) {
      row_of.push_back(static_cast<int32_t>(b));
      share.push_back(1.f / static_cast<float>(basket_offsets_[b + 1] - basket_offsets_[b]));
    }
  std::vector<int32_t> columns;
  std::vector<float> weights;
  for (int32_t e : basket_rows_.entries()) {
    columns.push_back(row_of[e]);
    weights.push_back(share[e]);
  }
  const int64_t d = options_.emb_size;
  const rec_csr_t by_item{basket_rows_.offsets().data(), columns.data(), basket_rows_.size(), 0};
  context.host.weighted_rows(context.call, &by_item, weights.data(), basket_term_.left_gradients.data(), d, false,
                             li_.gradient().data());
  options_.frozen.clear(basket_rows_.rows(), d, li_.gradient());
}

void Fpmc::score_live(const Context& context, const Batch& batch, float* out_scores) {
  score_batch(context, batch);
  std::copy(scores_.begin(), scores_.end(), out_scores);
}

// The item sides of both terms concatenated, so that one dot product gives the score: [iu_i ; il_i].
void Fpmc::freeze(const Context&) {
  const int64_t d = options_.emb_size;
  items_.resize(iu_.n() * 2 * d);
  for (int64_t i = 0; i < iu_.n(); ++i) {
    std::copy_n(iu_.row(i), d, items_.data() + i * 2 * d);
    std::copy_n(il_.row(i), d, items_.data() + i * 2 * d + d);
  }
}

// [ui_u ; basket]; an unknown user or a missing history gives zeros on its side.
void Fpmc::encode(const Context&, const Batch& queries, float* out_vectors) const {
  const int64_t d = options_.emb_size;
  plugin::Floats baskets;
  basket_means(queries, baskets);
  for (int64_t b = 0; b < queries.n_rows(); ++b) {
    float* vector = out_vectors + b * 2 * d;
    const int32_t user = queries.users()[b];
    if (user >= 0)
      std::copy_n(ui_.row(user), d, vector);
    else
      std::fill_n(vector, d, 0.f);
    std::copy_n(baskets.data() + b * d, d, vector + d);
  }
}

rec_tensor_view_t Fpmc::table(int32_t) const {
  return plugin::host_view(items_.data(), iu_.n(), 2 * options_.emb_size);
}

}  // namespace rec::fpmc
