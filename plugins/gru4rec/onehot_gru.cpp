#include "plugins/gru4rec/onehot_gru.h"

#include "plugins/gru4rec/gru.h"

namespace rec::gru4rec {

using plugin::check;
using plugin::Context;
using plugin::Floats;

OneHotGru::OneHotGru(int64_t n_items, int64_t hidden, const plugin::OptimizerOptions& optimizer)
    : hidden_(hidden),
      wx_("onehot.Wx", n_items, 3 * hidden, optimizer),
      wrz_("onehot.Wrz", hidden, 2 * hidden, optimizer),
      wh_("onehot.Wh", hidden, hidden, optimizer),
      b_("onehot.b", 1, 3 * hidden, optimizer, {}, {3 * hidden}),
      rows_(n_items) {}

// Uniform weights, scaled by the size of one gate; zero biases.
void OneHotGru::initialize(const Context& context, int64_t seed, int32_t stream) {
  wx_.initialize(context, seed, stream, gate_init(wx_.n(), hidden_));
  wrz_.initialize(context, seed, stream + 1, gate_init(hidden_, hidden_));
  wh_.initialize(context, seed, stream + 2, gate_init(hidden_, hidden_));
  b_.initialize(context, seed, stream + 3);
}

void OneHotGru::collect(const Context& context, const int32_t* items, int64_t n) {
  rows_.collect(items, n);
  wx_.touch(context, rows_);
}

void OneHotGru::forward(const Context& context, const int32_t* items, int64_t n, const float* h0, Trace& trace) const {
  const rec_host_t& host = context.host;
  const int64_t h = hidden_;
  trace.gates.resize(n * 3 * h);
  trace.before.assign(h0, h0 + n * h);
  trace.reset.resize(n * h);
  trace.states.resize(n * h);
  Floats recurrent(n * 2 * h);
  check(host.matmul(context.call, 0, n, 2 * h, h, h0, wrz_.data(), recurrent.data()));
  for (int64_t b = 0; b < n; ++b) {
    float* gates = trace.gates.data() + b * 3 * h;
    for (int64_t k = 0; k < 3 * h; ++k) gates[k] = wx_.row(items[b])[k] + b_.data()[k];
    for (int64_t k = 0; k < 2 * h; ++k) gates[h + k] += recurrent[b * 2 * h + k];
    host.sigmoid(gates + h, 2 * h, gates + h);
    for (int64_t k = 0; k < h; ++k) trace.reset[b * h + k] = gates[h + k] * h0[b * h + k];
  }
  recurrent.resize(n * h);
  check(host.matmul(context.call, 0, n, h, h, trace.reset.data(), wh_.data(), recurrent.data()));
  for (int64_t b = 0; b < n; ++b) {
    float* gates = trace.gates.data() + b * 3 * h;
    for (int64_t k = 0; k < h; ++k) gates[k] += recurrent[b * h + k];
    host.tanh(gates, h, gates);
    for (int64_t k = 0; k < h; ++k)
      trace.states[b * h + k] = (1 - gates[2 * h + k]) * h0[b * h + k] + gates[2 * h + k] * gates[k];
  }
}

void OneHotGru::backward(const Context& context, const Trace& trace, const Floats& d_states) {
  const rec_host_t& host = context.host;
  const int64_t h = hidden_, n = std::ssize(d_states) / h;
  Floats d_gates(n * 3 * h), d_candidate(n * h), d_reset(d_candidate.size()), d_rz(n * 2 * h);
  for (int64_t b = 0; b < n; ++b) {
    const float *c = trace.gates.data() + b * 3 * h, *z = c + 2 * h, *before = trace.before.data() + b * h;
    float* d = d_gates.data() + b * 3 * h;
    for (int64_t k = 0; k < h; ++k) {
      const float dh = d_states[b * h + k];
      d[k] = d_candidate[b * h + k] = dh * z[k] * (1 - c[k] * c[k]);
      d[2 * h + k] = dh * (c[k] - before[k]) * z[k] * (1 - z[k]);
    }
  }
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_B, n, h, h, d_candidate.data(), wh_.data(), d_reset.data()));
  for (int64_t b = 0; b < n; ++b) {
    const float *r = trace.gates.data() + b * 3 * h + h, *before = trace.before.data() + b * h;
    float* d = d_gates.data() + b * 3 * h;
    for (int64_t k = 0; k < h; ++k) d[h + k] = d_reset[b * h + k] * before[k] * r[k] * (1 - r[k]);
    std::copy_n(d + h, 2 * h, d_rz.data() + b * 2 * h);
  }
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, h, 2 * h, n, trace.before.data(), d_rz.data(),
                    wrz_.dense_gradient()));
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, h, h, n, trace.reset.data(), d_candidate.data(),
                    wh_.dense_gradient()));
  float* d_b = b_.dense_gradient();
  std::fill_n(d_b, 3 * h, 0.f);
  for (int64_t b = 0; b < n; ++b)
    for (int64_t k = 0; k < 3 * h; ++k) d_b[k] += d_gates[b * 3 * h + k];
  rows_.sum_entries(context, d_gates.data(), 3 * h, wx_.gradient());
}

}  // namespace rec::gru4rec
