#include "plugins/bprmf/bprmf.h"

#include <algorithm>
#include <cmath>

namespace rec::bprmf {

namespace {

Options read(const Context& context, const rec_params_t& params) {
  const rec_host_t& host = context.host;
  Options options;
  options.emb_size = host.param_int(&params, "emb_size");
  options.objective = plugin::read_objective(context, params);
  options.init = {host.param_text(&params, "init"), host.param_float(&params, "init_std")};
  options.optimizer = {plugin::optimizer_named(host.param_text(&params, "optimizer")), host.param_float(&params, "lr"),
                       host.param_float(&params, "l2")};
  options.regularizer = {host.param_float(&params, "reg_weight"), true};
  return options;
}

}  // namespace

void BprMf::plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan) {
  plugin::plan_objective(plugin::read_objective(context, params), plan);
  plan.capabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC |
                      REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED;
  plan.memory_bytes = 12 * (schema.n_users + schema.n_items) * context.host.param_int(&params, "emb_size");
}

BprMf::BprMf(const Context& context, const rec_params_t& params, const rec_schema_t& schema)
    : BprMf(read(context, params), schema) {}

BprMf::BprMf(const Options& options, const rec_schema_t& schema)
    : TwoTables(schema, options.emb_size, options.optimizer, options.init),
      options_(options),
      step_(schema.n_users, schema.n_items, options.emb_size, options.objective, options.regularizer) {}

void BprMf::catch_up(const Context& context) {
  users_.catch_up(context, step_.users().rows().data(), step_.users().size());
  items_.catch_up(context, step_.items().rows().data(), step_.items().size());
}

// L = loss(p_u . q_i, p_u . q_j) + reg_weight / 2B sum of the batch rows' squares.
double BprMf::compute(const Context& context, const Batch& batch) {
  step_.collect(batch);
  catch_up(context);
  const double loss = step_.compute(context, batch, users_.data(), items_.data());
  const double penalty = step_.regularize(batch, users_.data(), items_.data());
  if (options_.regularizer.weight > 0) {
    const auto add = [](plugin::Floats& gradients, const plugin::TouchedRows& rows,
                        const std::vector<float>& coefficients, const plugin::Embedding& table) {
      for (int64_t s = 0; s < rows.size(); ++s) {
        const float* row = table.row(rows.rows()[static_cast<size_t>(s)]);
        for (int64_t k = 0; k < table.d(); ++k)
          gradients[static_cast<size_t>(s * table.d() + k)] += coefficients[static_cast<size_t>(s)] * row[k];
      }
    };
    add(step_.user_gradients(), step_.users(), step_.user_coefficients, users_);
    add(step_.item_gradients(), step_.items(), step_.item_coefficients, items_);
  }
  return loss + penalty;
}

void BprMf::apply(const Context& context) {
  users_.step(context, step_.users().rows().data(), step_.users().size(), step_.user_gradients().data());
  items_.step(context, step_.items().rows().data(), step_.items().size(), step_.item_gradients().data());
}

void BprMf::score_live(const Context& context, const Batch& batch, float* out_scores) {
  step_.collect(batch);
  catch_up(context);
  context.host.pair_scores(context.call, batch.users(), batch.items(), batch.n_rows(), batch.n_candidates(),
                           users_.data(), items_.data(), options_.emb_size, out_scores);
}

rec_tensor_view_t BprMf::gradients(int64_t i) {
  const bool of_users = parameter_at(i) == TensorOf::kUsers;
  const plugin::Embedding& table = of_users ? users_ : items_;
  const plugin::TouchedRows& rows = of_users ? step_.users() : step_.items();
  const plugin::Floats& gradients = of_users ? step_.user_gradients() : step_.item_gradients();
  dense_gradients_.assign(static_cast<size_t>(table.n() * table.d()), 0.f);
  for (int64_t s = 0; s < rows.size(); ++s)
    std::copy_n(gradients.data() + s * table.d(), table.d(),
                dense_gradients_.data() + rows.rows()[static_cast<size_t>(s)] * table.d());
  return plugin::host_view(dense_gradients_.data(), REC_DTYPE_F32, table.n(), table.d());
}

rec_tensor_view_t BprMf::table(int32_t which) const {
  const plugin::Embedding& table = which == REC_TABLE_USER ? users_ : items_;
  return plugin::host_view(table.data(), REC_DTYPE_F32, table.n(), table.d());
}

}  // namespace rec::bprmf
