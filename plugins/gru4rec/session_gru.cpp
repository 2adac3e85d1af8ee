#include "plugins/gru4rec/session_gru.h"

namespace rec::gru4rec {

using plugin::check;
using plugin::Floats;

void SessionGru::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_SESSIONS;
  plan.negatives = options.n_sample > 0 ? REC_NEGATIVES_SHARED : REC_NEGATIVES_NONE;
  plan.n_shared = options.n_sample;
  plan.shared_alpha = options.sample_alpha;
  plan.capabilities &= ~REC_CAP_SCORE_LIVE;
  const bool separate = options.input == Input::kSeparate, one_hot = options.input == Input::kOneHot;
  int64_t in = separate ? options.emb_size : options.layers.back(), width = 0;
  int64_t weights = schema.n_items * (options.layers.back() + 1 + (separate ? options.emb_size : 0));
  for (size_t l = 0; l < options.layers.size(); ++l) {
    const int64_t h = options.layers[l];
    weights += 3 * h * ((l == 0 && one_hot ? schema.n_items : in) + h + 2);
    width += (schema.n_interactions > 0 ? 10 : 1) * h;  // its state; in training the intermediates too
    in = h;
  }
  const int64_t alive = schema.n_interactions > 0 ? std::min(options.batch_size, schema.n_users) : 0;
  plan.memory_bytes =
      plugin::weight_bytes(schema) * weights + 4 * options.batch_size * width + 8 * alive * (alive + options.n_sample);
  plugin::want(plan, {REC_COLUMN_HISTORY, REC_COLUMN_ITEM, REC_COLUMN_SESSION_RESET, REC_COLUMN_SLOT_KEEP});
  if (options.n_sample > 0) plugin::want(plan, {REC_COLUMN_SHARED_ITEM});
}

SessionGru::SessionGru(const Options& options, const rec_schema_t& schema)
    : options_(options),
      out_emb_("item_out_emb", schema.n_items, options.layers.back(), options.optimizer),
      out_bias_("item_bias", schema.n_items, 1, options.optimizer),
      in_emb_("item_in_emb", options.input == Input::kSeparate ? schema.n_items : 0, options.emb_size,
              options.optimizer),
      out_rows_(schema.n_items),
      bias_rows_(schema.n_items),
      in_rows_(schema.n_items) {
  int64_t in = input_items().d();
  for (size_t l = 0; l < options.layers.size(); ++l) {
    const std::string prefix = "gru." + std::to_string(l) + ".";
    if (l == 0 && one_hot())
      one_hot_ = std::make_unique<OneHotGru>(schema.n_items, options.layers[0], options.optimizer);
    else
      layers_.push_back(std::make_unique<GruLayer>(
          GruNames{prefix + "weight_ih", prefix + "weight_hh", prefix + "bias_ih", prefix + "bias_hh"}, in,
          options.layers[l], options.optimizer));
    in = options.layers[l];
    hidden_.emplace_back(options.batch_size * in);
    hidden_names_.push_back("state.hidden." + std::to_string(l));
  }
  traces_.resize(layers_.size());
  outputs_.resize(hidden_.size());
  output_masks_.resize(hidden_.size());
  next_.resize(hidden_.size());
}

std::vector<plugin::Parameter*> SessionGru::parameters() {
  std::vector<plugin::Parameter*> all{&out_emb_, &out_bias_};
  if (options_.input == Input::kSeparate) all.push_back(&in_emb_);
  if (one_hot_) one_hot_->append_parameters(all);
  for (auto& layer : layers_) layer->append_parameters(all);
  return all;
}

void SessionGru::append_state(std::vector<plugin::TensorRef>& out) {
  for (size_t l = 0; l < hidden_.size(); ++l)
    out.push_back({hidden_names_[l].c_str(),
                   REC_DTYPE_F32,
                   REC_TENSOR_STATE,
                   {options_.batch_size, options_.layers[l]},
                   hidden_[l].data()});
  out.push_back({"state.slots", REC_DTYPE_I64, REC_TENSOR_STATE, {1}, &n_slots_, 0, options_.batch_size});
}

// Uniform weights, scaled by the size of one gate; zero biases.
void SessionGru::initialize(const Context& context, int64_t seed) {
  out_emb_.initialize(context, seed, kItems, gate_init(out_emb_.n(), out_emb_.d()));
  out_bias_.initialize(context, seed, kBias);
  in_emb_.initialize(context, seed, kInputItems, gate_init(in_emb_.n(), in_emb_.d()));
  int32_t stream = kLayers;
  if (one_hot_) one_hot_->initialize(context, seed, stream);
  for (auto& layer : layers_) {
    stream += 4;
    layer->weight_ih().initialize(context, seed, stream, gate_init(layer->in(), layer->hidden()));
    layer->weight_hh().initialize(context, seed, stream + 1, gate_init(layer->hidden(), layer->hidden()));
    for (plugin::Parameter* bias : {layer->bias_ih(), layer->bias_hh()}) bias->initialize(context, seed, stream);
  }
  for (Floats& hidden : hidden_) std::fill(hidden.begin(), hidden.end(), 0.f);
  n_slots_ = 0;
}

void SessionGru::bind(const Context&, const rec_dataset_view_t& view) { by_item_ = view.by_item; }

// Deletes the rows of slots that are gone and zeroes those of slots that begin a session.
void SessionGru::move_slots(const Batch& batch) {
  const auto& keep = batch.column(REC_COLUMN_SLOT_KEEP);
  const auto* kept = static_cast<const int32_t*>(keep.data);
  const auto* reset = batch.get<int32_t>(REC_COLUMN_SESSION_RESET);
  const int64_t before = std::min(keep.shape[0], n_slots_);
  next_ = hidden_;
  for (size_t l = 0; l < hidden_.size(); ++l) {
    const int64_t h = options_.layers[l];
    int64_t n = 0;
    for (int64_t s = 0; s < before; ++s)
      if (kept[s] != 0) std::copy_n(hidden_[l].data() + s * h, h, next_[l].data() + n++ * h);
    for (int64_t s = 0; s < batch.n_rows(); ++s)
      if (reset[s] != 0) std::fill_n(next_[l].data() + s * h, h, 0.f);
  }
}

void SessionGru::collect(const Context& context, const Batch& batch) {
  n_rows_ = batch.n_rows();
  inputs_ = batch.history();
  columns_.assign(batch.items(), batch.items() + n_rows_);
  if (options_.n_sample > 0) {
    const auto* samples = batch.get<int32_t>(REC_COLUMN_SHARED_ITEM);
    columns_.insert(columns_.end(), samples, samples + batch.column(REC_COLUMN_SHARED_ITEM).shape[0]);
  }
  std::vector<int32_t> ids(columns_);  // a shared table is read on both sides
  if (options_.input == Input::kConstrained) ids.insert(ids.end(), inputs_, inputs_ + n_rows_);
  plugin::parallel_for(context, 2, 1, [&](int64_t which, int64_t) {
    if (which == 0)
      out_rows_.collect(ids);
    else
      bias_rows_.collect(columns_);
  });
  out_emb_.touch(context, out_rows_);
  out_bias_.touch(context, bias_rows_);
  if (options_.input == Input::kSeparate) {
    in_rows_.collect(inputs_, n_rows_);
    in_emb_.touch(context, in_rows_);
  }
  if (one_hot_) one_hot_->collect(context, inputs_, n_rows_);
}

// A one-hot first layer is the authors' embedding, and is dropped as one.
double SessionGru::dropout_of(size_t layer) const {
  return one_hot_ && layer == 0 ? options_.dropout_embed : options_.dropout_hidden;
}

// One event of each slot through the layers, then s_mc = h_m . item_out_c + bias_c.
void SessionGru::forward(const Context& context, const Batch& batch) {
  const rec_host_t& host = context.host;
  const int64_t M = n_rows_, C = std::ssize(columns_), h = options_.layers.back();
  packing_.counts.assign(1, M);
  packing_.offsets = {0, M};
  const float* x = nullptr;
  if (!one_hot_) {
    const int64_t d = input_items().d();
    input_rows_.resize(M * d);
    input_items().gather(context, inputs_, M, input_rows_.data());
    if (options_.dropout_embed > 0)
      plugin::dropout(context, {options_.seed, kDropout, batch.raw.epoch, batch.raw.index}, options_.dropout_embed,
                      input_rows_, embed_mask_);
    x = input_rows_.data();
  }
  const size_t first = one_hot_ ? 1 : 0;
  for (size_t l = 0; l < hidden_.size(); ++l) {
    if (l < first) {
      one_hot_->forward(context, inputs_, M, next_[0].data(), one_hot_trace_);
      outputs_[0] = one_hot_trace_.states;
    } else {
      layers_[l - first]->forward(context, packing_, x, next_[l].data(), traces_[l - first]);
      outputs_[l] = traces_[l - first].states;
    }
    if (const double share = dropout_of(l); share > 0)
      plugin::dropout(context,
                      {options_.seed, static_cast<int32_t>(kDropout + 1 + l), batch.raw.epoch, batch.raw.index}, share,
                      outputs_[l], output_masks_[l]);
    x = outputs_[l].data();
  }
  column_vectors_.resize(C * h);
  column_biases_.resize(C);
  out_emb_.gather(context, columns_.data(), C, column_vectors_.data());
  out_bias_.gather(context, columns_.data(), C, column_biases_.data());
  scores_.resize(M * C);
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_B, M, C, h, x, column_vectors_.data(), scores_.data()));
  for (int64_t m = 0; m < M; ++m)
    for (int64_t c = 0; c < C; ++c) scores_[m * C + c] += column_biases_[c];
}

namespace {

// -mean_m ln softmax(s_m)[m]. The authors add 1e-24 to the probability, which float32 does not see above s = -55.
double cross_entropy(const Context& context, Floats& s, int64_t M, int64_t C, Floats& ds) {
  const auto targets_first = [&](Floats& matrix) {  // the kernel's target is column 0
    for (int64_t m = 0; m < M; ++m) std::swap(matrix[m * C], matrix[m * C + m]);
  };
  double mean = 0;
  targets_first(s);
  check(context.host.loss(context.call, REC_LOSS_SOFTMAX, s.data(), M, C, &mean, ds.data()));
  targets_first(s);
  targets_first(ds);
  return mean;
}

// sum_m -ln( sum_c w_mc sigma(s_mm - s_mc) + 1e-24 ) + bpreg sum_c w_mc s_mc^2,  w_m = softmax over c != m.
double bpr_max(const Context& context, const Floats& s, int64_t M, int64_t C, double bpreg, Floats& ds) {
  double loss = 0;
  Floats w(C), sigma(C);
  for (int64_t m = 0; m < M; ++m) {
    const float* row = s.data() + m * C;
    float* d = ds.data() + m * C;
    float largest = 0;  // as in the authors' code, the positive counts as 0
    for (int64_t c = 0; c < C; ++c)
      if (c != m) largest = std::max(largest, row[c]);
    for (int64_t c = 0; c < C; ++c) {
      w[c] = row[c] - largest;
      sigma[c] = row[m] - row[c];
    }
    context.host.exp(w.data(), C, w.data());
    context.host.sigmoid(sigma.data(), C, sigma.data());
    w[m] = 0;
    double total = 0, p = 0, square = 0;
    for (int64_t c = 0; c < C; ++c) total += w[c];
    for (int64_t c = 0; c < C; ++c) {
      float& weight = w[c];
      weight = static_cast<float>(weight / total);
      p += static_cast<double>(weight) * sigma[c];
      square += static_cast<double>(weight) * row[c] * row[c];
    }
    loss += -std::log(p + 1e-24) + bpreg * square;
    // dw_c/ds_k = w_c ([c = k] - w_k), so an expectation E of f has gradient w_k (f_k - E) beside its own.
    const double by_p = -1 / (p + 1e-24);
    double own = 0;
    for (int64_t c = 0; c < C; ++c) {
      const double weight = w[c], sig = sigma[c];
      const double slope = by_p * weight * sig * (1 - sig);
      own += slope;
      d[c] = static_cast<float>(by_p * weight * (sig - p) - slope +
                                bpreg * weight * (static_cast<double>(row[c]) * row[c] - square + 2 * row[c]));
    }
    d[m] = static_cast<float>(own);
  }
  return loss;
}

}  // namespace

double SessionGru::loss(const Context& context, int64_t M, int64_t C) {
  d_scores_.resize(scores_.size());
  // Divided by the configured batch size, even when fewer sessions are alive.
  double value, share = 1.0 / static_cast<double>(options_.batch_size);
  if (options_.loss == Loss::kBprMax) {
    const auto a = static_cast<float>(options_.elu);
    Floats activated(scores_);
    if (a > 0)
      for (float& score : activated) score = score > 0 ? score : a * (std::exp(score) - 1);
    value = bpr_max(context, activated, M, C, options_.bpreg, d_scores_);
    for (size_t e = 0; e < scores_.size() && a > 0; ++e)
      if (scores_[e] <= 0) d_scores_[e] *= activated[e] + a;  // d ELU = a e^x
  } else {
    if (options_.logq > 0) {
      // As in the authors' code: raw counts for the batch's targets, counts^alpha for the samples.
      for (int64_t c = 0; c < C; ++c) {
        const int32_t item = columns_[c];
        const auto count = static_cast<double>(by_item_.offsets[item + 1] - by_item_.offsets[item]);
        const double log_q = std::log(count) * (c < M ? 1 : options_.sample_alpha);
        for (int64_t m = 0; m < M; ++m) scores_[m * C + c] -= static_cast<float>(options_.logq * log_q);
      }
    }
    value = cross_entropy(context, scores_, M, C, d_scores_);
    share *= static_cast<double>(M);
  }
  if (share != 1)
    for (float& slope : d_scores_) slope *= static_cast<float>(share);
  return value * share;
}

double SessionGru::compute(const Context& context, const Batch& batch) {
  move_slots(batch);
  collect(context, batch);
  forward(context, batch);
  const auto C = std::ssize(columns_);
  const double value = loss(context, n_rows_, C);
  backward(context, d_scores_);
  return value;
}

// One step back through the layers; the carried states are constants.
void SessionGru::backward(const Context& context, const Floats& d_scores) {
  const rec_host_t& host = context.host;
  const int64_t M = n_rows_, C = std::ssize(columns_), h = options_.layers.back();
  // The columns' rows, followed by the inputs' rows where one table serves both.
  const bool constrained = options_.input == Input::kConstrained;
  d_columns_.resize((C + (constrained ? M : 0)) * h);
  Floats d_output(M * h), d_x;
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, C, h, M, d_scores.data(), outputs_.back().data(),
                    d_columns_.data()));
  check(host.matmul(context.call, 0, M, h, C, d_scores.data(), column_vectors_.data(), d_output.data()));
  Floats d_biases(C, 0.f);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t c = 0; c < C; ++c) d_biases[c] += d_scores[m * C + c];
  bias_rows_.sum_entries(context, d_biases.data(), 1, out_bias_.gradient());

  const size_t first = one_hot_ ? 1 : 0;
  for (size_t l = hidden_.size(); l-- > 0;) {
    if (dropout_of(l) > 0) plugin::multiply(d_output.data(), output_masks_[l].data(), std::ssize(d_output));
    if (l < first) {
      one_hot_->backward(context, one_hot_trace_, d_output);
      break;
    }
    const float* x = l == 0 ? input_rows_.data() : outputs_[l - 1].data();
    d_x.resize(M * layers_[l - first]->in());
    layers_[l - first]->backward(context, packing_, x, traces_[l - first], d_output, d_x.data());
    std::swap(d_output, d_x);
  }
  if (!one_hot_ && options_.dropout_embed > 0)
    plugin::multiply(d_output.data(), embed_mask_.data(), std::ssize(d_output));
  if (constrained) std::copy(d_output.begin(), d_output.end(), d_columns_.begin() + C * h);
  out_rows_.sum_entries(context, d_columns_.data(), h, out_emb_.gradient());
  if (options_.input == Input::kSeparate)
    in_rows_.sum_entries(context, d_output.data(), in_emb_.d(), in_emb_.gradient());
}

void SessionGru::apply(const Context& context) {
  Model::apply(context);
  for (size_t l = 0; l < hidden_.size(); ++l) {
    std::swap(hidden_[l], next_[l]);
    std::copy(outputs_[l].begin(), outputs_[l].end(), hidden_[l].begin());
  }
  n_slots_ = n_rows_;
}

void SessionGru::freeze(const Context&) {
  const int64_t h = options_.layers.back();
  served_.resize(out_emb_.n() * (h + 1));
  for (int64_t i = 0; i < out_emb_.n(); ++i) {
    std::copy_n(out_emb_.row(i), h, served_.data() + i * (h + 1));
    served_[i * (h + 1) + h] = *out_bias_.row(i);
  }
}

// The state after the last item, and 1 for the bias. All queries advance together, one item at a time.
void SessionGru::encode(const Context& context, const Batch& queries, float* out_vectors) const {
  const int64_t B = queries.n_rows(), T = queries.history_width(), h_last = options_.layers.back();
  const size_t first = one_hot_ ? 1 : 0;
  std::vector<Floats> state;
  for (int64_t size : options_.layers) state.emplace_back(B * size, 0.f);
  Packing step;
  GruLayer::Trace trace;
  OneHotGru::Trace one_hot_trace;
  for (int64_t t = 0; t < T; ++t) {
    std::vector<int32_t> alive, items;
    for (int64_t b = 0; b < B; ++b)
      if (queries.history_lengths()[b] > t) {
        alive.push_back(static_cast<int32_t>(b));
        items.push_back(queries.history()[b * T + t]);
      }
    const auto n = std::ssize(alive);
    if (n == 0) break;
    step.counts.assign(1, n);
    step.offsets = {0, n};
    Floats x;
    if (!one_hot_)
      for (int32_t item : items)
        x.insert(x.end(), input_items().row(item), input_items().row(item) + input_items().d());
    for (size_t l = 0; l < state.size(); ++l) {
      const int64_t h = options_.layers[l];
      Floats before;
      for (int32_t b : alive) before.insert(before.end(), state[l].data() + b * h, state[l].data() + (b + 1) * h);
      if (l < first)
        one_hot_->forward(context, items.data(), n, before.data(), one_hot_trace);
      else
        layers_[l - first]->forward(context, step, x.data(), before.data(), trace);
      x = l < first ? one_hot_trace.states : trace.states;
      for (int64_t s = 0; s < n; ++s) std::copy_n(x.data() + s * h, h, state[l].data() + alive[s] * h);
    }
  }
  for (int64_t b = 0; b < B; ++b) {
    std::copy_n(state.back().data() + b * h_last, h_last, out_vectors + b * (h_last + 1));
    out_vectors[b * (h_last + 1) + h_last] = 1;
  }
}

rec_tensor_view_t SessionGru::table(int32_t) const {
  return plugin::host_view(served_.data(), out_emb_.n(), options_.layers.back() + 1);
}

}  // namespace rec::gru4rec
