#include "plugins/two_tower/two_tower.h"

#include <limits>

#include "plugins/two_tower/equations.h"

namespace rec::two_tower {

namespace {

enum Stream : int32_t { kUserStream = 0, kItemStream = 1, kTowerStream = 2 };

// Counts the features that enter the tower of one side, "user" or "item".
void count_features(const std::string& side, UseFeatures wanted, const rec_feature_t* features, int64_t n_features,
                    InputShape& shape) {
  shape.categories = wanted != UseFeatures::kDense;
  for (int64_t f = 0; f < n_features && wanted != UseFeatures::kFalse; ++f) {
    shape.n_dense += features[f].width;
    if (features[f].kind == REC_FEATURE_CATEGORICAL && shape.categories)
      shape.vocabularies.push_back(features[f].vocabulary);
  }
  const bool any = shape.n_dense > 0 || !shape.vocabularies.empty();
  if (wanted != UseFeatures::kAuto && wanted != UseFeatures::kFalse && !any)
    throw plugin::Failure{
        REC_UNSUPPORTED,
        side + "_features: " + (shape.categories ? "true needs a data set with" : "dense needs a data set with dense") +
            " features of each " + side + ", and this one has none; use auto or false"};
  if (shape.width() == 0)
    throw plugin::Failure{REC_UNSUPPORTED,
                          side + "_id: false leaves the tower nothing to look at, as no features of each " + side +
                              " are there or wanted; use true"};
}

// The relation that the graph convolutions walk.
int64_t find_graph(const rec_schema_t& schema) {
  for (int64_t r = 0; r < schema.n_relations && schema.relation_names != nullptr; ++r)
    if (std::string(schema.relation_names[r]) == "item_adj") return r;
  throw plugin::Failure{REC_UNSUPPORTED,
                        "item_tower: gcn needs a relation 'item_adj' between items, and the data set has none"};
}

// x W^T + b
Tensor linear(const std::vector<Tensor>& parameters, size_t weight, const Tensor& x) {
  return at::linear(x, parameters[weight], parameters[weight + 1].squeeze(0));
}

// The id embeddings of a side among the leaves; undefined without ids.
Tensor ids_of(const Inputs& inputs, const std::vector<Tensor>& leaves) {
  return inputs.ids() ? leaves[*inputs.ids()] : Tensor();
}

// Every user or item through its tower, a block at a time.
void encode_all(const Context& context, const Tower& tower, const std::vector<Tensor>& parameters, const Inputs& inputs,
                plugin::Floats& out) {
  constexpr int64_t kBlock = 4096;
  out.resize(inputs.n() * tower.shape().out);
  for (int64_t first = 0; first < inputs.n(); first += kBlock) {
    context.throw_if_cancelled();
    const int64_t n = std::min(kBlock, inputs.n() - first);
    const Tensor ids = ids_of(inputs, parameters);
    const Tensor x = input_rows(inputs, parameters, ids.defined() ? ids.narrow(0, first, n) : ids,
                                at::arange(first, first + n, at::kLong));
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
  std::vector<double> degree(n, 1);
  for (int64_t i = 0; i < n; ++i) {
    heads.push_back(i);
    tails.push_back(i);
    for (int64_t e = relation.offsets[i]; e < relation.offsets[i + 1]; ++e) {
      if (relation.columns[e] == i) continue;
      heads.push_back(i);
      tails.push_back(relation.columns[e]);
      ++degree[i];
    }
  }
  const auto nnz = std::ssize(heads);
  const Tensor at_cells = at::empty({2, nnz}, at::kLong), values = at::empty({nnz}, at::kFloat);
  std::copy(heads.begin(), heads.end(), at_cells.data_ptr<int64_t>());
  std::copy(tails.begin(), tails.end(), at_cells.data_ptr<int64_t>() + nnz);
  for (size_t e = 0; e < heads.size(); ++e)
    values.data_ptr<float>()[e] = static_cast<float>(1 / std::sqrt(degree[heads[e]] * degree[tails[e]]));
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
  return plugin::normalized(linear(parameters, layers[2], deep));
}

// H = ReLU(S (X W_0^T) + b_0),  V = nrm(S (H W_1^T) + b_1)
Tensor encode_graph(const Tower& tower, const std::vector<Tensor>& parameters, const Tensor& x, const Tensor& S) {
  const auto layer = [&](size_t weight, const Tensor& h) {
    return S.mm(h.mm(parameters[weight].t())) + parameters[weight + 1];
  };
  return plugin::normalized(layer(tower.linear()[1], at::relu(layer(tower.linear()[0], x))));
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

void Options::complete(const rec_schema_t& schema) {
  count_features("user", user_features, schema.user_features, schema.n_user_features, user_input);
  count_features("item", item_features, schema.item_features, schema.n_item_features, item_input);
  const TowerKind kind = item.kind;
  item = query;  // the same sizes
  item.kind = kind;
  query.input = user_input.width();
  item.input = item_input.width();
  if (kind == TowerKind::kGcn) graph = find_graph(schema);
  if (rewarded && schema.has_weights == 0)
    throw plugin::Failure{REC_UNSUPPORTED,
                          "reward: weight needs weights of the interactions, and the data set has none; use one"};
  // Fixed odd multipliers: which items collide must not depend on the seed of a run that is resumed.
  if (frequency.n_slots > 0 && frequency.n_slots < schema.n_items)
    for (int64_t k = 0; k < n_hash; ++k) frequency.hashes.emplace_back(40503 + 2654 * k, 12345 + 977 * k);
}

void TwoTower::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_INTERACTIONS;
  plan.negatives = REC_NEGATIVES_NONE;
  plan.min_batch_size = 2;
  const int64_t B = std::min(options.batch_size, schema.n_interactions);
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
  plugin::want(plan, {REC_COLUMN_USER, REC_COLUMN_ITEM});
  if (options.rewarded) plugin::want(plan, {REC_COLUMN_WEIGHT});
}

TwoTower::TwoTower(const Options& options, const rec_schema_t& schema)
    : options_(options),
      weights_(options.optimizer),
      user_input_(weights_, "query", options.user_input, schema.n_users),
      item_input_(weights_, "item", options.item_input, schema.n_items),
      n_ids_(weights_.size()),
      query_(weights_, "query", options.query),
      item_(weights_, "item", options.item),
      frequency_(options.frequency, schema.n_items),
      users_(schema.n_users),
      items_(schema.n_items) {
  user_input_.add_tables(weights_);
  item_input_.add_tables(weights_);
}

void TwoTower::initialize(const Context& context, int64_t seed) {
  if (user_input_.ids()) weights_[*user_input_.ids()].initialize(context, seed, kUserStream);
  if (item_input_.ids()) weights_[*item_input_.ids()].initialize(context, seed, kItemStream);
  for (size_t i = n_ids_; i < weights_.size(); ++i)
    weights_[i].initialize(context, seed, kTowerStream + static_cast<int32_t>(i - n_ids_));
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
  if (user_input_.ids()) weights_[*user_input_.ids()].touch(context, users_);
  if (item_input_.ids() && !by_graph) weights_[*item_input_.ids()].touch(context, items_);
  const std::vector<Tensor> inputs = plugin::leaves(parameters());
  const Tensor user_ids = ids_of(user_input_, inputs), item_ids = ids_of(item_input_, inputs);
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
    std::vector<double> p(batch.n_rows());
    frequency_.observe(batch.items(), batch.n_rows(), p.data());
    log_p = at::empty({batch.n_rows()}, q.options());
    std::transform(p.begin(), p.end(), log_p.data_ptr<float>(),
                   [](double x) { return static_cast<float>(std::log(x)); });
  }
  const Tensor reward = options_.rewarded ? plugin::view_of(batch.weights(), {batch.n_rows()}) : Tensor();
  const Tensor loss = batch_softmax_loss(q, v, plugin::indices_of(items_.slots()), log_p, reward,
                                         {options_.temperature, true, options_.num_hard_negatives, options_.sum});
  return plugin::backward(context, loss, inputs, parameters());
}

void TwoTower::apply(const Context& context) {
  Model::apply(context);
  if (options_.correction) frequency_.commit();
}

void TwoTower::append_state(std::vector<plugin::TensorRef>& out) {
  if (options_.correction) frequency_.append_tensors(out);
}

// Serves cosines of the towers' vectors, without temperature or correction.
void TwoTower::freeze(const Context& context) {
  plugin::use_one_thread();
  const at::NoGradGuard no_grad;
  const std::vector<Tensor> values = plugin::views_of(parameters());
  encode_all(context, query_, values, user_input_, served_users_);
  if (options_.graph < 0) return encode_all(context, item_, values, item_input_, served_items_);
  const Tensor x = input_rows(item_input_, values, ids_of(item_input_, values), {});
  plugin::keep(encode_graph(item_, values, x, item_graph().S), served_items_);
}

rec_tensor_view_t TwoTower::table(int32_t which) const {
  const bool of_users = which == REC_TABLE_USER;
  return plugin::host_view((of_users ? served_users_ : served_items_).data(),
                           (of_users ? user_input_ : item_input_).n(), options_.query.out);
}

}  // namespace rec::two_tower
