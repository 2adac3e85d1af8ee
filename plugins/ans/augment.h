#pragma once

#include "plugins/common/pairwise.h"

namespace rec::ans {

struct AugmentOptions {
  double eps;          // weight of the augmentation gain in the choice
  double gamma;        // weight of the auxiliary losses
  double noise_scale;  // c
  double margin_eps;   // floor of the margin's denominator
};

// What one batch is augmented from: B rows, C = 1 + K candidates with the positive first, H hops. Vectors lie as
// [node, H, d] for the nodes that the batch touches; gates are the outputs of the two linear gates.
struct AugmentInput {
  int64_t B, C, H, d;
  const int32_t *user_slots, *item_slots;  // [B], [B, C]
  const float *users, *user_gates;         // [touched users, H, d]
  const float *items, *item_gates;         // [touched items, H, d]
  const float *margin_weight, *margin_bias;
  const float* noise;  // [B, K, H, d], uniform in [0, 1)
};

struct AugmentLosses {
  double bpr = 0, contrast = 0, distance = 0, orth = 0;

  double total(double gamma) const { return bpr + gamma * (contrast + distance + orth); }
};

// One negative of one row at one hop.
struct Negative {
  const float *n, *gate, *noise;  // [d]
  float* g;                       // [d], sigmoid of the gates' product
  float s_n, s_syn;               // u . n,  u . n_syn
  float easy_minus_hard;          // u . n_easy - u . n_hard
  float m, dm_dx;                 // margin and its slope by Lin_margin
  float direction;                // u . (sign(p_easy - n_easy) * nrm(noise))
  float distance, orth;
};

// Gradients of the total, one row for each place of a node in the batch; kept from batch to batch for its memory.
struct AugmentGradients {
  plugin::Floats users, user_gates;  // [B, H, d]
  plugin::Floats items, item_gates;  // [B, C, H, d]
  plugin::Floats margin_weight;      // [d]
  float margin_bias = 0;
  std::vector<int32_t> selected;  // [B, H], k*

  // What a row leaves for the sums over rows, and scratch.
  plugin::Floats gates;             // [B, K, H, d]
  plugin::Floats margins;           // [B, d + 1]
  std::vector<Negative> negatives;  // [B, H, K]
  std::vector<AugmentLosses> losses;
};

// Forward and backward of the augmentation on the CPU: the equations of augmented_losses in ans.cpp, row by row in the
// cache, where a chain of tensor operations would stream [B, K, H, d] through memory some sixty times.
AugmentLosses augment(const plugin::Context& context, const AugmentInput& input, const AugmentOptions& options,
                      AugmentGradients& gradients);

}  // namespace rec::ans
