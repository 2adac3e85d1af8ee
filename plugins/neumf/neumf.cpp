#include "plugins/neumf/neumf.h"

#include <algorithm>
#include <numeric>

#include "plugins/common/rows.h"

namespace rec::neumf {

namespace {

enum Stream : int32_t { kTables = 0, kPredict = 4, kDropout = 8, kLayers = 32 };

void relu(float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = x[i] > 0 ? x[i] : 0;
}

// scores[e] += x[e] . w for rows x [n, h].
void add_products(const Context& context, const float* x, int64_t n, const float* w, int64_t h, float* scores) {
  plugin::check(context.host.matmul(context.call, REC_MATMUL_TRANSPOSE_B | REC_MATMUL_ADD, n, 1, h, x, w, scores));
}

// Items that score takes through the layers at once, so that its memory does not grow with the catalogue.
int64_t items_at_once(const std::vector<int64_t>& layers) {
  const int64_t widest = layers.empty() ? 1 : *std::max_element(layers.begin(), layers.end());
  return std::clamp<int64_t>((int64_t{1} << 20) / widest, 16, 4096);
}

// Bounds the memory of the parts: each has its own gradients of the dense weights.
int64_t most_parts(int64_t dense) {
  return std::clamp<int64_t>((int64_t{1} << 24) / std::max<int64_t>(dense, 1), 8, 64);
}

}  // namespace

void Options::complete(const rec_schema_t&) {
  if (mlp_emb_size == 0) mlp_emb_size = emb_size;
  if (mlp() || !layer_sizes.empty()) layers = plugin::whole_sizes("layers", layer_sizes, 16, 65536);
}

void NeuMf::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  options.objective.plan(plan);
  int64_t in = 2 * options.mlp_emb_size, dense = 0, width = in + options.emb_size;
  for (int64_t out : options.layers) {
    dense += (in + 1) * out;
    width += out;
    in = out;
  }
  const int64_t tables = (schema.n_users + schema.n_items) * (options.emb_size + options.mlp_emb_size);
  const int64_t parts = schema.n_interactions > 0 ? most_parts(dense) : 0;
  plan.memory_bytes = plugin::weight_bytes(schema) * (tables + dense) + 4 * parts * dense +
                      12 * options.objective.largest_batch(schema) * width +
                      (options.layers.empty() ? 0 : 4 * schema.n_items * options.layers.front()) +
                      8 * items_at_once(options.layers) * width;
  plugin::want_in_queries(plan, {REC_COLUMN_USER});
}

NeuMf::NeuMf(const Options& options, const rec_schema_t& schema)
    : options_(options),
      mf_user_("mf_user_emb", options.gmf() ? schema.n_users : 0, options.emb_size, options.optimizer),
      mf_item_("mf_item_emb", options.gmf() ? schema.n_items : 0, options.emb_size, options.optimizer),
      mlp_user_("mlp_user_emb", options.mlp() ? schema.n_users : 0, options.mlp_emb_size, options.optimizer),
      mlp_item_("mlp_item_emb", options.mlp() ? schema.n_items : 0, options.mlp_emb_size, options.optimizer),
      predict_("predict.weight", 1,
               (options.gmf() ? options.emb_size : 0) + (options.mlp() ? options.layers.back() : 0), options.optimizer),
      predict_bias_("predict.bias", options.predict_bias ? 1 : 0, 1, options.optimizer, {}, {1}),
      users_(schema.n_users),
      items_(schema.n_items) {
  dense_.push_back(&predict_);
  if (!options.mlp()) return;
  int64_t in = 2 * options.mlp_emb_size;
  for (size_t k = 0; k < options.layers.size(); ++k) {
    layers_.push_back(
        std::make_unique<plugin::Linear>("mlp." + std::to_string(k), in, options.layers[k], options.optimizer));
    layers_.back()->append_parameters(dense_);
    in = options.layers[k];
  }
  inputs_.resize(layers_.size() + 1);
  masks_.resize(layers_.size() + 1);
  transposed_.resize(layers_.size());
}

// Enough work for each part; depends on the batch alone, never on the number of threads.
int64_t NeuMf::rows_of_part(const Batch& batch) const {
  constexpr int64_t kEntries = 64;
  const int64_t parts =
      std::clamp<int64_t>(batch.n_rows() * batch.n_candidates() / kEntries, 1, most_parts(dense_size()));
  return (batch.n_rows() + parts - 1) / parts;
}

int64_t NeuMf::dense_size() const {
  int64_t size = 0;
  for (const plugin::Parameter* parameter : dense_) size += parameter->n() * parameter->d();
  return size;
}

// body(part, begin, end) for the rows of each part: a thread takes them through all layers, in its cache.
template <class Body>
void NeuMf::for_parts(const Context& context, const Batch& batch, const Body& body) const {
  const int64_t rows = rows_of_part(batch);
  plugin::parallel_for(context, batch.n_rows(), rows,
                       [&](int64_t begin, int64_t end) { body(begin / rows, begin, end); });
}

std::vector<plugin::Parameter*> NeuMf::parameters() {
  std::vector<plugin::Parameter*> all;
  for (plugin::Parameter* table : {&mf_user_, &mf_item_, &mlp_user_, &mlp_item_})
    if (table->n() > 0) all.push_back(table);
  for (auto& layer : layers_) layer->append_parameters(all);
  all.push_back(&predict_);
  if (options_.predict_bias) all.push_back(&predict_bias_);
  return all;
}

void NeuMf::initialize(const Context& context, int64_t seed) {
  const auto normal = plugin::Init::normal(options_.init_std);
  const auto of_linear = [&](int64_t in) { return options_.normal_start ? normal : plugin::Init::linear(in); };
  int32_t stream = kTables;
  for (plugin::Parameter* table : {&mf_user_, &mf_item_, &mlp_user_, &mlp_item_})
    table->initialize(context, seed, stream++, normal);
  stream = kLayers;
  for (auto& layer : layers_) {
    layer->initialize(context, seed, stream, of_linear(layer->in()));
    stream += 2;
  }
  predict_.initialize(context, seed, kPredict, of_linear(predict_.d()));
  predict_bias_.initialize(context, seed, kPredict + 1, of_linear(predict_.d()));
}

void NeuMf::collect(const Context& context, const Batch& batch) {
  users_.collect(batch.users(), batch.n_rows());
  items_.collect(batch.items(), batch.n_rows() * batch.n_candidates());
  if (options_.gmf()) {
    mf_user_.touch(context, users_);
    mf_item_.touch(context, items_);
  }
  if (options_.mlp()) {
    mlp_user_.touch(context, users_);
    mlp_item_.touch(context, items_);
  }
}

// s = predict . [ mf_u * mf_i ; phi_L(... phi_1([mlp_u ; mlp_i])) ]  (paper, eq. (12))
void NeuMf::forward(const Context& context, const Batch& batch, bool training) {
  const int64_t B = batch.n_rows(), N = B * batch.n_candidates();
  scores_.assign(N, 0.f);
  if (options_.gmf()) {
    weighted_users_.resize(B * options_.emb_size);
    row_numbers_.resize(B);
    std::iota(row_numbers_.begin(), row_numbers_.end(), 0);
  }
  for (size_t k = 0; k < inputs_.size(); ++k) {
    const int64_t width = k == 0 ? layers_[0]->in() : layers_[k - 1]->out();
    inputs_[k].resize(N * width);
    if (training && options_.dropout > 0) masks_[k].resize(inputs_[k].size());
  }
  for (size_t k = 0; k < layers_.size(); ++k)
    transposed_[k] = plugin::transposed(layers_[k]->weight(), layers_[k]->out(), layers_[k]->in());
  for_parts(context, batch, [&](int64_t, int64_t begin, int64_t end) {
    if (options_.gmf()) forward_gmf(context, batch, begin, end);
    if (options_.mlp()) forward_mlp(context, batch, training, begin, end);
  });
  if (options_.predict_bias)
    for (float& score : scores_) score += predict_bias_.data()[0];
}

void NeuMf::forward_mlp(const Context& context, const Batch& batch, bool training, int64_t begin, int64_t end) {
  const int64_t C = batch.n_candidates(), d = options_.mlp_emb_size, first = begin * C, n = (end - begin) * C;
  const bool drops = training && options_.dropout > 0;
  for (int64_t e = first; e < first + n; ++e) {
    float* x = inputs_[0].data() + e * 2 * d;
    std::copy_n(mlp_user_.row(batch.users()[e / C]), d, x);
    std::copy_n(mlp_item_.row(batch.items()[e]), d, x + d);
  }
  for (size_t k = 0; k < layers_.size(); ++k) {
    const plugin::Linear& layer = *layers_[k];
    if (drops && options_.dropout_on_input) drop(context, batch, k, begin, end);
    float* y = inputs_[k + 1].data() + first * layer.out();
    layer.forward(context, inputs_[k].data() + first * layer.in(), n, y, transposed_[k].data());
    relu(y, n * layer.out());
    if (drops && !options_.dropout_on_input) drop(context, batch, k + 1, begin, end);
  }
  const int64_t h = options_.layers.back();
  add_products(context, inputs_.back().data() + first * h, n, mlp_weights(), h, scores_.data() + first);
}

// predict . (u * i) = (predict * u) . i
void NeuMf::forward_gmf(const Context& context, const Batch& batch, int64_t begin, int64_t end) {
  const int64_t C = batch.n_candidates(), d = options_.emb_size;
  for (int64_t b = begin; b < end; ++b) {
    float* weighted = weighted_users_.data() + b * d;
    std::copy_n(mf_user_.row(batch.users()[b]), d, weighted);
    plugin::multiply(weighted, gmf_weights(), d);
  }
  context.host.pair_scores(context.call, row_numbers_.data() + begin, batch.items() + begin * C, end - begin, C,
                           weighted_users_.data(), mf_item_.data(), d, scores_.data() + begin * C);
}

// Applies dropout to the input of `layer`.
void NeuMf::drop(const Context& context, const Batch& batch, size_t layer, int64_t begin, int64_t end) {
  const int64_t per_row = std::ssize(inputs_[layer]) / batch.n_rows();
  for (int64_t b = begin; b < end; ++b)
    plugin::dropout(context,
                    {options_.seed, static_cast<int32_t>(kDropout + layer), batch.raw.epoch, batch.raw.first_row + b},
                    options_.dropout, inputs_[layer].data() + b * per_row, masks_[layer].data() + b * per_row, per_row);
}

double NeuMf::compute(const Context& context, const Batch& batch) {
  collect(context, batch);
  forward(context, batch, true);
  const double loss = options_.objective.compute(context, batch, scores_, dscores_);
  backward(context, batch);
  return loss;
}

void NeuMf::backward(const Context& context, const Batch& batch) {
  const int64_t B = batch.n_rows(), N = B * batch.n_candidates();
  if (options_.predict_bias) *predict_bias_.dense_gradient() = std::accumulate(dscores_.begin(), dscores_.end(), 0.f);
  struct Share {
    plugin::Parameter* table;
    plugin::Floats* entries;
    int64_t n;
  };
  std::vector<Share> shares;
  if (options_.gmf()) shares.insert(shares.end(), {{&mf_user_, &of_mf_user_, B}, {&mf_item_, &of_mf_item_, N}});
  if (options_.mlp()) shares.insert(shares.end(), {{&mlp_user_, &of_mlp_user_, B}, {&mlp_item_, &of_mlp_item_, N}});
  for (const Share& share : shares) share.entries->resize(share.n * share.table->d());
  const int64_t stride = dense_size(), n_parts = (B + rows_of_part(batch) - 1) / rows_of_part(batch);
  parts_.resize(n_parts * stride);
  for_parts(context, batch, [&](int64_t part, int64_t begin, int64_t end) {
    float* gradients = parts_.data() + part * stride;
    if (options_.gmf()) backward_gmf(batch, begin, end, gradients);
    if (options_.mlp()) backward_mlp(context, batch, begin, end, gradients);
  });
  const float* of_parameter = parts_.data();
  for (plugin::Parameter* parameter : dense_) {
    const int64_t size = parameter->n() * parameter->d();
    float* sum = parameter->dense_gradient();
    std::copy_n(of_parameter, size, sum);
    for (int64_t part = 1; part < n_parts; ++part)
      for (int64_t i = 0; i < size; ++i) sum[i] += of_parameter[part * stride + i];
    of_parameter += size;
  }
  for (const Share& share : shares)
    share.table->touched()->sum_entries(context, share.entries->data(), share.table->d(), share.table->gradient());
}

void NeuMf::backward_gmf(const Batch& batch, int64_t begin, int64_t end, float* part) {
  const int64_t C = batch.n_candidates(), d = options_.emb_size;
  std::fill_n(part, d, 0.f);
  for (int64_t b = begin; b < end; ++b) {
    const float *user = mf_user_.row(batch.users()[b]), *weighted = weighted_users_.data() + b * d;
    float* of_user = of_mf_user_.data() + b * d;
    std::fill_n(of_user, d, 0.f);
    for (int64_t e = b * C; e < (b + 1) * C; ++e) {
      const float slope = dscores_[e], *item = mf_item_.row(batch.items()[e]);
      float* of_item = of_mf_item_.data() + e * d;
      for (int64_t k = 0; k < d; ++k) {
        of_user[k] += slope * item[k];
        of_item[k] = slope * weighted[k];
      }
    }
    for (int64_t k = 0; k < d; ++k) {  // of_user is dL/d(predict * u) so far
      part[k] += user[k] * of_user[k];
      of_user[k] *= gmf_weights()[k];
    }
  }
}

void NeuMf::backward_mlp(const Context& context, const Batch& batch, int64_t begin, int64_t end, float* part) {
  const int64_t C = batch.n_candidates(), h = options_.layers.back(), d = options_.mlp_emb_size;
  const int64_t first = begin * C, n = (end - begin) * C;
  const bool drops = options_.dropout > 0, after = drops && !options_.dropout_on_input;
  const float* slopes = dscores_.data() + first;
  plugin::Floats dy(n * h), dx;
  if (options_.gmf()) part += options_.emb_size;
  plugin::check(context.host.matmul(context.call, 0, 1, h, n, slopes, inputs_.back().data() + first * h, part));
  for (int64_t e = 0; e < n; ++e)
    for (int64_t k = 0; k < h; ++k) dy[e * h + k] = slopes[e] * mlp_weights()[k];
  float* end_of_part = part + h;
  for (const auto& layer : layers_) end_of_part += layer->out() * (layer->in() + 1);
  for (size_t k = layers_.size(); k-- > 0;) {
    const plugin::Linear& layer = *layers_[k];
    const float* y = inputs_[k + 1].data() + first * layer.out();  // 0 where ReLU or dropout cut: no gradient there
    if (after) plugin::multiply(dy.data(), masks_[k + 1].data() + first * layer.out(), n * layer.out());
    for (size_t i = 0; i < dy.size(); ++i) dy[i] = y[i] > 0 ? dy[i] : 0;
    dx.resize(n * layer.in());
    end_of_part -= layer.out() * (layer.in() + 1);
    layer.backward_part(context, inputs_[k].data() + first * layer.in(), dy.data(), n, dx.data(), end_of_part,
                        end_of_part + layer.out() * layer.in());
    if (drops && !after) plugin::multiply(dx.data(), masks_[k].data() + first * layer.in(), n * layer.in());
    std::swap(dx, dy);
  }
  float* of_user = of_mlp_user_.data() + begin * d;
  std::fill_n(of_user, (end - begin) * d, 0.f);
  for (int64_t e = 0; e < n; ++e) {
    for (int64_t k = 0; k < d; ++k) of_user[e / C * d + k] += dy[e * 2 * d + k];
    std::copy_n(dy.data() + e * 2 * d + d, d, of_mlp_item_.data() + (first + e) * d);
  }
}

void NeuMf::score_live(const Context& context, const Batch& batch, float* out_scores) {
  collect(context, batch);
  forward(context, batch, false);
  std::copy(scores_.begin(), scores_.end(), out_scores);
}

int64_t NeuMf::warm_start(const rec_tensor_info_t* infos, const void* const* data, int64_t n) {
  const auto find = [&](const std::string& name) -> int64_t {
    for (int64_t i = 0; i < n; ++i)
      if (name == infos[i].name) return i;
    return -1;
  };
  const auto has_shape = [&](int64_t i, const std::vector<int64_t>& shape) {
    return infos[i].dtype == REC_DTYPE_F32 &&
           std::equal(shape.begin(), shape.end(), infos[i].shape, infos[i].shape + infos[i].n_dims);
  };
  int64_t taken = 0;
  for (plugin::Parameter* parameter : parameters()) {
    const int64_t i = parameter == &predict_ ? -1 : find(parameter->name());
    if (i < 0 || !has_shape(i, parameter->shape())) continue;
    parameter->assign(static_cast<const float*>(data[i]));
    ++taken;
  }
  const int64_t weights = find("predict.weight");
  if (weights < 0 || taken == 0) return taken;
  // A model of one path has that path's weights only; one of both has all, those of the product path first.
  const int64_t products = find("mf_item_emb"), d = options_.gmf() ? options_.emb_size : 0, h = predict_.d() - d;
  const bool gmf = products >= 0, mlp = find("mlp_user_emb") >= 0;
  const bool whole = gmf == options_.gmf() && mlp == options_.mlp();
  const int64_t n_weights = whole ? d + h : gmf ? d : h;
  if ((gmf && options_.gmf() && !has_shape(products, mf_item_.shape())) || !has_shape(weights, {1, n_weights}))
    return taken;
  std::vector<float> start(predict_.data(), predict_.data() + predict_.d());
  const auto* from = static_cast<const float*>(data[weights]);
  float* to = start.data() + (whole || gmf ? 0 : d);
  for (int64_t k = 0; k < n_weights; ++k) to[k] = whole ? from[k] : 0.5f * from[k];
  predict_.assign(start.data());
  return taken + 1;
}

// The first layer is W_u u + W_i i + b: the items' half is computed once.
void NeuMf::freeze(const Context& context) {
  if (!options_.mlp()) return;
  const int64_t d = options_.mlp_emb_size, h = options_.layers.front();
  plugin::Floats item_weights(h * d);
  for (int64_t k = 0; k < h; ++k) std::copy_n(layers_[0]->weight() + k * 2 * d + d, d, item_weights.data() + k * d);
  item_part_.resize(mlp_item_.n() * h);
  plugin::check(context.host.matmul(context.call, REC_MATMUL_TRANSPOSE_B, mlp_item_.n(), h, d, mlp_item_.data(),
                                    item_weights.data(), item_part_.data()));
}

void NeuMf::score(const Context& context, const Batch& queries, float* out_scores) const {
  const int64_t C = queries.n_candidates();
  for (int64_t b = 0; b < queries.n_rows(); ++b) {
    const int32_t user = queries.users()[b];
    const int32_t* items = queries.items() + b * C;
    float* scores = out_scores + b * C;
    std::fill_n(scores, C, options_.predict_bias ? predict_bias_.data()[0] : 0.f);
    if (options_.mlp()) {
      const int64_t d = options_.mlp_emb_size;
      const int64_t first = options_.layers.front(), at_once = items_at_once(options_.layers);
      plugin::Floats of_user(layers_[0]->bias(), layers_[0]->bias() + first), x, y;
      for (int64_t k = 0; k < first; ++k)
        for (int64_t j = 0; j < d; ++j) of_user[k] += layers_[0]->weight()[k * 2 * d + j] * mlp_user_.row(user)[j];
      for (int64_t begin = 0; begin < C; begin += at_once) {
        const int64_t n = std::min(at_once, C - begin);
        int64_t h = first;
        x.resize(n * h);
        for (int64_t c = 0; c < n; ++c)
          for (int64_t k = 0; k < h; ++k) x[c * h + k] = of_user[k] + item_part_[items[begin + c] * h + k];
        relu(x.data(), std::ssize(x));
        for (size_t k = 1; k < layers_.size(); ++k) {
          h = layers_[k]->out();
          y.resize(n * h);
          layers_[k]->forward(context, x.data(), n, y.data());
          relu(y.data(), std::ssize(y));
          std::swap(x, y);
        }
        add_products(context, x.data(), n, mlp_weights(), h, scores + begin);
      }
    }
    if (options_.gmf()) {
      const int64_t d = options_.emb_size;
      plugin::Floats weighted(d);
      for (int64_t k = 0; k < d; ++k) weighted[k] = gmf_weights()[k] * mf_user_.row(user)[k];
      plugin::Floats products(C);
      const int32_t first = 0;
      context.host.pair_scores(context.call, &first, items, 1, C, weighted.data(), mf_item_.data(), d, products.data());
      for (int64_t c = 0; c < C; ++c) scores[c] += products[c];
    }
  }
}

rec_tensor_view_t NeuMf::table(int32_t which) const {
  const plugin::Parameter& users = options_.gmf() ? mf_user_ : mlp_user_;
  const plugin::Parameter& items = options_.gmf() ? mf_item_ : mlp_item_;
  const plugin::Parameter& table = which == REC_TABLE_USER ? users : items;
  return plugin::host_view(table.data(), table.n(), table.d());
}

}  // namespace rec::neumf
