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

constexpr Table table_of_this_level(const char* name) {
  return {name,         propagate_rows, weighted_rows,   pair_scores, score_tiles,   top_k,        top_k_of_scores,
          bpr_softplus, bpr_log,        bpr_multi,       bce_logits,  softmax_ce,    adam_rows,    lazy_adam_rows,
          sgd_rows,     adagrad_rows,   rank_update_f64, product,     solve<double>, solve<float>, augment_rows,
          transpose,    philox_floats,  exp_of,          log_of,      log1p_of,      sigmoid_of,   tanh_of};
}

}  // namespace
}  // namespace rec::kernels
