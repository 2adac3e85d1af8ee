// Parameters as LibTorch tensors, for models whose gradient comes from autograd. Not part of rec_plugin_cpp.h: include it
// in the sources that need LibTorch, whose headers take seconds.
#pragma once

#if defined(__GNUC__) && !defined(REC_BUILDS_RECORE)
#pragma GCC system_header  // the warning flags of a plugin are for its own code
#endif

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "rec_plugin_cpp.h"

namespace rec::plugin {

using at::Tensor;

// Makes LibTorch work on the calling thread alone; what is worth more threads goes through host.parallel_for. LibTorch's
// own OpenMP team would compete with the library's threads (on two cores an epoch took six times as long), and its sums
// would depend on the number of threads. The count belongs to the calling thread, so every slot that computes sets it.
inline void use_one_thread() {
  if (at::get_num_threads() != 1) at::set_num_threads(1);
}

// The memory of `data` as a tensor, not copied.
inline Tensor view_of(const float* data, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(data), shape);
}
inline Tensor view_of(const Parameter& parameter) { return view_of(parameter.data(), {parameter.n(), parameter.d()}); }
// A copy as int64, which is what LibTorch takes for an index.
inline Tensor indices_of(const int32_t* ids, int64_t n) {
  return at::from_blob(const_cast<int32_t*>(ids), {n}, at::kInt).to(at::kLong);
}
inline Tensor indices_of(const std::vector<int32_t>& ids) { return indices_of(ids.data(), std::ssize(ids)); }

inline std::vector<Tensor> views_of(const std::vector<Parameter*>& parameters) {
  std::vector<Tensor> out;
  for (const Parameter* parameter : parameters) out.push_back(view_of(*parameter));
  return out;
}

// Each parameter as a leaf that gradients are asked for: its values [n, d], or a copy of the rows that it has touched.
inline std::vector<Tensor> leaves(const std::vector<Parameter*>& parameters) {
  std::vector<Tensor> out;
  for (const Parameter* parameter : parameters) {
    const Tensor values = view_of(*parameter);
    const TouchedRows* rows = parameter->touched();
    out.push_back(
        (rows != nullptr ? values.index_select(0, indices_of(rows->rows())) : values).set_requires_grad(true));
  }
  return out;
}

// Writes dL/dx of each leaf x to the gradient of its parameter, 0 where L does not depend on it; gives L.
inline double backward(const Context& context, const Tensor& loss, const std::vector<Tensor>& leaves,
                       const std::vector<Parameter*>& parameters) {
  const std::vector<Tensor> gradients = torch::autograd::grad({loss}, leaves, {}, c10::nullopt, false, true);
  context.throw_if_cancelled();  // not inside the functions of a graph: autograd expects standard exceptions
  for (size_t i = 0; i < leaves.size(); ++i) {
    Floats& out = parameters[i]->gradient();
    const Tensor gradient = gradients[i].defined() ? gradients[i].contiguous() : at::zeros_like(leaves[i]);
    std::copy_n(gradient.data_ptr<float>(), gradient.numel(), out.data());
  }
  return loss.item<double>();
}

// A copy of a tensor's values.
inline void keep(const Tensor& tensor, Floats& out) {
  const Tensor values = tensor.contiguous();
  out.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
}

// nrm(x) = x / max(||x||, 1e-12) along the last axis.
inline Tensor normalized(const Tensor& x) { return x / x.norm(2, {-1}, true).clamp_min(1e-12); }

}  // namespace rec::plugin
