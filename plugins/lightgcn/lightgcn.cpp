#include "plugins/lightgcn/lightgcn.h"

#include <algorithm>

#include "plugins/common/graph.h"

namespace rec::lightgcn {

namespace {

constexpr int32_t kEdgeStream = 8;

Options read(const Context& context, const rec_params_t& params) {
  const rec_host_t& host = context.host;
  Options options;
  options.emb_size = host.param_int(&params, "emb_size");
  options.n_layers = host.param_int(&params, "n_layers");
  options.layer_weights.resize(64);
  const int64_t given = host.param_list(&params, "layer_weights", options.layer_weights.data(), 64);
  if (given == 0) {
    options.layer_weights.assign(static_cast<size_t>(options.n_layers + 1),
                                 1.0 / static_cast<double>(options.n_layers + 1));
  } else if (given != options.n_layers + 1) {
    throw plugin::Failure{REC_INVALID_ARGUMENT,
                          "layer_weights: must have n_layers + 1 = " + std::to_string(options.n_layers + 1) +
                              " numbers, got " + std::to_string(given)};
  }
  options.layer_weights.resize(static_cast<size_t>(options.n_layers + 1));
  options.objective = plugin::read_objective(context, params);
  options.init = {host.param_text(&params, "init"), host.param_float(&params, "init_std")};
  options.adj_eps = host.param_float(&params, "adj_eps");
  options.edge_dropout = host.param_float(&params, "edge_dropout");
  options.seed = host.param_int(&params, "seed");
  options.optimizer = {plugin::optimizer_named(host.param_text(&params, "optimizer")), host.param_float(&params, "lr"),
                       host.param_float(&params, "l2")};
  options.regularizer = {host.param_float(&params, "reg_weight"),
                         std::string(host.param_text(&params, "reg_norm")) == "squared"};
  return options;
}

std::vector<float> times(const std::vector<float>& scale, double weight) {
  std::vector<float> out(scale);
  for (float& value : out) value *= static_cast<float>(weight);
  return out;
}

}  // namespace

void LightGcn::plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan) {
  read(context, params);
  plugin::plan_objective(plugin::read_objective(context, params), plan);
  plan.wants_graph = 1;
  plan.capabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC |
                      REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED;
  plan.memory_bytes = 28 * (schema.n_users + schema.n_items) * context.host.param_int(&params, "emb_size");
}

LightGcn::LightGcn(const Context& context, const rec_params_t& params, const rec_schema_t& schema)
    : LightGcn(read(context, params), schema) {}

LightGcn::LightGcn(const Options& options, const rec_schema_t& schema)
    : TwoTables(schema, options.emb_size, options.optimizer, options.init),
      options_(options),
      step_(schema.n_users, schema.n_items, options.emb_size, options.objective, options.regularizer) {
  for (NodeTable* table : {&final_, &work_, &gradient_, &d_e0_}) {
    table->users.resize(static_cast<size_t>(schema.n_users * options_.emb_size));
    table->items.resize(static_cast<size_t>(schema.n_items * options_.emb_size));
  }
}

void LightGcn::initialize(const Context& context, int64_t seed) {
  TwoTables::initialize(context, seed);
  propagated_ = false;
}

// Eq. (9): A_hat = D^-1/2 A D^-1/2 as a pattern and two scale vectors.
void LightGcn::bind(const Context&, const rec_dataset_view_t& view) {
  user_scale_ = plugin::inverse_sqrt_degrees(view.graph_users, options_.adj_eps);
  item_scale_ = plugin::inverse_sqrt_degrees(view.graph_items, options_.adj_eps);
  graph_ = {view.graph_users, view.graph_items, user_scale_.data(), item_scale_.data()};
  if (options_.edge_dropout > 0)
    dropped_.bind(view.graph_users, view.graph_items, user_scale_, item_scale_, 1 - options_.edge_dropout);
  user_scale_last_ = times(user_scale_, options_.layer_weights.back());
  item_scale_last_ = times(item_scale_, options_.layer_weights.back());
  propagated_ = false;
}

// Eq. (7)-(8): E_{l+1} = A_hat E_l,  F = sum_l w_l E_l, in Horner's form w_0 E + A_hat (w_1 E + A_hat (...)), which needs
// no layer but the last. A_hat is symmetric, so the same function takes dL/dF to dL/dE_0. Of the last product only the
// listed rows are made.
void LightGcn::propagate(const Context& context, const GraphView& graph, const float* users, const float* items,
                         const plugin::TouchedRows* only_users, const plugin::TouchedRows* only_items, NodeTable& out) {
  const rec_host_t& host = context.host;
  const int64_t L = options_.n_layers, d = options_.emb_size;
  NodeTable* target = L % 2 == 1 ? &out : &work_;  // the last of L products lands in `out`
  NodeTable* other = L % 2 == 1 ? &work_ : &out;
  const float *from_users = users, *from_items = items;
  for (int64_t l = L - 1; l >= 0; --l) {
    const auto weight = static_cast<float>(options_.layer_weights[static_cast<size_t>(l)]);
    const float* item_scale = l == L - 1 ? item_scale_last_.data() : item_scale_.data();
    const float* user_scale = l == L - 1 ? user_scale_last_.data() : user_scale_.data();
    const plugin::TouchedRows* rows_u = l == 0 ? only_users : nullptr;
    const plugin::TouchedRows* rows_i = l == 0 ? only_items : nullptr;
    host.propagate(context.call, &graph.users, graph.user_rows, item_scale, from_items, d, users, weight,
                   target->users.data(), rows_u != nullptr ? rows_u->rows().data() : nullptr,
                   rows_u != nullptr ? rows_u->size() : 0);
    host.propagate(context.call, &graph.items, graph.item_rows, user_scale, from_users, d, items, weight,
                   target->items.data(), rows_i != nullptr ? rows_i->rows().data() : nullptr,
                   rows_i != nullptr ? rows_i->size() : 0);
    if (host.should_stop(context.call)) throw plugin::Failure{REC_CANCELLED, "cancelled by the caller"};
    from_users = target->users.data();
    from_items = target->items.data();
    std::swap(target, other);
  }
}

void LightGcn::propagate_all(const Context& context) {
  if (propagated_) return;
  propagate(context, graph_, users_.data(), items_.data(), nullptr, nullptr, final_);
  propagated_ = true;
}

// Eq. (15): L = loss(F_u . F_i, F_u . F_j) + reg_weight * regulariser of the rows of E_0.
double LightGcn::compute(const Context& context, const Batch& batch) {
  const int64_t d = options_.emb_size;
  step_.collect(batch);
  const bool drops = options_.edge_dropout > 0;
  if (drops) dropped_.draw(context, options_.seed, kEdgeStream, batch.raw);
  if (drops || !propagated_) {
    propagate(context, drops ? dropped_.forward() : graph_, users_.data(), items_.data(), &step_.users(),
              &step_.items(), final_);
    propagated_ = false;
  }
  const double loss = step_.compute(context, batch, final_.users.data(), final_.items.data());
  const double penalty = step_.regularize(batch, users_.data(), items_.data());

  // dL/dF is zero but for the batch's rows; dL/dE_0 reaches every node.
  const auto scatter = [d](const plugin::TouchedRows& rows, const plugin::Floats& from, plugin::Floats& to) {
    std::fill(to.begin(), to.end(), 0.f);
    for (int64_t s = 0; s < rows.size(); ++s)
      std::copy_n(from.data() + s * d, d, to.data() + rows.rows()[static_cast<size_t>(s)] * d);
  };
  scatter(step_.users(), step_.user_gradients(), gradient_.users);
  scatter(step_.items(), step_.item_gradients(), gradient_.items);
  propagate(context, drops ? dropped_.backward() : graph_, gradient_.users.data(), gradient_.items.data(), nullptr,
            nullptr, d_e0_);
  if (options_.regularizer.weight > 0) {
    const auto add = [d](const plugin::TouchedRows& rows, const std::vector<float>& coefficients,
                         const plugin::Embedding& e0, plugin::Floats& to) {
      for (int64_t s = 0; s < rows.size(); ++s) {
        const int64_t row = rows.rows()[static_cast<size_t>(s)];
        for (int64_t k = 0; k < d; ++k)
          to[static_cast<size_t>(row * d + k)] += coefficients[static_cast<size_t>(s)] * e0.row(row)[k];
      }
    };
    add(step_.users(), step_.user_coefficients, users_, d_e0_.users);
    add(step_.items(), step_.item_coefficients, items_, d_e0_.items);
  }
  return loss + penalty;
}

void LightGcn::apply(const Context& context) {
  users_.step(context, nullptr, users_.n(), d_e0_.users.data());
  items_.step(context, nullptr, items_.n(), d_e0_.items.data());
  propagated_ = false;
}

void LightGcn::score_live(const Context& context, const Batch& batch, float* out_scores) {
  propagate_all(context);
  context.host.pair_scores(context.call, batch.users(), batch.items(), batch.n_rows(), batch.n_candidates(),
                           final_.users.data(), final_.items.data(), options_.emb_size, out_scores);
}

void LightGcn::restored() {
  TwoTables::restored();
  propagated_ = false;
}

void LightGcn::freeze(const Context& context) { propagate_all(context); }

rec_tensor_view_t LightGcn::gradients(int64_t i) {
  const bool of_users = parameter_at(i) == TensorOf::kUsers;
  const plugin::Embedding& table = of_users ? users_ : items_;
  return plugin::host_view((of_users ? d_e0_.users : d_e0_.items).data(), REC_DTYPE_F32, table.n(), table.d());
}

rec_tensor_view_t LightGcn::table(int32_t which) const {
  if (which == REC_TABLE_USER) return plugin::host_view(final_.users.data(), REC_DTYPE_F32, users_.n(), users_.d());
  return plugin::host_view(final_.items.data(), REC_DTYPE_F32, items_.n(), items_.d());
}

}  // namespace rec::lightgcn
