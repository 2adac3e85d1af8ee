#include "plugins/ans/ans.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "plugins/ans/equations.h"
#include "plugins/common/parallel.h"

namespace rec::ans {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

enum Stream : int32_t { kGateStream = 2, kNoiseStream = 16 };  // below: the two tables

Options read(const Context& context, const rec_params_t& params) {
  const rec_host_t& host = context.host;
  Options options;
  options.emb_size = host.param_int(&params, "emb_size");
  options.n_layers =
      std::string(host.param_text(&params, "backbone")) == "mf" ? 0 : host.param_int(&params, "n_layers");
  options.adj_eps = host.param_float(&params, "adj_eps");
  options.predict_mode = host.param_text(&params, "predict_mode");
  options.augment = {host.param_float(&params, "eps"), host.param_float(&params, "gamma"),
                     host.param_float(&params, "noise_scale"), host.param_float(&params, "margin_eps")};
  options.init = {host.param_text(&params, "init"), host.param_float(&params, "init_std")};
  options.optimizer = {plugin::optimizer_named(host.param_text(&params, "optimizer")), host.param_float(&params, "lr"),
                       host.param_float(&params, "l2")};
  options.regularizer = {host.param_float(&params, "reg_weight"),
                         std::string(host.param_text(&params, "reg_norm")) == "squared"};
  options.seed = host.param_int(&params, "seed");
  return options;
}

// nrm(x) = x / max(||x||, 1e-12) along the last axis.
Tensor normalized(const Tensor& x) { return x / x.norm(2, {-1}, true).clamp_min(1e-12); }

// The losses of the touched nodes' vectors, forward and backward in one pass over the batch.
class Augment : public torch::autograd::Function<Augment> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& users, const Tensor& items, const Tensor& user_gates,
                        const Tensor& item_gates, const Tensor& margin_weight, const Tensor& margin_bias,
                        const Context* context, plugin::PairwiseStep* step, const AugmentOptions* options,
                        const plugin::Floats* noise, AugmentGradients* out) {
    const int64_t B = step->users().entries().size(), H = users.size(1), d = users.size(2);
    const int64_t C = static_cast<int64_t>(step->items().entries().size()) / B;
    const AugmentInput input{B,
                             C,
                             H,
                             d,
                             step->users().slots().data(),
                             step->items().slots().data(),
                             users.data_ptr<float>(),
                             user_gates.data_ptr<float>(),
                             items.data_ptr<float>(),
                             item_gates.data_ptr<float>(),
                             margin_weight.data_ptr<float>(),
                             margin_bias.data_ptr<float>(),
                             noise->data()};
    const double loss = augment(*context, input, *options, *out).total(options->gamma);
    const auto sum = [&](const plugin::TouchedRows& rows, const plugin::Floats& entries) {
      Tensor at_nodes = at::empty({rows.size(), H, d}, users.options());
      rows.sum_entries(*context, entries.data(), H * d, at_nodes.data_ptr<float>());
      return at_nodes;
    };
    ctx->save_for_backward({sum(step->users(), out->users), sum(step->items(), out->items),
                            sum(step->users(), out->user_gates), sum(step->items(), out->item_gates),
                            plugin::view_of(out->margin_weight.data(), {1, d}).clone(),
                            at::full({1, 1}, out->margin_bias, users.options())});
    return at::full({}, loss, users.options());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    variable_list out;
    for (const Tensor& saved : ctx->get_saved_variables()) out.push_back(saved * grads[0]);
    out.resize(11);  // nothing flows to the arguments that are no tensors
    return out;
  }
};

}  // namespace

Terms augmented_losses(const Augmented& in, const AugmentOptions& options) {
  Terms out;
  const Tensor u = in.u.unsqueeze(1), p = in.p.unsqueeze(1), &n = in.n;  // [B, 1, H, d] beside [B, K, H, d]
  const auto dot = [](const Tensor& a, const Tensor& b) { return (a * b).sum(-1); };

  // g = sigmoid(Lin_item_gate(n) * Lin_user_gate(u)): the gate of the negative is applied to the positive too.
  out.gate = at::sigmoid(in.item_gate * in.user_gate.unsqueeze(1));
  out.n_hard = n * out.gate;
  out.n_easy = n - out.n_hard;
  const Tensor p_hard = p * out.gate, p_easy = p - p_hard;

  // m = sigmoid(1 / Lin_margin(n_hard * p_hard)); a floor keeps 0 times infinity out of its gradient.
  const Tensor x = (out.n_hard * p_hard * in.margin_weight).sum(-1, true) + in.margin_bias;
  const Tensor side = (x >= 0).to(x.scalar_type()) * 2 - 1;
  out.margin = at::sigmoid(1 / (side * (side * x).clamp_min(std::max(options.margin_eps, 1e-12))));

  // delta = sign(p_easy - n_easy) * nrm(noise) * m * c,  n_syn = n_hard + (n_easy + delta)
  const Tensor direction = at::sign(p_easy - out.n_easy).detach() * normalized(in.noise);
  out.n_syn = out.n_hard + (out.n_easy + direction * out.margin * options.noise_scale);

  // k* = argmax_k [ u . n_syn + eps * (u . n_syn - u . n) ], per hop.
  const Tensor s_syn = dot(u, out.n_syn), s_n = dot(u, n);  // [B, K, H]
  out.selected = (s_syn + options.eps * (s_syn - s_n)).detach().argmax(1);
  const Tensor chosen = s_syn.gather(1, out.selected.unsqueeze(1)).squeeze(1);

  // L_bpr = mean_b -ln(1e-10 + sigmoid(S+ - S-)), both summed over hops.
  const Tensor difference = (dot(in.u, in.p) - chosen).sum(-1);
  out.bpr = -at::log(1e-10 + at::sigmoid(difference)).mean();

  // L_con = mean_{b,h} ln(1 + sum_k exp(u . n_easy - u . n_hard))
  const Tensor split = dot(u, out.n_easy) - dot(u, out.n_hard);
  const Tensor highest = split.detach().amax(1, true).clamp_min(0);
  out.contrast = (highest + at::log(at::exp(-highest) + at::exp(split - highest).sum(1, true))).mean();

  // L_dis = mean_{b,k,h} ||n_hard - p_hard + 1e-6||,  L_orth = mean_{b,k} sum_h ||p_easy * n_easy||
  out.distance = (out.n_hard - p_hard + 1e-6).norm(2, {-1}).mean();
  out.orth = (p_easy * out.n_easy).norm(2, {-1}).sum(-1).mean();
  return out;
}

void Ans::plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan) {
  const Options options = read(context, params);
  plan.rows = REC_PLAN_INTERACTIONS;
  plan.negatives = REC_NEGATIVES_SAMPLED;
  plan.wants_graph = options.n_layers > 0;
  plan.capabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC |
                      REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS;
  const int64_t H = options.n_layers + 1, d = options.emb_size;
  const int64_t entries = plugin::largest_batch(context, params, schema, {}).entries;
  plan.memory_bytes = 4 * d * ((schema.n_users + schema.n_items) * (4 + 4 * H) + entries * 6 * H) +
                      plugin::weight_bytes(schema) * 2 * d * (d + 1);
  plan.columns[plan.n_columns++] = REC_COLUMN_USER;
  plan.columns[plan.n_columns++] = REC_COLUMN_ITEM;
}

Ans::Ans(const Context& context, const rec_params_t& params, const rec_schema_t& schema)
    : Ans(read(context, params), schema) {}

Ans::Ans(const Options& options, const rec_schema_t& schema)
    : TwoTables(schema, options.emb_size, options.optimizer, options.init),
      options_(options),
      dense_(options.optimizer),
      user_gate_(dense_.add_linear("user_gate", options.emb_size, options.emb_size)),
      item_gate_(dense_.add_linear("item_gate", options.emb_size, options.emb_size)),
      margin_(dense_.add_linear("margin_model", options.emb_size, 1)),
      step_(schema.n_users, schema.n_items, options.emb_size, {}, options.regularizer) {}

void Ans::initialize(const Context& context, int64_t seed) {
  TwoTables::initialize(context, seed);
  for (size_t layer : {user_gate_, item_gate_, margin_})
    dense_.initialize_linear(context, seed, kGateStream + static_cast<int32_t>(layer), layer);
  served_ = false;
}

void Ans::bind(const Context&, const rec_dataset_view_t& view) {
  if (options_.n_layers > 0) graph_.bind(view, options_.adj_eps);
  served_ = false;
}

// Noise of row r of the epoch, [K, H, d]: keyed by r, so the same for any batch size and number of threads.
void Ans::draw_noise(const Context& context, const Batch& batch) {
  const int64_t width = (batch.n_candidates() - 1) * n_hops() * options_.emb_size;
  noise_.resize(static_cast<size_t>(batch.n_rows() * width));
  plugin::parallel_for(context, batch.n_rows(), 8, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      context.host.random_uniform(options_.seed, kNoiseStream, batch.raw.epoch, batch.raw.first_row + b, 0, 1,
                                  noise_.data() + b * width, width);
  });
}

// L = L_bpr + gamma (L_con + L_dis + L_orth) + reg_weight L_reg
double Ans::compute(const Context& context, const Batch& batch) {
  plugin::use_one_thread();
  step_.collect(batch);
  draw_noise(context, batch);

  std::vector<Tensor> inputs = plugin::leaves(dense_);
  Tensor users, items;  // [touched, H, d]
  if (options_.n_layers == 0) {
    users_.catch_up(context, step_.users().rows().data(), step_.users().size());
    items_.catch_up(context, step_.items().rows().data(), step_.items().size());
    inputs.push_back(plugin::leaf_rows(users_, step_.users().rows()));
    inputs.push_back(plugin::leaf_rows(items_, step_.items().rows()));
    users = inputs[inputs.size() - 2].unsqueeze(1);
    items = inputs.back().unsqueeze(1);
  } else {
    inputs.push_back(plugin::leaf(users_));
    inputs.push_back(plugin::leaf(items_));
    std::tie(users, items) = plugin::propagate_hops(context, graph_, inputs[inputs.size() - 2], inputs.back(),
                                                    options_.n_layers, step_.users().rows(), step_.items().rows());
  }
  const Tensor user_gates = at::linear(users, inputs[user_gate_], inputs[user_gate_ + 1].squeeze(0));
  const Tensor item_gates = at::linear(items, inputs[item_gate_], inputs[item_gate_ + 1].squeeze(0));
  const Tensor loss = Augment::apply(users, items, user_gates, item_gates, inputs[margin_], inputs[margin_ + 1],
                                     &context, &step_, &options_.augment, &noise_, &augmented_);

  const std::vector<Tensor> gradients = plugin::gradients_of(context, loss, inputs);
  for (size_t i = 0; i < dense_.size(); ++i) plugin::keep(gradients[i], dense_[i]);
  plugin::keep(gradients[dense_.size()], user_gradients_);
  plugin::keep(gradients[dense_.size() + 1], item_gradients_);

  // L_reg = EmbLoss of the batch's rows of E_0, whose gradient is a multiple of each row.
  const double penalty = step_.regularize(batch, users_.data(), items_.data());
  const bool touched_only = options_.n_layers == 0;
  const auto add = [&](const plugin::TouchedRows& rows, const std::vector<float>& coefficients,
                       const plugin::Embedding& table, plugin::Floats& to) {
    for (int64_t s = 0; s < rows.size(); ++s) {
      const int64_t row = rows.rows()[static_cast<size_t>(s)];
      float* out = to.data() + (touched_only ? s : row) * table.d();
      for (int64_t k = 0; k < table.d(); ++k) out[k] += coefficients[static_cast<size_t>(s)] * table.row(row)[k];
    }
  };
  add(step_.users(), step_.user_coefficients, users_, user_gradients_);
  add(step_.items(), step_.item_coefficients, items_, item_gradients_);
  return loss.item<double>() + penalty;
}

void Ans::apply(const Context& context) {
  if (options_.n_layers == 0) {
    users_.step(context, step_.users().rows().data(), step_.users().size(), user_gradients_.data());
    items_.step(context, step_.items().rows().data(), step_.items().size(), item_gradients_.data());
  } else {
    users_.step(context, nullptr, users_.n(), user_gradients_.data());
    items_.step(context, nullptr, items_.n(), item_gradients_.data());
  }
  dense_.step(context);
  served_ = false;
}

std::vector<plugin::TensorRef> Ans::tensors() {
  std::vector<plugin::TensorRef> out = TwoTables::tensors();
  dense_.append_tensors(out);
  return out;
}

void Ans::restored() {
  TwoTables::restored();
  dense_.restored();
  served_ = false;
}

int64_t Ans::served_width() const {
  return options_.predict_mode == "hop_sum" ? n_hops() * options_.emb_size : options_.emb_size;
}

// hop_sum: sum_h u_h . i_h, the score that is trained, as one product of concatenated hops. ego: hop 0 alone. mean:
// LightGCN's read-out.
void Ans::serve(const Context& context) {
  if (served_) return;
  plugin::use_one_thread();
  const at::NoGradGuard no_grad;
  settle(context);
  const Tensor users = plugin::view_of(users_.data(), {users_.n(), users_.d()});
  const Tensor items = plugin::view_of(items_.data(), {items_.n(), items_.d()});
  const int64_t L = options_.predict_mode == "ego" ? 0 : options_.n_layers;
  const auto every = [](int64_t n) {
    std::vector<int32_t> rows(static_cast<size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  };
  const std::vector<int32_t> every_user = every(users_.n()), every_item = every(items_.n());
  const auto [U, I] = plugin::propagate_hops(context, graph_, users, items, L, every_user, every_item);
  plugin::keep(options_.predict_mode == "mean" ? U.mean(1) : U, served_users_);
  plugin::keep(options_.predict_mode == "mean" ? I.mean(1) : I, served_items_);
  served_ = true;
}

void Ans::freeze(const Context& context) { serve(context); }

void Ans::score_live(const Context& context, const Batch& batch, float* out_scores) {
  serve(context);
  context.host.pair_scores(context.call, batch.users(), batch.items(), batch.n_rows(), batch.n_candidates(),
                           served_users_.data(), served_items_.data(), served_width(), out_scores);
}

rec_tensor_view_t Ans::gradients(int64_t i) {
  const std::string name = tensors().at(static_cast<size_t>(i)).name;
  if (plugin::Parameter* parameter = dense_.named(name)) return parameter->gradient_view();
  const bool of_users = parameter_at(i) == TensorOf::kUsers;
  const plugin::Embedding& table = of_users ? users_ : items_;
  const plugin::Floats& gradients = of_users ? user_gradients_ : item_gradients_;
  if (options_.n_layers > 0) return plugin::host_view(gradients.data(), REC_DTYPE_F32, table.n(), table.d());
  const plugin::TouchedRows& rows = of_users ? step_.users() : step_.items();
  dense_view_.assign(static_cast<size_t>(table.n() * table.d()), 0.f);
  for (int64_t s = 0; s < rows.size(); ++s)
    std::copy_n(gradients.data() + s * table.d(), table.d(),
                dense_view_.data() + rows.rows()[static_cast<size_t>(s)] * table.d());
  return plugin::host_view(dense_view_.data(), REC_DTYPE_F32, table.n(), table.d());
}

rec_tensor_view_t Ans::table(int32_t which) const {
  const bool of_users = which == REC_TABLE_USER;
  return plugin::host_view((of_users ? served_users_ : served_items_).data(), REC_DTYPE_F32,
                           (of_users ? users_ : items_).n(), served_width());
}

}  // namespace rec::ans
