#include "plugins/common/parameter.h"

#include <algorithm>
#include <cmath>

#include "plugins/common/parallel.h"

namespace rec::plugin {

namespace {

OptimizerOptions options_of(const std::string& name, OptimizerOptions options) {
  if (name.find("bias") != std::string::npos) options.weight_decay = 0;
  return options;
}

}  // namespace

Parameter::Parameter(std::string name, int64_t n, int64_t d, OptimizerOptions options, std::vector<int64_t> shape)
    : Embedding(n, d, options_of(name, options)),
      name_(std::move(name)),
      state_names_(state_names(name_.c_str())),
      shape_(std::move(shape)) {}

void Parameter::touch(const Context& context, const TouchedRows& rows, const Floats& gradient) {
  catch_up(context, rows.rows().data(), rows.size());
  rows_ = &rows;
  row_gradient_ = &gradient;
}

float* Parameter::dense_gradient() {
  dense_.resize(static_cast<size_t>(n() * d()));
  rows_ = nullptr;
  row_gradient_ = nullptr;
  return dense_.data();
}

int64_t Parameter::step_size() const { return (rows_ != nullptr ? rows_->size() : n()) * d(); }

void Parameter::step(const Context& context) {
  if (rows_ != nullptr)
    Embedding::step(context, rows_->rows().data(), rows_->size(), row_gradient_->data());
  else
    Embedding::step(context, nullptr, n(), dense_.data());
}

void Parameter::append_tensors(std::vector<TensorRef>& out) {
  const size_t first = out.size();
  Embedding::append_tensors(out, name_.c_str(), state_names_);
  if (shape_.empty()) return;
  for (size_t i = first; i < out.size(); ++i)
    if (out[i].shape.size() == 2) out[i].shape = shape_;
}

rec_tensor_view_t Parameter::gradient_view() {
  if (rows_ != nullptr) {
    dense_.assign(static_cast<size_t>(n() * d()), 0.f);
    for (int64_t s = 0; s < rows_->size(); ++s)
      std::copy_n(row_gradient_->data() + s * d(), d(), dense_.data() + rows_->rows()[static_cast<size_t>(s)] * d());
  }
  return host_view(dense_.data(), REC_DTYPE_F32, n(), d());
}

// Small ones side by side: none of them is worth handing out.
void ParameterModel::apply(const Context& context) {
  constexpr int64_t kSmall = 65536;
  std::vector<Parameter*> all = parameters();
  const auto large =
      std::stable_partition(all.begin(), all.end(), [](Parameter* p) { return p->step_size() < kSmall; });
  parallel_for(context, large - all.begin(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) all[static_cast<size_t>(i)]->step(context);
  });
  std::for_each(large, all.end(), [&](Parameter* parameter) { parameter->step(context); });
}

std::vector<TensorRef> ParameterModel::tensors() {
  std::vector<TensorRef> out;
  for (Parameter* parameter : parameters()) parameter->append_tensors(out);
  return out;
}

void ParameterModel::settle(const Context& context) {
  for (Parameter* parameter : parameters()) parameter->catch_up_all(context);
}

void ParameterModel::restored() {
  for (Parameter* parameter : parameters()) parameter->restored();
}

rec_tensor_view_t ParameterModel::gradients(int64_t i) {
  const std::string name = tensors().at(static_cast<size_t>(i)).name;
  for (Parameter* parameter : parameters())
    if (parameter->name() == name) return parameter->gradient_view();
  throw Failure{REC_INVALID_ARGUMENT, "tensor '" + name + "' has no gradient"};
}

void initialize(Parameter& parameter, const Context& context, int64_t seed, int32_t stream, const std::string& rule,
                double deviation) {
  const double sum = static_cast<double>(parameter.n() + parameter.d());
  if (rule == "xavier_uniform")
    parameter.initialize_uniform(context, seed, stream, static_cast<float>(std::sqrt(6 / sum)));
  else
    parameter.initialize_normal(context, seed, stream,
                                static_cast<float>(rule == "xavier_normal" ? std::sqrt(2 / sum) : deviation));
}

}  // namespace rec::plugin
