#include "plugins/common/dense_parameters.h"

#include <cmath>

namespace rec::plugin {

size_t DenseParameters::add(const std::string& name, int64_t rows, int64_t columns) {
  OptimizerOptions options = optimizer_;
  if (name.find("bias") != std::string::npos) options.weight_decay = 0;
  parameters_.push_back(std::unique_ptr<Parameter>(
      new Parameter{name, Embedding::state_names(name.c_str()), Embedding(rows, columns, options), {}}));
  parameters_.back()->gradient.resize(static_cast<size_t>(rows * columns));
  return parameters_.size() - 1;
}

size_t DenseParameters::add_linear(const std::string& name, int64_t in, int64_t out) {
  const size_t weight = add(name + ".weight", out, in);
  add(name + ".bias", 1, out);
  return weight;
}

DenseParameters::Parameter* DenseParameters::named(const std::string& name) {
  for (const auto& parameter : parameters_)
    if (parameter->name == name) return parameter.get();
  return nullptr;
}

void DenseParameters::initialize_linear(const Context& context, int64_t seed, int32_t stream, size_t weight) {
  const auto bound = static_cast<float>(1 / std::sqrt(static_cast<double>((*this)[weight].values.d())));
  (*this)[weight].values.initialize_uniform(context, seed, stream, bound);
  (*this)[weight + 1].values.initialize_uniform(context, seed, stream + 1, bound);
}

void DenseParameters::append_tensors(std::vector<TensorRef>& out) {
  for (const auto& parameter : parameters_)
    parameter->values.append_tensors(out, parameter->name.c_str(), parameter->state_names);
}

void DenseParameters::step(const Context& context) {
  for (const auto& parameter : parameters_)
    parameter->values.step(context, nullptr, parameter->values.n(), parameter->gradient.data());
}

void DenseParameters::restored() {
  for (const auto& parameter : parameters_) parameter->values.restored();
}

}  // namespace rec::plugin
