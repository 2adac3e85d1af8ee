#include "plugins/two_tower/two_tower.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/two_tower/equations.h"

namespace rec::two_tower {

namespace {

enum Stream : int32_t { kUserStream = 0, kItemStream = 1, kTowerStream = 2 };

TowerShape shape_of(const Context& context, const rec_params_t& params, const char* tower, int64_t input) {
  const rec_host_t& host = context.host;
  const std::string kind = host.param_text(&params, tower);
  return {kind == "gcn"   ? TowerKind::kGcn
          : kind == "dcn" ? TowerKind::kDcn
                          : TowerKind::kMlp,
          input,
          host.param_int(&params, "h1"),
          host.param_int(&params, "h2"),
          host.param_int(&params, "out_dim"),
          host.param_int(&params, "cross_layers"),
          std::string(host.param_text(&params, "cross_type")) == "matrix" ? CrossType::kMatrix : CrossType::kVector};
}

// What enters the tower of one side, by PARAM "user" or "item".
InputShape inputs_of(const Context& context, const rec_params_t& params, const std::string& side,
                     const rec_feature_t* features, int64_t n_features) {
  const rec_host_t& host = context.host;
  const std::string wanted = host.param_text(&params, (side + "_features").c_str());
  InputShape shape{host.param_bool(&params, (side + "_id").c_str()), host.param_int(&params, "id_dim"),
                   host.param_int(&params, "cat_dim")};
  if (wanted == "true" && n_features == 0)
    throw plugin::Failure{REC_UNSUPPORTED, side + "_features: true needs a data set with features of each " + side +
                                               ", and this one has none; use auto or false"};
  for (int64_t f = 0; f < n_features && wanted != "false"; ++f) {
    shape.n_dense += features[f].width;
    if (features[f].kind == REC_FEATURE_CATEGORICAL) shape.vocabularies.push_back(features[f].vocabulary);
  }
  if (shape.width() == 0)
    throw plugin::Failure{REC_UNSUPPORTED,
                          side + "_id: false leaves the tower nothing to look at, as no features of each " + side +
                              " are there or wanted; use true"};
  return shape;
}

// The relation that the graph convolutions walk.
int64_t find_graph(const rec_schema_t& schema) {
  for (int64_t r = 0; r < schema.n_relations && schema.relation_names != nullptr; ++r)
    if (std::string(schema.relation_names[r]) == "item_adj") return r;
  throw plugin::Failure{REC_UNSUPPORTED,
                        "item_tower: gcn needs a relation 'item_adj' between items, and the data set has none"};
}

Options read(const Context& context, const rec_params_t& params, const rec_schema_t& schema) {
  const rec_host_t& host = context.host;
  Options options;
  options.user_input = inputs_of(context, params, "user", schema.user_features, schema.n_user_features);
  options.item_input = inputs_of(context, params, "item", schema.item_features, schema.n_item_features);
  options.query = shape_of(context, params, "query_tower", options.user_input.width());
  options.item = shape_of(context, params, "item_tower", options.item_input.width());
  if (options.item.kind == TowerKind::kGcn) options.graph = find_graph(schema);
  options.temperature = host.param_float(&params, "temperature");
  options.num_hard_negatives = host.param_int(&params, "num_hard_negatives");
  options.correction = host.param_bool(&params, "correction");
  options.sum = std::string(host.param_text(&params, "reduction")) == "sum";
  options.rewarded = std::string(host.param_text(&params, "reward")) == "weight";
  if (options.rewarded && schema.has_weights == 0)
    throw plugin::Failure{REC_UNSUPPORTED,
                          "reward: weight needs weights of the interactions, and the data set has none; use one"};
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

// The rows of a side's id embeddings as a leaf, with the steps they missed; rows nullptr = all. Undefined without ids.
Tensor id_leaf(const Context& context, Inputs& inputs, const plugin::TouchedRows* rows) {
  plugin::Embedding* ids = inputs.ids();
  if (ids == nullptr) return {};
  if (rows == nullptr) {
    ids->catch_up_all(context);
    return plugin::leaf(*ids);
  }
  ids->catch_up(context, rows->rows().data(), rows->size());
  return plugin::leaf_rows(*ids, rows->rows());
}

void step_ids(const Context& context, Inputs& inputs, const plugin::TouchedRows* rows,
              const plugin::Floats& gradients) {
  if (inputs.ids() == nullptr) return;
  if (rows == nullptr)
    inputs.ids()->step(context, nullptr, inputs.n(), gradients.data());
  else
    inputs.ids()->step(context, rows->rows().data(), rows->size(), gradients.data());
}

// Every user or item through its tower, a block at a time.
void encode_all(const Context& context, const Tower& tower, const std::vector<Tensor>& parameters, const Inputs& inputs,
                plugin::Floats& out) {
  constexpr int64_t kBlock = 4096;
  out.resize(static_cast<size_t>(inputs.n() * tower.shape().out));
  for (int64_t first = 0; first < inputs.n(); first += kBlock) {
    if (context.host.should_stop(context.call)) throw plugin::Failure{REC_CANCELLED, "cancelled by the caller"};
    const int64_t n = std::min(kBlock, inputs.n() - first);
    Tensor ids;
    if (inputs.ids() != nullptr) ids = plugin::view_of(inputs.ids()->row(first), {n, inputs.ids()->d()});
    const Tensor x = input_rows(inputs, parameters, ids, at::arange(first, first + n, at::kLong));
    const Tensor block = two_tower::encode(tower, parameters, x).contiguous();
    std::copy_n(block.data_ptr<float>(), block.numel(), out.data() + first * tower.shape().out);
  }
}

// A loss times a negative reward has no lower bound: training would only push it down.
void check_rewards(const Batch& batch) {
  const float* const weights = batch.weights();
  const float* const bad = std::find_if(weights, weights + batch.n_rows(), [](float weight) { return weight < 0; });
  if (bad != weights + batch.n_rows())
    throw plugin::Failure{REC_INVALID_DATA, "reward: weight needs weights of at least 0, got " + std::to_string(*bad)};
}

}  // namespace

struct TwoTower::ItemGraph {
  Tensor S;
};

// x = [feats ; id_emb ; cat_emb.0 ; cat_emb.1 ...]
Tensor input_rows(const Inputs& inputs, const std::vector<Tensor>& parameters, const Tensor& id_rows,
                  const Tensor& rows) {
  const auto chosen = [&](const Tensor& table) { return rows.defined() ? table.index_select(0, rows) : table; };
  if (inputs.dense().empty() != (inputs.shape().n_dense == 0) ||
      inputs.categorical().size() != inputs.shape().vocabularies.size())
    throw plugin::Failure{REC_BAD_STATE, "the model looks at features, and no data set is bound"};
  std::vector<Tensor> parts;
  for (const rec_feature_t& feature : inputs.dense())
    parts.push_back(chosen(plugin::view_of(feature.dense, {inputs.n(), feature.width})));
  if (id_rows.defined()) parts.push_back(id_rows);
  for (size_t c = 0; c < inputs.categorical().size(); ++c) {
    const Tensor values = at::from_blob(const_cast<int32_t*>(inputs.categorical()[c].values), {inputs.n()}, at::kInt);
    parts.push_back(parameters[inputs.tables()[c]].index_select(0, chosen(values)));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

// S_ij = 1 / sqrt(d_i d_j) where j is i or its neighbour; d counts both.
Tensor normalized_graph(const rec_csr_t& relation) {
  const int64_t n = relation.n_rows;
  std::vector<int64_t> heads, tails;
  std::vector<double> degree(static_cast<size_t>(n), 1);
  for (int64_t i = 0; i < n; ++i) {
    heads.push_back(i);
    tails.push_back(i);
    for (int64_t e = relation.offsets[i]; e < relation.offsets[i + 1]; ++e) {
      if (relation.columns[e] == i) continue;
      heads.push_back(i);
      tails.push_back(relation.columns[e]);
      ++degree[static_cast<size_t>(i)];
    }
  }
  const auto nnz = static_cast<int64_t>(heads.size());
  const Tensor at_cells = at::empty({2, nnz}, at::kLong), values = at::empty({nnz}, at::kFloat);
  std::copy(heads.begin(), heads.end(), at_cells.data_ptr<int64_t>());
  std::copy(tails.begin(), tails.end(), at_cells.data_ptr<int64_t>() + nnz);
  for (size_t e = 0; e < heads.size(); ++e)
    values.data_ptr<float>()[e] = static_cast<float>(
        1 / std::sqrt(degree[static_cast<size_t>(heads[e])] * degree[static_cast<size_t>(tails[e])]));
  return at::sparse_coo_tensor(at_cells, values, {n, n}).coalesce();
}

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
  if (context.host.param_int(&params, "batch_size") < 2 && schema.n_interactions > 0)
    throw plugin::Failure{REC_INVALID_ARGUMENT,
                          "batch_size: must be >= 2 where the other rows of a batch are the negatives, got 1"};
  const int64_t B = plugin::largest_batch(context, params, schema, {}).rows;
  const auto table_bytes = [&](const InputShape& shape, int64_t n) {
    int64_t n_categories = 0;
    for (int64_t vocabulary : shape.vocabularies) n_categories += vocabulary;
    return n * (16 * (shape.ids ? shape.id_dim : 0) + 4 * options.query.out + 20) + 20 * n_categories * shape.cat_dim;
  };
  plan.memory_bytes =
      table_bytes(options.user_input, schema.n_users) + table_bytes(options.item_input, schema.n_items) +
      plugin::weight_bytes(schema) * (Tower::n_weights(options.query) + Tower::n_weights(options.item)) +
      4 * B * (4 * B + 4 * (options.query.h1 + options.query.h2));
  if (options.graph >= 0) {
    plan.wants_relations = 1;
    plan.memory_bytes += 8 * schema.n_items * (options.item.input + 3 * options.item.h1 + 3 * options.item.out);
  }
  const auto looks_at_features = [](const InputShape& shape) {
    return shape.n_dense > 0 || !shape.vocabularies.empty();
  };
  plan.wants_features = looks_at_features(options.user_input) || looks_at_features(options.item_input);
  plan.columns[plan.n_columns++] = REC_COLUMN_USER;
  plan.columns[plan.n_columns++] = REC_COLUMN_ITEM;
  if (options.rewarded) plan.columns[plan.n_columns++] = REC_COLUMN_WEIGHT;
}

TwoTower::TwoTower(const Context& context, const rec_params_t& params, const rec_schema_t& schema)
    : TwoTower(read(context, params, schema), schema) {}

TwoTower::TwoTower(const Options& options, const rec_schema_t& schema)
    : options_(options),
      dense_(options.optimizer),
      query_(dense_, "query", options.query),
      item_(dense_, "item", options.item),
      user_input_(dense_, "query", options.user_input, schema.n_users, options.optimizer),
      item_input_(dense_, "item", options.item_input, schema.n_items, options.optimizer),
      frequency_(options.frequency, schema.n_items),
      users_(schema.n_users),
      items_(schema.n_items) {}

void TwoTower::initialize(const Context& context, int64_t seed) {
  user_input_.initialize(dense_, context, seed, kUserStream, kTowerStream);
  item_input_.initialize(dense_, context, seed, kItemStream, kTowerStream);
  query_.initialize(dense_, context, seed, kTowerStream);
  item_.initialize(dense_, context, seed, kTowerStream);
}

void TwoTower::bind(const Context&, const rec_dataset_view_t& view) {
  user_input_.bind(view.user_features, view.n_user_features);
  item_input_.bind(view.item_features, view.n_item_features);
  if (options_.graph < 0) return;
  if (options_.graph >= view.n_relations)
    throw plugin::Failure{REC_INVALID_ARGUMENT, "the relations are not those of the schema"};
  graph_ = std::make_shared<const ItemGraph>(ItemGraph{normalized_graph(view.relations[options_.graph])});
}

const TwoTower::ItemGraph& TwoTower::item_graph() const {
  if (graph_ == nullptr) throw plugin::Failure{REC_BAD_STATE, "the model looks at a graph, and no data set is bound"};
  return *graph_;
}

double TwoTower::compute(const Context& context, const Batch& batch) {
  plugin::use_one_thread();
  if (options_.rewarded) check_rewards(batch);
  users_.collect(batch.users(), batch.n_rows());
  items_.collect(batch.items(), batch.n_rows());
  const bool by_graph = options_.graph >= 0;
  const Tensor user_ids = id_leaf(context, user_input_, &users_);
  const Tensor item_ids = id_leaf(context, item_input_, by_graph ? nullptr : &items_);
  std::vector<Tensor> inputs = plugin::leaves(dense_);
  for (const Tensor& ids : {user_ids, item_ids})
    if (ids.defined()) inputs.push_back(ids);
  // Each distinct user and item goes through its tower once; a graph takes all items through together.
  const Tensor user_rows = plugin::indices_of(users_.rows()), item_rows = plugin::indices_of(items_.rows());
  Tensor q = two_tower::encode(query_, inputs, input_rows(user_input_, inputs, user_ids, user_rows));
  Tensor v = by_graph ? encode_graph(item_, inputs, input_rows(item_input_, inputs, item_ids, {}), item_graph().S)
                            .index_select(0, item_rows)
                      : two_tower::encode(item_, inputs, input_rows(item_input_, inputs, item_ids, item_rows));
  q = q.index_select(0, plugin::indices_of(users_.slots()));
  v = v.index_select(0, plugin::indices_of(items_.slots()));

  Tensor log_p;
  if (options_.correction) {
    std::vector<double> p(static_cast<size_t>(batch.n_rows()));
    frequency_.observe(batch.items(), batch.n_rows(), p.data());
    log_p = at::empty({batch.n_rows()}, q.options());
    std::transform(p.begin(), p.end(), log_p.data_ptr<float>(),
                   [](double x) { return static_cast<float>(std::log(x)); });
  }
  const Tensor reward = options_.rewarded ? plugin::view_of(batch.weights(), {batch.n_rows()}) : Tensor();
  const Tensor loss = batch_softmax_loss(q, v, plugin::indices_of(items_.slots()), log_p, reward,
                                         {options_.temperature, true, options_.num_hard_negatives, options_.sum});
  const std::vector<Tensor> gradients = plugin::gradients_of(context, loss, inputs);
  for (size_t i = 0; i < dense_.size(); ++i) plugin::keep(gradients[i], dense_[i]);
  size_t next = dense_.size();
  if (user_ids.defined()) plugin::keep(gradients[next++], user_gradients_);
  if (item_ids.defined()) plugin::keep(gradients[next], item_gradients_);
  return loss.item<double>();
}

void TwoTower::apply(const Context& context) {
  step_ids(context, user_input_, &users_, user_gradients_);
  step_ids(context, item_input_, options_.graph >= 0 ? nullptr : &items_, item_gradients_);
  dense_.step(context);
  if (options_.correction) frequency_.commit();
}

std::vector<plugin::TensorRef> TwoTower::tensors() {
  std::vector<plugin::TensorRef> out;
  user_input_.append_tensors(out);
  item_input_.append_tensors(out);
  dense_.append_tensors(out);
  if (options_.correction) frequency_.append_tensors(out);
  return out;
}

void TwoTower::settle(const Context& context) {
  for (Inputs* inputs : {&user_input_, &item_input_})
    if (inputs->ids() != nullptr) inputs->ids()->catch_up_all(context);
}

void TwoTower::restored() {
  for (Inputs* inputs : {&user_input_, &item_input_})
    if (inputs->ids() != nullptr) inputs->ids()->restored();
  dense_.restored();
}

// Cosine of the towers' vectors: no temperature, no correction.
void TwoTower::freeze(const Context& context) {
  plugin::use_one_thread();
  const at::NoGradGuard no_grad;
  const std::vector<Tensor> parameters = plugin::leaves(dense_);
  encode_all(context, query_, parameters, user_input_, served_users_);
  if (options_.graph < 0) return encode_all(context, item_, parameters, item_input_, served_items_);
  const Tensor x = input_rows(item_input_, parameters, id_leaf(context, item_input_, nullptr), {});
  plugin::keep(encode_graph(item_, parameters, x, item_graph().S).contiguous(), served_items_);
}

rec_tensor_view_t TwoTower::table(int32_t which) const {
  const bool of_users = which == REC_TABLE_USER;
  return plugin::host_view((of_users ? served_users_ : served_items_).data(), REC_DTYPE_F32,
                           (of_users ? user_input_ : item_input_).n(), options_.query.out);
}

}  // namespace rec::two_tower
