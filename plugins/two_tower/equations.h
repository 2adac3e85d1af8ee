#pragma once

#include "plugins/two_tower/inputs.h"
#include "plugins/two_tower/tower.h"
#include "recore/plugin_torch.h"

namespace rec::two_tower {

using at::Tensor;

// x [n, input] of the given rows (int64, undefined: all). id_rows: their id embeddings, undefined without ids.
Tensor input_rows(const Inputs& inputs, const std::vector<Tensor>& parameters, const Tensor& id_rows,
                  const Tensor& rows);

// Unit vectors [n, out] of the rows x [n, input]; `parameters` are all of the model's.
Tensor encode(const Tower& tower, const std::vector<Tensor>& parameters, const Tensor& x);
// S [n, n] = D^-1/2 (A + I) D^-1/2, sparse; A is the relation, which is symmetric.
Tensor normalized_graph(const rec_csr_t& relation);
// The vectors of all items at once; S is of their graph.
Tensor encode_graph(const Tower& tower, const std::vector<Tensor>& parameters, const Tensor& x, const Tensor& S);

struct LossOptions {
  double temperature = 0.05;
  bool mask_accidental = true;
  int64_t num_hard_negatives = 0;  // 0: every column
  bool sum = false;                // over rows, else their mean
};

// Softmax over the items of the batch.   q, v: unit vectors [B, out], items: [B], log_p: [B] or undefined, reward: [B]
// or undefined.
Tensor batch_softmax_loss(const Tensor& q, const Tensor& v, const Tensor& items, const Tensor& log_p,
                          const Tensor& reward, const LossOptions& options);

}  // namespace rec::two_tower
