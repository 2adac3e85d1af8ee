#include "plugins/fpmc/fpmc.h"

#include <algorithm>

namespace rec::fpmc {

namespace {

enum Stream : int32_t { kInit = 0 };

Options read(const Context& context, const rec_params_t& params) {
  const rec_host_t& host = context.host;
  Options options;
  options.emb_size = host.param_int(&params, "emb_size");
  options.basket_size = host.param_int(&params, "basket_size");
  options.frozen_row = host.param_int(&params, "frozen_row");
  options.objective = plugin::read_objective(context, params);
  options.init = host.param_text(&params, "init");
  options.init_std = host.param_float(&params, "init_std");
  options.optimizer = {plugin::optimizer_named(host.param_text(&params, "optimizer")), host.param_float(&params, "lr"),
                       host.param_float(&params, "l2")};
  return options;
}

}  // namespace

void Fpmc::plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan) {
  const Options options = read(context, params);
  plugin::plan_objective(options.objective, plan, true);
  plan.capabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC |
                      REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LABELLED;
  plan.memory_bytes = plugin::weight_bytes(schema) * (schema.n_users + 3 * schema.n_items) * options.emb_size;
  plan.history_max = options.basket_size;
  plan.min_history = 1;
  if (options.frozen_row >= schema.n_items)
    throw plugin::Failure{REC_INVALID_DATA, "frozen_row: must be below the " + std::to_string(schema.n_items) +
                                                " items, got " + std::to_string(options.frozen_row)};
  for (int32_t column : {REC_COLUMN_USER, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH})
    plan.query_columns[plan.n_query_columns++] = column;
}

Fpmc::Fpmc(const Context& context, const rec_params_t& params, const rec_schema_t& schema)
    : Fpmc(read(context, params), schema) {}

Fpmc::Fpmc(const Options& options, const rec_schema_t& schema)
    : options_(options),
      ui_("ui_emb", schema.n_users, options.emb_size, options.optimizer),
      iu_("iu_emb", schema.n_items, options.emb_size, options.optimizer),
      li_("li_emb", schema.n_items, options.emb_size, options.optimizer),
      il_("il_emb", schema.n_items, options.emb_size, options.optimizer),
      user_term_(schema.n_users, schema.n_items, options.emb_size),
      basket_term_(schema.n_items, options.emb_size),
      basket_rows_(schema.n_items) {}

void Fpmc::initialize(const Context& context, int64_t seed) {
  int32_t stream = kInit;
  for (plugin::Parameter* parameter : parameters())
    plugin::initialize(*parameter, context, seed, stream++, options_.init, options_.init_std);
}

// Mean of li over the items of each row's last basket; zero without one.
void Fpmc::basket_means(const Context&, const Batch& batch, plugin::Floats& out) const {
  const int64_t d = options_.emb_size, T = batch.history_width();
  out.assign(static_cast<size_t>(batch.n_rows() * d), 0.f);
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
  const int64_t B = batch.n_rows(), C = batch.n_candidates(), T = batch.history_width();
  basket_items_.clear();
  basket_offsets_.assign(1, 0);
  for (int64_t b = 0; b < B; ++b) {
    basket_items_.insert(basket_items_.end(), batch.history() + b * T,
                         batch.history() + b * T + batch.history_lengths()[b]);
    basket_offsets_.push_back(static_cast<int64_t>(basket_items_.size()));
  }
  basket_rows_.collect(basket_items_.data(), static_cast<int64_t>(basket_items_.size()));
  user_term_.collect(batch.users(), batch.items(), B, C);
  basket_term_.collect(batch.items(), B, C);
  ui_.touch(context, user_term_.left, user_term_.left_gradients);
  iu_.touch(context, user_term_.right, user_term_.right_gradients);
  il_.touch(context, basket_term_.right, basket_term_.right_gradients);
  li_.touch(context, basket_rows_, li_gradients_);

  basket_means(context, batch, baskets_);
  scores_.resize(static_cast<size_t>(B * C));
  term_scores_.resize(static_cast<size_t>(B * C));
  user_term_.score(context, ui_.data(), iu_.data(), scores_.data());
  basket_term_.score(context, baskets_.data(), il_.data(), term_scores_.data());
  for (size_t e = 0; e < scores_.size(); ++e) scores_[e] += term_scores_[e];
}

double Fpmc::compute(const Context& context, const Batch& batch) {
  score_batch(context, batch);
  const double loss = plugin::objective_loss(context, options_.objective, batch, scores_, dscores_);
  user_term_.backward(context, dscores_.data(), ui_.data(), iu_.data());
  basket_term_.backward(context, dscores_.data(), baskets_.data(), il_.data());
  scatter_basket_gradients(context);
  return loss;
}

// dL/dli_l = sum over the baskets with l of dL/dbasket / |basket|
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
    columns.push_back(row_of[static_cast<size_t>(e)]);
    weights.push_back(share[static_cast<size_t>(e)]);
  }
  const int64_t d = options_.emb_size;
  li_gradients_.resize(static_cast<size_t>(basket_rows_.size() * d));
  const rec_csr_t by_item{basket_rows_.offsets().data(), columns.data(), basket_rows_.size(), 0};
  context.host.weighted_rows(context.call, &by_item, weights.data(), basket_term_.left_gradients.data(), d, false,
                             li_gradients_.data());
  for (int64_t s = 0; s < basket_rows_.size(); ++s)
    if (basket_rows_.rows()[static_cast<size_t>(s)] == options_.frozen_row)
      std::fill_n(li_gradients_.begin() + s * d, d, 0.f);
}

void Fpmc::score_live(const Context& context, const Batch& batch, float* out_scores) {
  score_batch(context, batch);
  std::copy(scores_.begin(), scores_.end(), out_scores);
}

// The item side of both terms beside each other, so that one dot product serves: [iu_i ; il_i].
void Fpmc::freeze(const Context&) {
  const int64_t d = options_.emb_size;
  items_.resize(static_cast<size_t>(iu_.n() * 2 * d));
  for (int64_t i = 0; i < iu_.n(); ++i) {
    std::copy_n(iu_.row(i), d, items_.data() + i * 2 * d);
    std::copy_n(il_.row(i), d, items_.data() + i * 2 * d + d);
  }
}

// [ui_u ; basket]; an unknown user, or no history, is zero on its side.
void Fpmc::encode(const Context& context, const Batch& queries, float* out_vectors) const {
  const int64_t d = options_.emb_size;
  plugin::Floats baskets;
  basket_means(context, queries, baskets);
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

rec_tensor_view_t Fpmc::table(int32_t which) const {
  if (which != REC_TABLE_ITEM) throw plugin::Failure{REC_UNSUPPORTED, "fpmc has no user table"};
  return plugin::host_view(items_.data(), REC_DTYPE_F32, iu_.n(), 2 * options_.emb_size);
}

}  // namespace rec::fpmc
