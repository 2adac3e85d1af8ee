#pragma once

#include "rec_plugin_cpp.h"

namespace rec::gru4rec {

// The authors' first layer over one-hot items: an item's row of Wx is its input, and the reset gate acts before the
// recurrent product.  v = Wx[item] + b = [v_x, v_r, v_z];  r = s(v_r + (H Wrz)_r), z likewise;
// c = tanh(v_x + (r H) Wh);  H' = (1 - z) H + z c.
class OneHotGru {
 public:
  OneHotGru(int64_t n_items, int64_t hidden, const plugin::OptimizerOptions& optimizer);

  struct Trace {
    plugin::Floats gates;   // [n, 3h] c, r, z
    plugin::Floats before;  // [n, h] H
    plugin::Floats reset;   // [n, h] r H
    plugin::Floats states;  // [n, h]
  };
  int64_t hidden() const { return hidden_; }
  plugin::Parameter& wx() { return wx_; }
  void initialize(const plugin::Context& context, int64_t seed, int32_t stream);
  // Collects the rows of Wx that this step reads; to be called before forward.
  void collect(const plugin::Context& context, const int32_t* items, int64_t n);
  // h0 [n, h].
  void forward(const plugin::Context& context, const int32_t* items, int64_t n, const float* h0, Trace& trace) const;
  void backward(const plugin::Context& context, const Trace& trace, const plugin::Floats& d_states);
  void append_parameters(std::vector<plugin::Parameter*>& out) { out.insert(out.end(), {&wx_, &wrz_, &wh_, &b_}); }

 private:
  int64_t hidden_;
  plugin::Parameter wx_, wrz_, wh_, b_;  // [n_items, 3h], [h, 2h], [h, h], [3h]
  plugin::TouchedRows rows_;
};

}  // namespace rec::gru4rec
