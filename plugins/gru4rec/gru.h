#pragma once

#include "rec_plugin_cpp.h"

namespace rec::gru4rec {

using plugin::Batch;
using plugin::Context;

// Sequences of different lengths, packed longest first: step t has counts[t] of them, and its rows follow
// those of step t - 1. Row b of a step is sequence b.
struct Packing {
  std::vector<int64_t> counts;   // non-increasing
  std::vector<int64_t> offsets;  // [steps + 1] first row of each step

  int64_t steps() const { return std::ssize(counts); }
  int64_t rows() const { return offsets.empty() ? 0 : offsets.back(); }
  void assign(const std::vector<int32_t>& lengths);  // lengths: non-increasing
};

// U(-a, a) with a = sqrt(6 / (rows + columns)) for one gate.
inline plugin::Init gate_init(int64_t rows, int64_t columns) {
  return plugin::Init::uniform(std::sqrt(6.0 / static_cast<double>(rows + columns)));
}

struct GruNames {
  std::string weight_ih, weight_hh, bias_ih, bias_hh;  // biases are "" for a GRU without them
};

// A layer of gated recurrent units:  r = s(W_ir x + b + W_hr h + b'),  z likewise,
// n = tanh(W_in x + b + r (W_hn h + b')),  h' = (1 - z) n + z h.  Weights are stacked r, z, n.
class GruLayer {
 public:
  GruLayer(const GruNames& names, int64_t in, int64_t hidden, const plugin::OptimizerOptions& optimizer);

  int64_t in() const { return ih_.d(); }
  int64_t hidden() const { return hidden_; }
  plugin::Parameter& weight_ih() { return ih_; }
  plugin::Parameter& weight_hh() { return hh_; }
  plugin::Parameter* bias_ih() { return biases_ ? &bias_ih_ : nullptr; }
  plugin::Parameter* bias_hh() { return biases_ ? &bias_hh_ : nullptr; }
  void append_parameters(std::vector<plugin::Parameter*>& out);

  // What a forward pass keeps for the backward pass; queries have their own.
  struct Trace {
    plugin::Floats gates;      // [rows, 3h] r, z, n
    plugin::Floats candidate;  // [rows, h] W_hn h + b'
    plugin::Floats before;     // [rows, h] the state that a row started from
    plugin::Floats states;     // [rows, h] h'
  };
  // x [rows, in]; h0 [counts[0], h] nullable = zeros.
  void forward(const Context& context, const Packing& packing, const float* x, const float* h0, Trace& trace) const;
  // d_states [rows, h]: gradient of each h'; what flows back through time is added to it. Fills the parameters'
  // gradients, and dx [rows, in] unless it is nullptr. h0 gets no gradient.
  void backward(const Context& context, const Packing& packing, const float* x, const Trace& trace,
                plugin::Floats& d_states, float* dx);

 private:
  void step(const rec_host_t& host, int64_t row, float* from_state, Trace& trace) const;
  void step_backward(int64_t row, const Trace& trace, const plugin::Floats& d_states);

  int64_t hidden_;
  bool biases_;
  plugin::Parameter ih_, hh_, bias_ih_, bias_hh_;
  plugin::Floats d_input_, d_recurrent_;  // [rows, 3h] of W_i x + b and of W_h h + b'
};

}  // namespace rec::gru4rec
