#pragma once

#include "core/kernels/impl_augment.h"
#include "core/kernels/impl_loss.h"
#include "core/kernels/impl_matrix.h"
#include "core/kernels/impl_optimizers.h"
#include "core/kernels/impl_product.h"
#include "core/kernels/impl_random.h"
#include "core/kernels/impl_rows.h"
#include "core/kernels/impl_solve.h"
#include "core/kernels/impl_topk.h"

namespace rec::kernels {
namespace {

constexpr KernelTable table_of_this_level(const char* name) {
  return {
      .name = name,
      .propagate_rows = propagate_rows,
      .weighted_rows = weighted_rows,
      .pair_scores = pair_scores,
      .score_tiles = score_tiles,
      .top_k = top_k,
      .top_k_of_scores = top_k_of_scores,
      .bpr_softplus = bpr_softplus,
      .bpr_log = bpr_log,
      .bpr_multi = bpr_multi,
      .bce_logits = bce_logits,
      .softmax_ce = softmax_ce,
      .adam_rows = adam_rows,
      .lazy_adam_rows = lazy_adam_rows,
      .sgd_rows = sgd_rows,
      .adagrad_rows = adagrad_rows,
      .rank_update_f64 = rank_update_f64,
      .product = product,
      .solve_f64 = solve<double>,
      .solve_f32 = solve<float>,
      .augment_rows = augment_rows,
      .transpose = transpose,
      .philox_floats = philox_floats,
      .exp = exp_of,
      .log = log_of,
      .log1p = log1p_of,
      .sigmoid = sigmoid_of,
      .tanh = tanh_of,
  };
}

}  // namespace
}  // namespace rec::kernels
