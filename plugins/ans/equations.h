#pragma once

#include "plugins/ans/augment.h"
#include "plugins/common/propagate_hops.h"

namespace rec::ans {

using at::Tensor;

// The vectors of a batch at every hop h: users u and positives p [B, H, d], negatives n [B, K, H, d], the outputs of the
// two linear gates beside u and n, the weight [1, d] and bias [1, 1] of Lin_margin, uniform noise [B, K, H, d].
struct Augmented {
  Tensor u, p, n, user_gate, item_gate, margin_weight, margin_bias, noise;
};

struct Terms {
  Tensor bpr, contrast, distance, orth;        // scalars
  Tensor gate, margin, n_hard, n_easy, n_syn;  // [B, K, H, d], the margin [B, K, H, 1]
  Tensor selected;                             // [B, H], k*

  Tensor total(double gamma) const { return bpr + gamma * (contrast + distance + orth); }
};

// Sections 3.2 and 3.3 of the paper as tensor operations, on the device of its inputs.
Terms augmented_losses(const Augmented& in, const AugmentOptions& options);

}  // namespace rec::ans
