#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/common/parameter.h"

namespace rec::plugin {

// The small dense parameters of a model, such as the weights [out, in] of its linear layers: every element has a gradient
// in every step.
class DenseParameters {
 public:
  explicit DenseParameters(const OptimizerOptions& optimizer) : optimizer_(optimizer) {}

  // A matrix of zeros; its number.
  size_t add(const std::string& name, int64_t rows, int64_t columns);
  // weight [out, in] and bias [1, out] of x W^T + b; the number of the weight, the bias is the next.
  size_t add_linear(const std::string& name, int64_t in, int64_t out);

  size_t size() const { return parameters_.size(); }
  Parameter& operator[](size_t i) { return *parameters_[i]; }
  Parameter* named(const std::string& name);  // nullptr when there is none

  // linear_default: weight and bias U(-1 / sqrt(in), 1 / sqrt(in)).
  void initialize_linear(const Context& context, int64_t seed, int32_t stream, size_t weight);

  void append_tensors(std::vector<TensorRef>& out);
  void step(const Context& context);
  void restored();

 private:
  OptimizerOptions optimizer_;
  std::vector<std::unique_ptr<Parameter>> parameters_;
};

}  // namespace rec::plugin
