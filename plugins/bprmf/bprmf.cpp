#include "plugins/bprmf/bprmf.h"

namespace rec::bprmf {

void BprMf::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  options.objective.plan(plan);
  plan.memory_bytes = 12 * (schema.n_users + schema.n_items) * options.emb_size;
}

BprMf::BprMf(const Options& options, const rec_schema_t& schema)
    : options_(options),
      users_("user_emb", schema.n_users, options.emb_size, options.optimizer, options.init),
      items_("item_emb", schema.n_items, options.emb_size, options.optimizer, options.init),
      loss_(schema, options.emb_size, options.objective, options.regularizer) {}

// Registers the rows of the batch. loss_.compute fills their gradients; the inherited Model::apply takes a step of the
// optimiser with them.
void BprMf::touch(const Context& context, const Batch& batch) {
  loss_.collect(batch);
  users_.touch(context, loss_.users(), loss_.user_gradients());
  items_.touch(context, loss_.items(), loss_.item_gradients());
}

// L = loss(p_u . q_i, p_u . q_j) + reg_weight / 2B sum of the batch rows' squares.
double BprMf::compute(const Context& context, const Batch& batch) {
  touch(context, batch);
  const double loss = loss_.compute(context, batch, users_.data(), items_.data());
  return loss + loss_.regularize(batch, users_.data(), items_.data(), plugin::PairwiseLoss::GradientsOf::kTouchedRows,
                                 loss_.user_gradients(), loss_.item_gradients());
}

void BprMf::score_live(const Context& context, const Batch& batch, float* out_scores) {
  touch(context, batch);
  context.host.pair_scores(context.call, batch.users(), batch.items(), batch.n_rows(), batch.n_candidates(),
                           users_.data(), items_.data(), options_.emb_size, out_scores);
}

rec_tensor_view_t BprMf::table(int32_t which) const {
  const plugin::Parameter& table = which == REC_TABLE_USER ? users_ : items_;
  return plugin::host_view(table.data(), table.n(), table.d());
}

}  // namespace rec::bprmf
