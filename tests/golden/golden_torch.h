#pragma once

#include "recore/plugin_torch.h"
#include "tests/golden/golden_case.h"

namespace rec {

inline at::Tensor tensor_of(const GoldenTensors& golden, const std::string& name) {
  const std::vector<float> values = golden.floats(name);
  return at::from_blob(const_cast<float*>(values.data()), golden.shape(name)).clone();
}

inline std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous().to(at::kFloat);
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace rec
