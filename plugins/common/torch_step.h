#pragma once

// For a model's own .cpp only: LibTorch's headers take seconds, and plugin.cpp needs none of them.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plugins/common/dense_parameters.h"
#include "plugins/common/graph.h"

namespace rec::plugin {

using at::Tensor;

// LibTorch works on as many threads as the host. The count belongs to the calling thread, so every slot that computes
// says it; saying it again costs nothing.
void use_host_threads(const Context& context);

// The memory of `data` as a tensor, not copied.
Tensor view_of(const float* data, at::IntArrayRef shape);
Tensor indices_of(const std::vector<int32_t>& rows);  // int64, as LibTorch wants them

// A parameter that gradients are asked for: a view of its values, or the listed rows of a table [n, d].
Tensor leaf(const Embedding& table);
Tensor leaf_rows(const Embedding& table, const std::vector<int32_t>& rows);
std::vector<Tensor> leaves(DenseParameters& parameters);

// dL/dx of every x; zero where L does not depend on it.
std::vector<Tensor> gradients_of(const Context& context, const Tensor& loss, const std::vector<Tensor>& inputs);
void keep(const Tensor& gradient, Floats& out);

// E_0 .. E_L, E_{l+1} = A_hat E_l: [L + 1, n_users, d] and [L + 1, n_items, d]. A_hat is symmetric, so the gradient
// comes back by the same product.
std::pair<Tensor, Tensor> propagate_hops(const Context& context, const BipartiteGraph& graph, const Tensor& users,
                                         const Tensor& items, int64_t n_layers);

}  // namespace rec::plugin
