#pragma once

// For a model's own .cpp only: LibTorch's headers take seconds, and plugin.cpp needs none of them.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plugins/common/dense_parameters.h"
#include "plugins/common/graph.h"

namespace rec::plugin {

using at::Tensor;

// LibTorch works on the calling thread alone; what is worth more threads goes through host.parallel_for. Its own OpenMP
// team spins against the host's pool (measured on two cores: an ANS epoch took 7 s on one thread and 45 s on two), and
// its sums would depend on the number of threads. Every slot that computes says so, as the count belongs to the thread.
void use_one_thread();

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
void keep(const Tensor& gradient, Parameter& parameter);

// The listed rows, each once, of E_0 .. E_L, E_{l+1} = A_hat E_l: [rows, L + 1, d] of users and of items. A_hat is
// symmetric, so the gradient comes back by the same product; everything given must live until then.
std::pair<Tensor, Tensor> propagate_hops(const Context& context, const BipartiteGraph& graph, const Tensor& users,
                                         const Tensor& items, int64_t n_layers, const std::vector<int32_t>& user_rows,
                                         const std::vector<int32_t>& item_rows);

}  // namespace rec::plugin
