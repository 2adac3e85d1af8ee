#include "plugins/common/dense_parameters.h"

#include <cmath>

namespace rec::plugin {

size_t DenseParameters::add(const std::string& name, int64_t rows, int64_t columns) {
  parameters_.push_back(std::make_unique<Parameter>(name, rows, columns, optimizer_));
  return parameters_.size() - 1;
}

size_t DenseParameters::add_linear(const std::string& name, int64_t in, int64_t out) {
  const size_t weight = add(name + ".weight", out, in);
  add(name + ".bias", 1, out);
  return weight;
}

Parameter* DenseParameters::named(const std::string& name) {
  for (const auto& parameter : parameters_)
    if (parameter->name() == name) return parameter.get();
  return nullptr;
}

void DenseParameters::initialize_linear(const Context& context, int64_t seed, int32_t stream, size_t weight) {
  const auto bound = static_cast<float>(1 / std::sqrt(static_cast<double>((*this)[weight].d())));
  (*this)[weight].initialize_uniform(context, seed, stream, bound);
  (*this)[weight + 1].initialize_uniform(context, seed, stream + 1, bound);
}

void DenseParameters::append_tensors(std::vector<TensorRef>& out) {
  for (const auto& parameter : parameters_) parameter->append_tensors(out);
}

void DenseParameters::step(const Context& context) {
  for (const auto& parameter : parameters_) parameter->step(context);
}

void DenseParameters::restored() {
  for (const auto& parameter : parameters_) parameter->restored();
}

}  // namespace rec::plugin
