#include "plugins/gru4rec/sequence_gru.h"

namespace rec::gru4rec {

using plugin::check;
using plugin::Floats;

namespace {

GruNames names_of(const Options& options, size_t layer) {
  const std::string number = std::to_string(layer);
  if (options.variant == Variant::kMetaSpore) return {"gru.weight_ih_l" + number, "gru.weight_hh_l" + number, "", ""};
  const std::string suffix = layer == 0 ? "" : "_l" + number;
  if (options.variant == Variant::kRecBole) return {"gru.weight_ih" + suffix, "gru.weight_hh" + suffix, "", ""};
  return {"gru.weight_ih" + suffix, "gru.weight_hh" + suffix, "gru.bias_ih" + suffix, "gru.bias_hh" + suffix};
}

constexpr int64_t kScoreRows = 256;  // of a batch scored against all items at a time

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// In-batch losses over S [B, B], row i's positive in column i. The mean includes the pairs (i, i).
double in_batch_loss(bool top1, const Floats& s, int64_t B, double tau, Floats& ds) {
  ds.assign(s.size(), 0.f);
  const double share = 1 / static_cast<double>(B * B);
  double loss = 0;
  const auto at = [&](int64_t i, int64_t j) { return static_cast<double>(s[i * B + j]) / tau; };
  const auto add = [&](int64_t i, int64_t j, double g) { ds[i * B + j] += static_cast<float>(g * share / tau); };
  for (int64_t i = 0; i < B; ++i)
    for (int64_t j = 0; j < B; ++j) {
      const double own = at(i, i), other = at(i, j);
      if (!top1) {  // -ln sigma(S_ii - S_ij)
        loss += softplus(other - own);
        add(i, j, sigmoid(other - own));
        add(i, i, -sigmoid(other - own));
        continue;
      }
      const double column = at(j, j);  // sigma(S_ij - S_ii) + sigma(S_ij^2 - S_jj^2)
      const double a = sigmoid(other - own), b = sigmoid(other * other - column * column);
      loss += a + b;
      add(i, j, a * (1 - a) + b * (1 - b) * 2 * other);
      add(i, i, -a * (1 - a));
      add(j, j, -b * (1 - b) * 2 * column);
    }
  return loss * share;
}

}  // namespace

void PackedHistories::assign(const Batch& batch) {
  const int64_t T = batch.history_width();
  const int32_t* lengths = batch.history_lengths();
  order.clear();
  for (int64_t b = 0; b < batch.n_rows(); ++b)
    if (lengths[b] > 0) order.push_back(static_cast<int32_t>(b));
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
  std::vector<int32_t> sorted;
  for (int32_t b : order) sorted.push_back(lengths[b]);
  packing.assign(sorted);
  items.clear();
  last_of.resize(order.size());
  for (int64_t t = 0; t < packing.steps(); ++t)
    for (int64_t s = 0; s < packing.counts[t]; ++s) {
      last_of[s] = static_cast<int32_t>(items.size());
      items.push_back(batch.history()[order[s] * T + t]);
    }
}

void SequenceGru::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_INTERACTIONS;
  const bool sampled =
      options.variant == Variant::kReChorus || (options.variant == Variant::kRecBole && options.loss != Loss::kSoftmax);
  plan.negatives = sampled ? REC_NEGATIVES_SAMPLED : REC_NEGATIVES_NONE;
  if (!sampled) plan.capabilities &= ~REC_CAP_SCORE_LIVE;
  const int64_t B = std::min(options.batch_size, schema.n_interactions);
  if (options.variant == Variant::kMetaSpore) plan.min_batch_size = 2;
  if (options.variant == Variant::kRecBole && !sampled && schema.n_items < 2)
    throw plugin::Failure{REC_INVALID_DATA, "dataset: a softmax over all items needs two items, and there is one"};
  options.frozen.check(schema);
  int64_t in = options.emb_size, dense = 0, width = in;
  for (int64_t h : options.layers) {
    dense += 3 * h * (in + h + 2);
    width += 8 * h;
    in = h;
  }
  dense += (in + 1) * options.emb_size;
  const int64_t events = B * (options.history_max > 0 ? options.history_max : 100);
  const int64_t scores = sampled                                  ? 0
                         : options.variant == Variant::kMetaSpore ? B * B
                                                                  : std::min(B, kScoreRows) * schema.n_items;
  const int64_t tables = (options.variant == Variant::kMetaSpore ? 2 : 1) * schema.n_items * options.emb_size;
  plan.memory_bytes = plugin::weight_bytes(schema) * (tables + dense) + 4 * events * width + 8 * scores;
  plan.history_max = options.history_max;
  plugin::want(plan, {REC_COLUMN_ITEM, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH});
}

SequenceGru::SequenceGru(const Options& options, const rec_schema_t& schema)
    : options_(options),
      items_("item_emb", schema.n_items, options.emb_size, cosine() ? options.table_optimizer : options.optimizer),
      input_items_("seq_item_emb", cosine() ? schema.n_items : 0, options.emb_size, options.table_optimizer),
      out_(options.variant == Variant::kReChorus ? "out" : "dense", options.layers.back(), options.emb_size,
           options.optimizer),
      item_rows_(schema.n_items),
      input_rows_(schema.n_items),
      term_(schema.n_items, options.emb_size) {
  int64_t in = options.emb_size;
  for (size_t l = 0; l < options.layers.size(); ++l) {
    layers_.push_back(std::make_unique<GruLayer>(names_of(options, l), in, options.layers[l], options.optimizer));
    in = options.layers[l];
  }
}

std::vector<plugin::Parameter*> SequenceGru::parameters() {
  std::vector<plugin::Parameter*> all{&items_};
  if (cosine()) all.push_back(&input_items_);
  for (auto& layer : layers_) layer->append_parameters(all);
  out_.append_parameters(all);
  return all;
}

void SequenceGru::initialize(const Context& context, int64_t seed) {
  using plugin::Init;
  const bool recbole = options_.variant == Variant::kRecBole;
  const Init normal = Init::normal(options_.init_std);
  items_.initialize(context, seed, kItems, recbole ? Init{Init::Rule::kXavierNormal} : normal);
  input_items_.initialize(context, seed, kInputItems, normal);
  for (size_t l = 0; l < layers_.size(); ++l) {
    GruLayer& layer = *layers_[l];
    auto stream = static_cast<int32_t>(kLayers + 4 * l);
    const Init usual = Init::linear(layer.hidden());
    const Init weights = l > 0      ? usual
                         : cosine() ? Init{Init::Rule::kOrthogonal}
                         : recbole  ? Init::xavier_uniform()
                                    : usual;
    layer.weight_ih().initialize(context, seed, stream++, weights);
    layer.weight_hh().initialize(context, seed, stream++, weights);
    for (plugin::Parameter* bias : {layer.bias_ih(), layer.bias_hh()})
      if (bias != nullptr) bias->initialize(context, seed, stream++, usual);
  }
  out_.initialize(context, seed, kOut, options_.variant == Variant::kReChorus ? normal : Init::linear(out_.in()));
}

// q_b = out(h at the last item of the history of row b); a row without a history gets out(0).
void SequenceGru::run(const Context& context, const Batch& batch, bool training, Trace& trace) const {
  const int64_t d = options_.emb_size, h = options_.layers.back(), B = batch.n_rows();
  PackedHistories& histories = trace.histories;
  histories.assign(batch);
  const int64_t rows = histories.packing.rows();
  trace.inputs.resize(rows * d);
  input_items().gather(context, histories.items.data(), rows, trace.inputs.data());
  if (training && options_.dropout_embed > 0 && rows > 0)
    plugin::dropout(context, {options_.seed, kDropout, batch.raw.epoch, batch.raw.first_row}, options_.dropout_embed,
                    trace.inputs, trace.input_mask);
  trace.layers.resize(layers_.size());
  const float* x = trace.inputs.data();
  for (size_t l = 0; l < layers_.size(); ++l) {
    layers_[l]->forward(context, histories.packing, x, nullptr, trace.layers[l]);
    x = trace.layers[l].states.data();
  }
  trace.last.assign(B * h, 0.f);
  for (size_t s = 0; s < histories.order.size(); ++s)
    std::copy_n(x + histories.last_of[s] * h, h, trace.last.data() + histories.order[s] * h);
  trace.queries.resize(B * d);
  out_.forward(context, trace.last.data(), B, trace.queries.data());
}

// Takes dL/dq to every parameter but the item tables; d_inputs_ gets the gradient of the items that were read.
void SequenceGru::backward(const Context& context, const Floats& d_queries) {
  const int64_t d = options_.emb_size, h = options_.layers.back();
  const PackedHistories& histories = trace_.histories;
  const int64_t rows = histories.packing.rows();
  Floats d_last(trace_.last.size());
  out_.backward(context, trace_.last.data(), d_queries.data(), std::ssize(d_queries) / d, d_last.data());
  Floats d_states(rows * h, 0.f), d_x;
  for (size_t s = 0; s < histories.order.size(); ++s)
    std::copy_n(d_last.data() + histories.order[s] * h, h, d_states.data() + histories.last_of[s] * h);
  for (size_t l = layers_.size(); l-- > 0;) {
    const float* x = l == 0 ? trace_.inputs.data() : trace_.layers[l - 1].states.data();
    d_x.resize(rows * layers_[l]->in());
    layers_[l]->backward(context, histories.packing, x, trace_.layers[l], d_states, d_x.data());
    std::swap(d_states, d_x);
  }
  d_inputs_ = std::move(d_states);
  if (options_.dropout_embed > 0) plugin::multiply(d_inputs_.data(), trace_.input_mask.data(), std::ssize(d_inputs_));
  options_.frozen.clear(histories.items, d, d_inputs_);
}

double SequenceGru::compute(const Context& context, const Batch& batch) {
  return cosine()         ? compute_cosine(context, batch)
         : full_softmax() ? compute_full(context, batch)
                          : compute_sampled(context, batch);
}

// s_bc = q_b . item_c over the row's candidates. The item table's gradient comes from both sides: as candidate, ds q_b,
// and as input.
double SequenceGru::compute_sampled(const Context& context, const Batch& batch) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates(), d = options_.emb_size;
  std::vector<int32_t> ids(batch.items(), batch.items() + B * C);
  trace_.histories.assign(batch);
  ids.insert(ids.end(), trace_.histories.items.begin(), trace_.histories.items.end());
  item_rows_.collect(ids);
  items_.touch(context, item_rows_);

  run(context, batch, true, trace_);
  term_.collect(batch.items(), B, C);
  scores_.resize(B * C);
  dscores_.resize(scores_.size());
  term_.score(context, trace_.queries.data(), items_.data(), scores_.data());
  double loss = 0;
  check(context.host.loss(context.call, options_.host_loss(), scores_.data(), B, C, &loss, dscores_.data()));
  term_.backward(context, dscores_.data(), trace_.queries.data(), items_.data());
  backward(context, term_.left_gradients);

  // One weighted sum over an item's entries: candidates add ds q, inputs add 1 times their own gradient.
  Floats sources(trace_.queries);
  sources.insert(sources.end(), d_inputs_.begin(), d_inputs_.end());
  std::vector<int32_t> columns;
  std::vector<float> weights;
  for (int32_t e : item_rows_.entries()) {
    columns.push_back(e < B * C ? static_cast<int32_t>(e / C) : static_cast<int32_t>(B + e - B * C));
    weights.push_back(e < B * C ? dscores_[e] : 1.f);
  }
  const rec_csr_t csr{item_rows_.offsets().data(), columns.data(), item_rows_.size(), 0};
  context.host.weighted_rows(context.call, &csr, weights.data(), sources.data(), d, false, items_.gradient().data());
  return loss;
}

// Cross-entropy of q . item over all items, target = the row's item; kScoreRows rows at a time.
double SequenceGru::compute_full(const Context& context, const Batch& batch) {
  const rec_host_t& host = context.host;
  const int64_t B = batch.n_rows(), d = options_.emb_size, n_items = items_.n();
  items_.catch_up_all(context);
  run(context, batch, true, trace_);
  float* d_items = items_.dense_gradient();
  std::fill_n(d_items, n_items * d, 0.f);
  Floats d_queries(B * d);
  double loss = 0;
  for (int64_t begin = 0; begin < B; begin += kScoreRows) {
    const int64_t n = std::min(kScoreRows, B - begin);
    scores_.resize(n * n_items);
    dscores_.resize(scores_.size());
    const float* queries = trace_.queries.data() + begin * d;
    check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_B, n, n_items, d, queries, items_.data(), scores_.data()));
    // The kernel's target is column 0.
    const auto swap_targets = [&](Floats& matrix) {
      for (int64_t b = 0; b < n; ++b) {
        float* row = matrix.data() + b * n_items;
        std::swap(row[0], row[batch.items()[(begin + b) * batch.n_candidates()]]);
      }
    };
    swap_targets(scores_);
    double part = 0;
    check(host.loss(context.call, REC_LOSS_SOFTMAX, scores_.data(), n, n_items, &part, dscores_.data()));
    swap_targets(dscores_);
    const auto share = static_cast<float>(static_cast<double>(n) / static_cast<double>(B));
    loss += part * share;
    for (float& value : dscores_) value *= share;
    check(host.matmul(context.call, 0, n, d, n_items, dscores_.data(), items_.data(), d_queries.data() + begin * d));
    check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A | REC_MATMUL_ADD, n_items, d, n, dscores_.data(), queries,
                      d_items));
  }
  backward(context, d_queries);
  for (size_t r = 0; r < trace_.histories.items.size(); ++r)
    for (int64_t k = 0; k < d; ++k) d_items[trace_.histories.items[r] * d + k] += d_inputs_[r * d + k];
  return loss;
}

// S = nrm(q) nrm(item)^T over the batch's items; the other rows' positives are a row's negatives.
double SequenceGru::compute_cosine(const Context& context, const Batch& batch) {
  const rec_host_t& host = context.host;
  const int64_t B = batch.n_rows(), d = options_.emb_size;
  trace_.histories.assign(batch);
  item_rows_.collect(batch.items(), B);
  input_rows_.collect(trace_.histories.items);
  items_.touch(context, item_rows_);
  input_items_.touch(context, input_rows_);
  run(context, batch, true, trace_);

  Floats q(trace_.queries.size()), v(q.size()), q_lengths, v_lengths, rows(q.size());
  items_.gather(context, batch.items(), B, rows.data());
  plugin::normalize(trace_.queries.data(), B, d, q.data(), q_lengths);
  plugin::normalize(rows.data(), B, d, v.data(), v_lengths);
  scores_.resize(B * B);
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_B, B, B, d, q.data(), v.data(), scores_.data()));
  const double loss = in_batch_loss(options_.loss == Loss::kTop1, scores_, B, options_.temperature, dscores_);
  Floats dq(q.size()), dv(q.size());
  check(host.matmul(context.call, 0, B, d, B, dscores_.data(), v.data(), dq.data()));
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, B, d, B, dscores_.data(), q.data(), dv.data()));
  plugin::normalize_backward(q, q_lengths, B, d, dq);
  plugin::normalize_backward(v, v_lengths, B, d, dv);
  item_rows_.sum_entries(context, dv.data(), d, items_.gradient());
  backward(context, dq);
  input_rows_.sum_entries(context, d_inputs_.data(), d, input_items_.gradient());
  return loss;
}

void SequenceGru::score_live(const Context& context, const Batch& batch, float* out_scores) {
  settle(context);
  run(context, batch, false, trace_);
  term_.collect(batch.items(), batch.n_rows(), batch.n_candidates());
  term_.score(context, trace_.queries.data(), items_.data(), out_scores);
}

void SequenceGru::freeze(const Context&) {
  if (!cosine()) return;
  Floats lengths;
  normalized_items_.resize(items_.n() * items_.d());
  plugin::normalize(items_.data(), items_.n(), items_.d(), normalized_items_.data(), lengths);
}

void SequenceGru::encode(const Context& context, const Batch& queries, float* out_vectors) const {
  Trace trace;
  run(context, queries, false, trace);
  Floats lengths;
  if (cosine())
    plugin::normalize(trace.queries.data(), queries.n_rows(), options_.emb_size, out_vectors, lengths);
  else
    std::copy(trace.queries.begin(), trace.queries.end(), out_vectors);
}

rec_tensor_view_t SequenceGru::table(int32_t) const {
  return plugin::host_view(cosine() ? normalized_items_.data() : items_.data(), items_.n(), items_.d());
}

}  // namespace rec::gru4rec
