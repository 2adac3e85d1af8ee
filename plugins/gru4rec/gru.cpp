#include "plugins/gru4rec/gru.h"

#include "plugins/common/linear.h"

namespace rec::gru4rec {

using plugin::check;
using plugin::Floats;

namespace {

constexpr int64_t kSequences = 32;  // per thread, which takes them through all their steps

}  // namespace

void Packing::assign(const std::vector<int32_t>& lengths) {
  counts.clear();
  offsets.assign(1, 0);
  auto alive = std::ssize(lengths);
  for (int32_t t = 0;; ++t) {
    while (alive > 0 && lengths[alive - 1] <= t) --alive;
    if (alive == 0) return;
    counts.push_back(alive);
    offsets.push_back(offsets.back() + alive);
  }
}

GruLayer::GruLayer(const GruNames& names, int64_t in, int64_t hidden, const plugin::OptimizerOptions& optimizer)
    : hidden_(hidden),
      biases_(!names.bias_ih.empty()),
      ih_(names.weight_ih, 3 * hidden, in, optimizer),
      hh_(names.weight_hh, 3 * hidden, hidden, optimizer),
      bias_ih_(names.bias_ih, biases_ ? 1 : 0, 3 * hidden, optimizer, {}, {3 * hidden}),
      bias_hh_(names.bias_hh, biases_ ? 1 : 0, 3 * hidden, optimizer, {}, {3 * hidden}) {}

void GruLayer::append_parameters(std::vector<plugin::Parameter*>& out) {
  out.insert(out.end(), {&ih_, &hh_});
  if (biases_) out.insert(out.end(), {&bias_ih_, &bias_hh_});
}

void GruLayer::forward(const Context& context, const Packing& packing, const float* x, const float* h0,
                       Trace& trace) const {
  const rec_host_t& host = context.host;
  const int64_t h = hidden_, rows = packing.rows();
  trace.gates.resize(rows * 3 * h);
  for (Floats* buffer : {&trace.candidate, &trace.before, &trace.states}) buffer->resize(rows * h);
  if (rows == 0) return;
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_B, rows, 3 * h, in(), x, ih_.data(), trace.gates.data()));
  const Floats hh = plugin::transposed(hh_.data(), 3 * h, h);
  plugin::parallel_for(context, packing.counts[0], kSequences, [&](int64_t begin, int64_t end) {
    Floats recurrent((end - begin) * 3 * h);
    for (int64_t t = 0; t < packing.steps(); ++t) {
      const int64_t n = std::min(end, packing.counts[t]) - begin;
      if (n <= 0) return;
      const int64_t first = packing.offsets[t] + begin;
      float* before = trace.before.data() + first * h;
      if (t > 0)
        std::copy_n(trace.states.data() + (packing.offsets[t - 1] + begin) * h, n * h, before);
      else if (h0 != nullptr)
        std::copy_n(h0 + begin * h, n * h, before);
      else
        std::fill_n(before, n * h, 0.f);
      if (t > 0 || h0 != nullptr)
        check(host.matmul(context.call, 0, n, 3 * h, h, before, hh.data(), recurrent.data()));
      else
        std::fill_n(recurrent.begin(), n * 3 * h, 0.f);
      for (int64_t b = 0; b < n; ++b) step(host, first + b, recurrent.data() + b * 3 * h, trace);
    }
  });
}

// One position: computes the gates and the state from x W_ih^T, which its gates hold on entry, and h W_hh^T.
void GruLayer::step(const rec_host_t& host, int64_t row, float* from_state, Trace& trace) const {
  const int64_t h = hidden_;
  float* gates = trace.gates.data() + row * 3 * h;
  float* candidate = trace.candidate.data() + row * h;
  float* state = trace.states.data() + row * h;
  const float* before = trace.before.data() + row * h;
  if (biases_) {
    for (int64_t k = 0; k < 3 * h; ++k) gates[k] += bias_ih_.data()[k];
    for (int64_t k = 0; k < 3 * h; ++k) from_state[k] += bias_hh_.data()[k];
  }
  for (int64_t k = 0; k < 2 * h; ++k) gates[k] += from_state[k];
  host.sigmoid(gates, 2 * h, gates);
  std::copy_n(from_state + 2 * h, h, candidate);
  for (int64_t k = 0; k < h; ++k) gates[2 * h + k] += gates[k] * candidate[k];
  host.tanh(gates + 2 * h, h, gates + 2 * h);
  for (int64_t k = 0; k < h; ++k) state[k] = (1 - gates[h + k]) * gates[2 * h + k] + gates[h + k] * before[k];
}

// Gradients of one position's pre-activations: d_input_ for those of x, d_recurrent_ for those of h.
void GruLayer::step_backward(int64_t row, const Trace& trace, const Floats& d_states) {
  const int64_t h = hidden_;
  const float *r = trace.gates.data() + row * 3 * h, *z = r + h, *c = r + 2 * h;
  const float *candidate = trace.candidate.data() + row * h, *before = trace.before.data() + row * h;
  const float* d_state = d_states.data() + row * h;
  float *d_in = d_input_.data() + row * 3 * h, *d_rec = d_recurrent_.data() + row * 3 * h;
  float* __restrict dr = d_in;
  float* __restrict dz = d_in + h;
  float* __restrict dc = d_in + 2 * h;
  float* __restrict d_candidate = d_rec + 2 * h;
  for (int64_t k = 0; k < h; ++k) {
    dc[k] = d_state[k] * (1 - z[k]) * (1 - c[k] * c[k]);  // of the input of tanh
    dz[k] = d_state[k] * (before[k] - c[k]) * z[k] * (1 - z[k]);
    dr[k] = dc[k] * candidate[k] * r[k] * (1 - r[k]);
    d_candidate[k] = dc[k] * r[k];
  }
  std::copy_n(d_in, 2 * h, d_rec);
}

void GruLayer::backward(const Context& context, const Packing& packing, const float* x, const Trace& trace,
                        Floats& d_states, float* dx) {
  const rec_host_t& host = context.host;
  const int64_t h = hidden_, rows = packing.rows();
  d_input_.resize(rows * 3 * h);
  d_recurrent_.resize(rows * 3 * h);
  plugin::parallel_for(
      context, packing.steps() > 0 ? packing.counts[0] : 0, kSequences, [&](int64_t begin, int64_t end) {
        for (int64_t t = packing.steps() - 1; t >= 0; --t) {
          const int64_t n = std::min(end, packing.counts[t]) - begin;
          if (n <= 0) continue;
          const int64_t first = packing.offsets[t] + begin;
          for (int64_t b = first; b < first + n; ++b) step_backward(b, trace, d_states);
          if (t == 0) break;
          // h reaches h' through W_hh and through z.
          float* earlier = d_states.data() + (packing.offsets[t - 1] + begin) * h;
          check(host.matmul(context.call, REC_MATMUL_ADD, n, h, 3 * h, d_recurrent_.data() + first * 3 * h, hh_.data(),
                            earlier));
          for (int64_t b = 0; b < n; ++b)
            for (int64_t k = 0; k < h; ++k)
              earlier[b * h + k] += d_states[(first + b) * h + k] * trace.gates[(first + b) * 3 * h + h + k];
        }
      });
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, 3 * h, in(), rows, d_input_.data(), x, ih_.dense_gradient()));
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, 3 * h, h, rows, d_recurrent_.data(), trace.before.data(),
                    hh_.dense_gradient()));
  if (biases_)
    for (auto [bias, gradient] : {std::pair{&bias_ih_, &d_input_}, {&bias_hh_, &d_recurrent_}}) {
      float* sum = bias->dense_gradient();
      std::fill_n(sum, 3 * h, 0.f);
      for (int64_t b = 0; b < rows; ++b)
        for (int64_t k = 0; k < 3 * h; ++k) sum[k] += (*gradient)[b * 3 * h + k];
    }
  if (dx != nullptr) check(host.matmul(context.call, 0, rows, in(), 3 * h, d_input_.data(), ih_.data(), dx));
}

}  // namespace rec::gru4rec
