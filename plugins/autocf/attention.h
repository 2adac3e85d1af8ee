#pragma once

#include "plugins/autocf/masks.h"

namespace rec::autocf {

// Graph attention over the entries (r, c) of a pattern, per head: a = clamp(q_r . k_c, -10, 10),
// alpha = e^a / (sum over the row of e^a + 1e-8), out_r = sum of alpha v_c.   q, k, v, out: [N, d], heads side by side.
struct Attention {
  const Pattern& pattern;
  int64_t n_heads, d;
  const float *q, *k, *v;
};

// alpha and inside [nnz, heads] are for the backward pass; inside is 0 where the clamp acts and no gradient passes.
void attend(const plugin::Context& context, const Attention& in, float* alpha, float* inside, float* out);

struct AttentionGradients {
  float *q, *k, *v;  // [N, d]
};
// d_logits [nnz, heads] is scratch.
void attend_backward(const plugin::Context& context, const Attention& in, const float* alpha, const float* inside,
                     const float* d_out, float* d_logits, const AttentionGradients& to);

}  // namespace rec::autocf
