#include "plugins/slrc_plus/slrc_plus.h"

#include <numeric>

namespace rec::slrc_plus {

void SlrcPlus::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_INTERACTIONS;
  plan.negatives = REC_NEGATIVES_SAMPLED;
  plan.memory_bytes = plugin::weight_bytes(schema) * (schema.n_users * (options.emb_size + 1) +
                                                      schema.n_items * (options.emb_size + 6 + 5 * schema.n_relations));
  plan.history_max = options.history_max;
  plan.min_history = 1;
  plan.wants_relations = 1;
  plugin::want(plan, {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH,
                      REC_COLUMN_HISTORY_TIME, REC_COLUMN_TIME});
  plugin::want_in_queries(
      plan, {REC_COLUMN_USER, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH, REC_COLUMN_HISTORY_TIME, REC_COLUMN_TIME});
}

SlrcPlus::SlrcPlus(const Options& options, const rec_schema_t& schema)
    : options_(options),
      n_relations_(1 + schema.n_relations),
      users_("user_emb", schema.n_users, options.emb_size, options.optimizer, plugin::Init::normal(options.init_std)),
      items_("item_emb", schema.n_items, options.emb_size, options.optimizer, plugin::Init::normal(options.init_std)),
      user_bias_("user_bias", schema.n_users, 1, options.optimizer, plugin::Init::normal(options.init_std)),
      item_bias_("item_bias", schema.n_items, 1, options.optimizer, plugin::Init::normal(options.init_std)),
      global_alpha_("global_alpha", 1, 1, options.optimizer, {}, {1}),
      alphas_("alphas", schema.n_items, n_relations_, options.optimizer, plugin::Init::normal(options.init_std)),
      pis_("pis", schema.n_items, n_relations_, options.optimizer, plugin::Init::normal(options.init_std)),
      betas_("betas", schema.n_items, n_relations_, options.optimizer, plugin::Init::normal(options.init_std)),
      sigmas_("sigmas", schema.n_items, n_relations_, options.optimizer, plugin::Init::normal(options.init_std)),
      mus_("mus", schema.n_items, n_relations_, options.optimizer, plugin::Init::normal(options.init_std)),
      term_(schema.n_users, schema.n_items, options.emb_size) {}

std::vector<plugin::Parameter*> SlrcPlus::parameters() {
  return {&users_, &items_, &user_bias_, &item_bias_, &global_alpha_, &alphas_, &pis_, &betas_, &sigmas_, &mus_};
}

void SlrcPlus::bind(const Context&, const rec_dataset_view_t& view) {
  if (view.n_relations != n_relations_ - 1)
    throw plugin::Failure{REC_INVALID_DATA, "dataset: has " + std::to_string(view.n_relations) +
                                                " item relations, the model was made for " +
                                                std::to_string(n_relations_ - 1)};
  relations_.assign(view.relations, view.relations + view.n_relations);
}

Kernel SlrcPlus::kernel_of(int32_t item, int64_t relation) const {
  return Kernel::of(pis_.row(item)[relation], betas_.row(item)[relation], sigmas_.row(item)[relation],
                    mus_.row(item)[relation]);
}

// sum over r with an interval of alpha_r kappa_r(interval)
float SlrcPlus::excitation(int32_t item, const float* intervals) const {
  double sum = 0;
  for (int64_t r = 0; r < n_relations_; ++r)
    if (intervals[r] >= 0)
      sum +=
          (static_cast<double>(global_alpha_.data()[0]) + alphas_.row(item)[r]) * kernel_of(item, r).at(intervals[r]);
  return static_cast<float>(sum);
}

// s = u . i + b_u + b_i + excitation
void SlrcPlus::score_batch(const Context& context, const Batch& batch) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates(), T = batch.history_width(), R = n_relations_;
  term_.collect(batch.users(), batch.items(), B, C);
  users_.touch(context, term_.left, term_.left_gradients);
  items_.touch(context, term_.right, term_.right_gradients);
  user_bias_.touch(context, term_.left);
  for (plugin::Parameter* of_items : {&item_bias_, &alphas_, &pis_, &betas_, &sigmas_, &mus_})
    of_items->touch(context, term_.right);

  scores_.resize(B * C);
  intervals_.resize(B * C * R);
  term_.score(context, users_.data(), items_.data(), scores_.data());
  const auto* times = batch.get<int64_t>(REC_COLUMN_HISTORY_TIME);
  const auto* now = batch.get<int64_t>(REC_COLUMN_TIME);
  for (int64_t b = 0; b < B; ++b) {
    const int32_t* items = batch.items() + b * C;
    float* intervals = intervals_.data() + b * C * R;
    last_intervals(relations_.data(), R - 1, batch.history() + b * T, times + b * T, batch.history_lengths()[b], now[b],
                   options_.time_scalar, items, C, intervals);
    for (int64_t c = 0; c < C; ++c)
      scores_[b * C + c] +=
          *user_bias_.row(batch.users()[b]) + *item_bias_.row(items[c]) + excitation(items[c], intervals + c * R);
  }
}

double SlrcPlus::compute(const Context& context, const Batch& batch) {
  score_batch(context, batch);
  const int64_t B = batch.n_rows(), C = batch.n_candidates(), R = n_relations_;
  dscores_.resize(scores_.size());
  double loss = 0;
  plugin::check(context.host.loss(context.call, options_.loss, scores_.data(), B, C, &loss, dscores_.data()));
  term_.backward(context, dscores_.data(), users_.data(), items_.data());
  plugin::Floats of_users(B);
  for (int64_t b = 0; b < B; ++b)
    of_users[b] = std::accumulate(dscores_.data() + b * C, dscores_.data() + (b + 1) * C, 0.f);
  term_.left.sum_entries(context, of_users.data(), 1, user_bias_.gradient());
  term_.right.sum_entries(context, dscores_.data(), 1, item_bias_.gradient());

  for (plugin::Floats& entries : entry_gradients_) entries.assign(B * C * R, 0.f);
  double d_global = 0;
  for (int64_t e = 0; e < B * C; ++e) {
    const int32_t item = batch.items()[e];
    const double ds = dscores_[e];
    for (int64_t r = 0; r < R; ++r) {
      const int64_t at = e * R + r;
      if (intervals_[at] < 0) continue;
      const KernelSlopes k = slopes(kernel_of(item, r), intervals_[at]);
      const double alpha = static_cast<double>(global_alpha_.data()[0]) + alphas_.row(item)[r];
      d_global += ds * k.value;
      const double by_parameter[] = {k.value, alpha * k.pi, alpha * k.beta, alpha * k.omega, alpha * k.mu};
      for (size_t p = 0; p < 5; ++p) entry_gradients_[p][at] = static_cast<float>(ds * by_parameter[p]);
    }
  }
  *global_alpha_.dense_gradient() = static_cast<float>(d_global);
  plugin::Parameter* const of_kernels[] = {&alphas_, &pis_, &betas_, &sigmas_, &mus_};
  for (size_t p = 0; p < 5; ++p)
    term_.right.sum_entries(context, entry_gradients_[p].data(), R, of_kernels[p]->gradient());
  return loss;
}

void SlrcPlus::score_live(const Context& context, const Batch& batch, float* out_scores) {
  score_batch(context, batch);
  std::copy(scores_.begin(), scores_.end(), out_scores);
}

void SlrcPlus::score(const Context& context, const Batch& queries, float* out_scores) const {
  const int64_t C = queries.n_candidates(), T = queries.history_width(), R = n_relations_;
  context.host.pair_scores(context.call, queries.users(), queries.items(), queries.n_rows(), C, users_.data(),
                           items_.data(), options_.emb_size, out_scores);
  const auto* times = queries.get<int64_t>(REC_COLUMN_HISTORY_TIME);
  const auto* now = queries.get<int64_t>(REC_COLUMN_TIME);
  plugin::Floats intervals(C * R);
  for (int64_t b = 0; b < queries.n_rows(); ++b) {
    const int32_t* items = queries.items() + b * C;
    last_intervals(relations_.data(), R - 1, queries.history() + b * T, times + b * T, queries.history_lengths()[b],
                   now[b], options_.time_scalar, items, C, intervals.data());
    for (int64_t c = 0; c < C; ++c)
      out_scores[b * C + c] += *user_bias_.row(queries.users()[b]) + *item_bias_.row(items[c]) +
                               excitation(items[c], intervals.data() + c * R);
  }
}

rec_tensor_view_t SlrcPlus::table(int32_t which) const {
  const plugin::Parameter& table = which == REC_TABLE_USER ? users_ : items_;
  return plugin::host_view(table.data(), table.n(), table.d());
}

}  // namespace rec::slrc_plus
