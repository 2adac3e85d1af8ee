#include "core/kernels/kernels.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/impl_augment_scratch.h"
#include "core/kernels/impl_topk_scratch.h"
#include "core/kernels/levels.h"

namespace rec::kernels {

int64_t tile_count(int64_t n_items) { return (n_items + kTileItems - 1) / kTileItems; }

int64_t tiled_size(int64_t n_items, int64_t d) { return tile_count(n_items) * kTileItems * d; }

void tile_items(const float* items, int64_t n_items, int64_t d, float* tiles, int64_t tile_begin, int64_t tile_end) {
  for (int64_t t = tile_begin; t < tile_end; ++t) {
    float* tile = tiles + t * kTileItems * d;
    for (int64_t lane = 0; lane < kTileItems; ++lane) {
      const int64_t i = t * kTileItems + lane;
      for (int64_t j = 0; j < d; ++j) tile[j * kTileItems + lane] = i < n_items ? items[i * d + j] : 0.0f;
    }
  }
}

int64_t top_k_scratch_bytes(int64_t n_items, int64_t k) { return kTopKQueries * selection_bytes(std::min(n_items, k)); }

int64_t augment_scratch(const Augment& a) { return a.n_hops * augment_hop_size(a.n_candidates - 1, a.d); }

void adam_steps(double lr, double beta1, double beta2, int64_t n_steps, AdamStep* table) {
  double power1 = 1, power2 = 1;
  for (int64_t t = 1; t <= n_steps; ++t) {
    power1 *= beta1;
    power2 *= beta2;
    table[t] = {static_cast<float>(lr / (1 - power1)), static_cast<float>(1 / std::sqrt(1 - power2))};
  }
}

const KernelTable* table(Level level) {
  switch (level) {
    case Level::kScalar: return &kScalarTable;
#if defined(__x86_64__)
    case Level::kAvx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kAvx2Table : nullptr;
    case Level::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && table(Level::kAvx2)
                 ? &kAvx512Table
                 : nullptr;
#endif
    default: return nullptr;
  }
}

const KernelTable& fastest() {
  for (Level level : {Level::kAvx512, Level::kAvx2})
    if (const KernelTable* found = table(level)) return *found;
  return kScalarTable;
}

}  // namespace rec::kernels
