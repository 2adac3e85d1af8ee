#include "plugins/two_tower/two_tower.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/two_tower/equations.h"

namespace rec::two_tower {

namespace {

enum Stream : int32_t { kUserStream = 0, kItemStream = 1, kTowerStream = 2 };

TowerShape shape_of(const Context& context, const rec_params_t& params, const char* tower) {
  const rec_host_t& host = context.host;
  return {std::string(host.param_text(&params, tower)) == "dcn" ? TowerKind::kDcn : TowerKind::kMlp,
          host.param_int(&params, "id_dim"),
          host.param_int(&params, "h1"),
          host.param_int(&params, "h2"),
          host.param_int(&params, "out_dim"),
          host.param_int(&params, "cross_layers"),
          std::string(host.param_text(&params, "cross_type")) == "matrix" ? CrossType::kMatrix : CrossType::kVector};
}

Options read(const Context& context, const rec_params_t& params, const rec_schema_t& schema) {
  const rec_host_t& host = context.host;
  Options options;
  options.query = shape_of(context, params, "query_tower");
  options.item = shape_of(context, params, "item_tower");
  options.temperature = host.param_float(&params, "temperature");
  options.num_hard_negatives = host.param_int(&params, "num_hard_negatives");
  options.correction = host.param_bool(&params, "correction");
  options.sum = std::string(host.param_text(&params, "reduction")) == "sum";
  options.frequency.alpha = host.param_float(&params, "alpha");
  options.frequency.b_init = host.param_float(&params, "b_init");
  options.frequency.dedup = host.param_bool(&params, "dedup");
  options.frequency.n_slots = host.param_int(&params, "n_slots");
  options.optimizer = {plugin::optimizer_named(host.param_text(&params, "optimizer")), host.param_float(&params, "lr"),
                       host.param_float(&params, "l2")};
  // Fixed odd multipliers: which items collide must not depend on the seed of a run that is resumed.
  const int64_t n_slots = options.frequency.n_slots;
  if (n_slots > 0 && n_slots < schema.n_items)
    for (int64_t k = 0; k < host.param_int(&params, "n_hash"); ++k)
      options.frequency.hashes.emplace_back(40503 + 2654 * k, 12345 + 977 * k);
  return options;
}

// nrm(x) = x / max(||x||, 1e-12) along the last axis.
Tensor normalized(const Tensor& x) { return x / x.norm(2, {-1}, true).clamp_min(1e-12); }

// x W^T + b
Tensor linear(const std::vector<Tensor>& parameters, size_t weight, const Tensor& x) {
  return at::linear(x, parameters[weight], parameters[weight + 1].squeeze(0));
}

// Every row of a table through its tower, a block at a time.
void encode_all(const Context& context, const Tower& tower, const std::vector<Tensor>& parameters,
                const plugin::Embedding& table, plugin::Floats& out) {
  constexpr int64_t kBlock = 4096;
  const Tensor rows = plugin::view_of(table.data(), {table.n(), table.d()});
  out.resize(static_cast<size_t>(table.n() * tower.shape().out));
  for (int64_t first = 0; first < table.n(); first += kBlock) {
    if (context.host.should_stop(context.call)) throw plugin::Failure{REC_CANCELLED, "cancelled by the caller"};
    const Tensor block = two_tower::encode(tower, parameters, rows.narrow(0, first, std::min(kBlock, table.n() - first)));
    std::copy_n(block.data_ptr<float>(), block.numel(), out.data() + first * tower.shape().out);
  }
}

}  // namespace

// mlp: x -> ReLU(Lin_0) -> ReLU(Lin_1) -> Lin_out -> nrm.   dcn: the same deep part beside x_L of the cross layers,
// x_{l+1} = x_0 (x_l . w_l) + b_l + x_l (vector) or x_0 * (W_l x_l + b_l) + x_l (matrix).
Tensor encode(const Tower& tower, const std::vector<Tensor>& parameters, const Tensor& x) {
  const std::vector<size_t>& layers = tower.linear();
  Tensor deep = at::relu(linear(parameters, layers[1], at::relu(linear(parameters, layers[0], x))));
  if (tower.shape().kind == TowerKind::kDcn) {
    Tensor crossed = x;
    for (size_t weight : tower.cross()) {
      const Tensor &w = parameters[weight], &b = parameters[weight + 1];
      if (tower.shape().cross == CrossType::kMatrix) {
        crossed = x * linear(parameters, weight, crossed) + crossed;
      } else {
        crossed = x * (crossed * w).sum(-1, true) + b + crossed;
      }
    }
    deep = at::cat({crossed, deep}, -1);
  }
  return normalized(linear(parameters, layers[2], deep));
}

// H = ReLU(S (X W_0^T) + b_0),  V = nrm(S (H W_1^T) + b_1)
Tensor encode_graph(const Tower& tower, const std::vector<Tensor>& parameters, const Tensor& x, const Tensor& S) {
  const auto layer = [&](size_t weight, const Tensor& h) {
    return S.mm(h.mm(parameters[weight].t())) + parameters[weight + 1];
  };
  return normalized(layer(tower.linear()[1], at::relu(layer(tower.linear()[0], x))));
}

// s_ij = q_i . v_j / tau,  c_ij = s_ij - ln p_j in every column, the positive's included;  c_ij = -inf where j != i holds
// the item of i, then where column j is not among the n largest of its row;  L = -(1/B) sum_i r_i ln softmax_j(c_i)[i].
Tensor batch_softmax_loss(const Tensor& q, const Tensor& v, const Tensor& items, const Tensor& log_p,
                          const Tensor& reward, const LossOptions& options) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const int64_t B = q.size(0);
  const Tensor place = at::arange(B, items.options());
  const Tensor diagonal = place.unsqueeze(0) == place.unsqueeze(1);
  Tensor c = q.mm(v.t()) / options.temperature;
  if (log_p.defined()) c = c - log_p.unsqueeze(0);
  if (options.mask_accidental)
    c = c.masked_fill((items.unsqueeze(0) == items.unsqueeze(1)).logical_and(diagonal.logical_not()), kNever);
  if (const int64_t n = std::min(options.num_hard_negatives, B - 1); options.num_hard_negatives > 0) {
    const Tensor others = c.detach().masked_fill(diagonal, kNever);
    const Tensor order = std::get<1>(others.sort(c10::optional<bool>(true), 1, true));  // equal values: first index
    const Tensor kept = diagonal.scatter(1, order.narrow(1, 0, n), true);
    c = c.masked_fill(kept.logical_not(), kNever);
  }
  Tensor row = -c.log_softmax(1).diagonal();
  if (reward.defined()) row = row * reward;
  return options.sum ? row.sum() : row.mean();
}

void TwoTower::plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan) {
  const Options options = read(context, params, schema);
  plan.rows = REC_PLAN_INTERACTIONS;
  plan.negatives = REC_NEGATIVES_NONE;
  plan.capabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC;
  const int64_t B = context.host.param_int(&params, "batch_size");
  plan.memory_bytes = (schema.n_users + schema.n_items) * (16 * options.query.input + 4 * options.query.out + 20) +
                      4 * B * (4 * B + 4 * (options.query.h1 + options.query.h2));
  plan.columns[plan.n_columns++] = REC_COLUMN_USER;
  plan.columns[plan.n_columns++] = REC_COLUMN_ITEM;
}

TwoTower::TwoTower(const Context& context, const rec_params_t& params, const rec_schema_t& schema)
    : TwoTower(read(context, params, schema), schema) {}

TwoTower::TwoTower(const Options& options, const rec_schema_t& schema)
    : options_(options),
      user_ids_(schema.n_users, options.query.input, options.optimizer),
      item_ids_(schema.n_items, options.item.input, options.optimizer),
      user_state_(plugin::Embedding::state_names("query.id_emb")),
      item_state_(plugin::Embedding::state_names("item.id_emb")),
      dense_(options.optimizer),
      query_(dense_, "query", options.query),
      item_(dense_, "item", options.item),
      frequency_(options.frequency, schema.n_items),
      users_(schema.n_users),
      items_(schema.n_items) {}

void TwoTower::initialize(const Context& context, int64_t seed) {
  user_ids_.initialize_normal(context, seed, kUserStream, 0.01f);
  item_ids_.initialize_normal(context, seed, kItemStream, 0.01f);
  query_.initialize(dense_, context, seed, kTowerStream);
  item_.initialize(dense_, context, seed, kTowerStream);
}

double TwoTower::compute(const Context& context, const Batch& batch) {
  plugin::use_one_thread();
  users_.collect(batch.users(), batch.n_rows());
  items_.collect(batch.items(), batch.n_rows());
  user_ids_.catch_up(context, users_.rows().data(), users_.size());
  item_ids_.catch_up(context, items_.rows().data(), items_.size());
  std::vector<Tensor> inputs = plugin::leaves(dense_);
  inputs.push_back(plugin::leaf_rows(user_ids_, users_.rows()));
  inputs.push_back(plugin::leaf_rows(item_ids_, items_.rows()));
  // Each distinct user and item goes through its tower once.
  const Tensor q = two_tower::encode(query_, inputs, inputs[dense_.size()]).index_select(0, plugin::indices_of(users_.slots()));
  const Tensor v = two_tower::encode(item_, inputs, inputs[dense_.size() + 1]).index_select(0, plugin::indices_of(items_.slots()));

  Tensor log_p;
  if (options_.correction) {
    std::vector<double> p(static_cast<size_t>(batch.n_rows()));
    frequency_.observe(batch.items(), batch.n_rows(), p.data());
    log_p = at::empty({batch.n_rows()}, q.options());
    std::transform(p.begin(), p.end(), log_p.data_ptr<float>(),
                   [](double x) { return static_cast<float>(std::log(x)); });
  }
  const Tensor loss = batch_softmax_loss(q, v, plugin::indices_of(items_.slots()), log_p, Tensor(),
                                         {options_.temperature, true, options_.num_hard_negatives, options_.sum});
  const std::vector<Tensor> gradients = plugin::gradients_of(context, loss, inputs);
  for (size_t i = 0; i < dense_.size(); ++i) plugin::keep(gradients[i], dense_[i].gradient);
  plugin::keep(gradients[dense_.size()], user_gradients_);
  plugin::keep(gradients[dense_.size() + 1], item_gradients_);
  return loss.item<double>();
}

void TwoTower::apply(const Context& context) {
  user_ids_.step(context, users_.rows().data(), users_.size(), user_gradients_.data());
  item_ids_.step(context, items_.rows().data(), items_.size(), item_gradients_.data());
  dense_.step(context);
  if (options_.correction) frequency_.commit();
}

std::vector<plugin::TensorRef> TwoTower::tensors() {
  std::vector<plugin::TensorRef> out;
  user_ids_.append_tensors(out, "query.id_emb", user_state_);
  item_ids_.append_tensors(out, "item.id_emb", item_state_);
  dense_.append_tensors(out);
  if (options_.correction) frequency_.append_tensors(out);
  return out;
}

void TwoTower::settle(const Context& context) {
  user_ids_.catch_up_all(context);
  item_ids_.catch_up_all(context);
}

void TwoTower::restored() {
  user_ids_.restored();
  item_ids_.restored();
  dense_.restored();
}

// Cosine of the towers' vectors: no temperature, no correction.
void TwoTower::freeze(const Context& context) {
  plugin::use_one_thread();
  const at::NoGradGuard no_grad;
  const std::vector<Tensor> parameters = plugin::leaves(dense_);
  encode_all(context, query_, parameters, user_ids_, served_users_);
  encode_all(context, item_, parameters, item_ids_, served_items_);
}

rec_tensor_view_t TwoTower::table(int32_t which) const {
  const bool of_users = which == REC_TABLE_USER;
  return plugin::host_view((of_users ? served_users_ : served_items_).data(), REC_DTYPE_F32,
                           (of_users ? user_ids_ : item_ids_).n(), options_.query.out);
}

}  // namespace rec::two_tower
