#pragma once

#include "core/kernels/kernels.h"

namespace rec::kernels {

// What the forward pass of augment_rows keeps for the negatives of one row at one hop: arrays of K values, each padded
// to whole lanes, then the gates [K, d].
enum AugmentValue {
  kOfNegative,   // u . n
  kOfSynthetic,  // u . n_syn
  kSplit,        // u . n_easy - u . n_hard
  kMargin,       // m; at first the output of the margin model
  kMarginSlope,  // dm / d(output of the margin model)
  kDirection,    // u . (sign(p_easy - n_easy) * noise) / |noise|
  kNoiseLength,  // |noise|
  kDistance,     // |n_hard - p_hard + 1e-6|
  kOrth,         // |p_easy * n_easy|
  kShare,        // in the softmax of kSplit and an extra 0
  kAugmentValues
};

// Internal linkage: a copy compiled with AVX must not win the link.
static inline int64_t augment_stride(int64_t K) { return (K + 15) / 16 * 16; }
static inline int64_t augment_hop_size(int64_t K, int64_t d) { return kAugmentValues * augment_stride(K) + K * d; }

}  // namespace rec::kernels
