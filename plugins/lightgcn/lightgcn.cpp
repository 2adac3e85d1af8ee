#include "plugins/lightgcn/lightgcn.h"

#include "plugins/common/graph.h"

namespace rec::lightgcn {

namespace {

constexpr int32_t kEdgeStream = 8;

std::vector<float> times(const std::vector<float>& scale, double weight) {
  std::vector<float> out(scale);
  for (float& value : out) value *= static_cast<float>(weight);
  return out;
}

}  // namespace

void Options::complete(const rec_schema_t&) {
  const size_t wanted = n_layers + 1;
  if (layer_weights.empty()) layer_weights.assign(wanted, 1.0 / static_cast<double>(wanted));
  if (layer_weights.size() != wanted)
    throw plugin::Failure{REC_INVALID_ARGUMENT, "layer_weights: must have n_layers + 1 = " + std::to_string(wanted) +
                                                    " numbers, got " + std::to_string(layer_weights.size())};
}

void LightGcn::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  options.objective.plan(plan);
  plan.wants_graph = 1;
  plan.memory_bytes = 20 * (schema.n_users + schema.n_items) * options.emb_size;
}

LightGcn::LightGcn(const Options& options, const rec_schema_t& schema)
    : options_(options),
      users_("user_emb", schema.n_users, options.emb_size, options.optimizer, options.init),
      items_("item_emb", schema.n_items, options.emb_size, options.optimizer, options.init),
      loss_(schema, options.emb_size, options.objective, options.regularizer) {
  for (NodeTable* table : {&result_, &work_}) {
    table->users.resize(schema.n_users * options_.emb_size);
    table->items.resize(schema.n_items * options_.emb_size);
  }
}

void LightGcn::initialize(const Context& context, int64_t seed) {
  Model::initialize(context, seed);
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

// One product of Horner's form: to = w_l addend + A_hat from; the addend may be nullptr. For l = L - 1, where `from` is
// not weighted yet, the scales include the last layer's weight. Computes the listed rows only, if any are listed.
void LightGcn::multiply(const Context& context, const GraphView& graph, int64_t l, const float* from_users,
                        const float* from_items, const float* users, const float* items, const NodeRows& rows,
                        NodeTable& to) const {
  const rec_host_t& host = context.host;
  const int64_t d = options_.emb_size;
  const auto weight = static_cast<float>(options_.layer_weights[l]);
  const bool last_layer = l == options_.n_layers - 1;
  const float* item_scale = (last_layer ? item_scale_last_ : item_scale_).data();
  const float* user_scale = (last_layer ? user_scale_last_ : user_scale_).data();
  const auto list = [&](const std::vector<int32_t>* ids) { return ids != nullptr ? ids->data() : nullptr; };
  const auto size = [&](const std::vector<int32_t>* ids) {
    return ids != nullptr ? static_cast<int64_t>(ids->size()) : 0;
  };
  host.propagate(context.call, &graph.users, graph.user_rows, item_scale, from_items, d, users, weight, to.users.data(),
                 list(rows.users), size(rows.users));
  host.propagate(context.call, &graph.items, graph.item_rows, user_scale, from_users, d, items, weight, to.items.data(),
                 list(rows.items), size(rows.items));
}

// Eq. (7)-(8): E_{l+1} = A_hat E_l,  F = sum_l w_l E_l, in Horner's form w_0 E + A_hat (w_1 E + A_hat (...)): only the
// latest layer is kept. A batch reads only its own rows of the last product, and their neighbours' of the one before.
void LightGcn::forward(const Context& context, const GraphView& graph, bool of_batch) {
  const int64_t L = options_.n_layers;
  NodeTable *to = L % 2 == 1 ? &result_ : &work_, *other = L % 2 == 1 ? &work_ : &result_;
  const float *from_users = users_.data(), *from_items = items_.data();
  for (int64_t l = L - 1; l >= 0; --l) {
    NodeRows rows;
    if (of_batch && l == 0) rows = {&loss_.users().rows(), &loss_.items().rows()};
    if (of_batch && l == 1 && few_edges_) rows = {&near_users_, &near_items_};
    multiply(context, graph, l, from_users, from_items, users_.data(), items_.data(), rows, *to);
    context.throw_if_cancelled();
    from_users = to->users.data();
    from_items = to->items.data();
    std::swap(to, other);
  }
}

// A_hat is symmetric, so the same products take dL/dF to dL/dE_0, in result_. dL/dF is zero outside the batch's rows:
// if they have few edges, the first product follows only those edges. w_l dL/dF is added to the batch's rows alone.
void LightGcn::backward(const Context& context, const GraphView& graph, const GraphView& transpose) {
  const int64_t L = options_.n_layers, d = options_.emb_size;
  const auto add = [d](const plugin::TouchedRows& rows, const plugin::Floats& gradients, float weight,
                       plugin::Floats& to) {
    for (int64_t s = 0; s < rows.size(); ++s) {
      float* row = to.data() + rows.rows()[s] * d;
      for (int64_t k = 0; k < d; ++k) row[k] += weight * gradients[s * d + k];
    }
  };
  NodeTable *to = L % 2 == 1 ? &result_ : &work_, *other = L % 2 == 1 ? &work_ : &result_;
  for (int64_t l = L - 1; l >= 0; --l) {
    if (l == L - 1 && few_edges_) {
      spread(context, graph, transpose, *to);
    } else {
      if (l == L - 1) {  // dL/dF as a whole table, in the free one
        std::fill(other->users.begin(), other->users.end(), 0.f);
        std::fill(other->items.begin(), other->items.end(), 0.f);
        add(loss_.users(), loss_.user_gradients(), 1, other->users);
        add(loss_.items(), loss_.item_gradients(), 1, other->items);
      }
      multiply(context, graph, l, other->users.data(), other->items.data(), nullptr, nullptr, {}, *to);
      const auto weight = static_cast<float>(options_.layer_weights[l]);
      add(loss_.users(), loss_.user_gradients(), weight, to->users);
      add(loss_.items(), loss_.item_gradients(), weight, to->items);
    }
    std::swap(to, other);
  }
}

// The first product of a backward pass, from the batch's rows outwards. Threads share the columns.
void LightGcn::spread(const Context& context, const GraphView& graph, const GraphView& transpose, NodeTable& to) {
  const int64_t d = options_.emb_size;
  const auto weight = static_cast<float>(options_.layer_weights[options_.n_layers - 1]);
  plugin::parallel_for(context, d, 32, [&](int64_t begin, int64_t end) {
    const auto clear = [&](plugin::Floats& table) {
      for (size_t at = 0; at < table.size(); at += d)
        std::fill(table.begin() + at + begin, table.begin() + at + end, 0.f);
    };
    const auto add = [&](float* __restrict row, float factor, const float* __restrict gradient) {
      for (int64_t k = begin; k < end; ++k) row[k] += factor * gradient[k];
    };
    const auto side = [&](const plugin::TouchedRows& touched, const plugin::Floats& gradients, const rec_csr_t& edges,
                          const std::vector<float>& scale, const float* other_scale, plugin::Floats& own,
                          plugin::Floats& others) {
      for (int64_t s = 0; s < touched.size(); ++s) {
        const int64_t row = touched.rows()[s];
        const float* gradient = gradients.data() + s * d;
        add(own.data() + row * d, weight, gradient);
        for (int64_t e = edges.offsets[row]; e < edges.offsets[row + 1]; ++e)
          add(others.data() + edges.columns[e] * d, scale[row] * other_scale[edges.columns[e]], gradient);
      }
    };
    clear(to.users);
    clear(to.items);
    side(loss_.users(), loss_.user_gradients(), transpose.users, user_scale_last_, graph.item_rows, to.users, to.items);
    side(loss_.items(), loss_.item_gradients(), transpose.items, item_scale_last_, graph.user_rows, to.items, to.users);
  });
}

// Finds the neighbours of the batch's rows, if these rows have few of the graph's edges.
void LightGcn::look_around(const GraphView& graph) {
  const auto edges_of = [](const rec_csr_t& edges, const std::vector<int32_t>& rows) {
    int64_t n = 0;
    for (int32_t row : rows) n += edges.offsets[row + 1] - edges.offsets[row];
    return n;
  };
  const std::vector<int32_t>&users = loss_.users().rows(), &items = loss_.items().rows();
  few_edges_ =
      edges_of(graph.users, users) + edges_of(graph.items, items) < graph.users.offsets[graph.users.n_rows] / 2;
  if (!few_edges_) return;
  plugin::neighbours(graph.users, users, near_items_);
  plugin::neighbours(graph.items, items, near_users_);
}

void LightGcn::propagate_all(const Context& context) {
  if (propagated_) return;
  forward(context, graph_, false);
  propagated_ = true;
}

// Eq. (15): L = loss(F_u . F_i, F_u . F_j) + reg_weight * regulariser of the rows of E_0.
double LightGcn::compute(const Context& context, const Batch& batch) {
  loss_.collect(batch);
  const bool drops = options_.edge_dropout > 0;
  if (drops) dropped_.draw(context, options_.seed, kEdgeStream, batch.raw);
  const GraphView there = drops ? dropped_.forward() : graph_, back = drops ? dropped_.backward() : graph_;
  look_around(there);
  if (drops || !propagated_) forward(context, there, true);
  propagated_ = false;
  const double loss = loss_.compute(context, batch, result_.users.data(), result_.items.data());
  backward(context, back, there);
  context.throw_if_cancelled();
  users_.use_dense(result_.users);
  items_.use_dense(result_.items);
  return loss + loss_.regularize(batch, users_.data(), items_.data(), plugin::PairwiseLoss::GradientsOf::kEveryRow,
                                 result_.users, result_.items);
}

void LightGcn::apply(const Context& context) {
  Model::apply(context);
  propagated_ = false;
}

void LightGcn::score_live(const Context& context, const Batch& batch, float* out_scores) {
  propagate_all(context);
  context.host.pair_scores(context.call, batch.users(), batch.items(), batch.n_rows(), batch.n_candidates(),
                           result_.users.data(), result_.items.data(), options_.emb_size, out_scores);
}

void LightGcn::restored() {
  Model::restored();
  propagated_ = false;
}

rec_tensor_view_t LightGcn::table(int32_t which) const {
  if (which == REC_TABLE_USER) return plugin::host_view(result_.users.data(), users_.n(), users_.d());
  return plugin::host_view(result_.items.data(), items_.n(), items_.d());
}

}  // namespace rec::lightgcn
