#pragma once

#include "rec_plugin_cpp.h"

namespace rec::plugin {

// The transpose [columns, rows] of a [rows, columns].
Floats transposed(const float* a, int64_t rows, int64_t columns);

// y = x W^T + b, with W [out, in] and b [out]; its parameters are NAME.weight and NAME.bias.
class Linear {
 public:
  Linear(const std::string& name, int64_t in, int64_t out, const OptimizerOptions& optimizer, bool bias = true);

  int64_t in() const { return weight_.d(); }
  int64_t out() const { return weight_.n(); }
  const float* weight() const { return weight_.data(); }
  const float* bias() const { return bias_->data(); }

  // Both by the same rule, from streams `stream` and `stream + 1`.
  void initialize(const Context& context, int64_t seed, int32_t stream, const Init& init);

  // x [n, in], y [n, out]; `wt`, unless nullptr, is W^T, which many calls may share.
  void forward(const Context& context, const float* x, int64_t n, float* y, const float* wt = nullptr) const;
  // From dy [n, out]: the gradients of weight and bias, and dx [n, in] unless it is nullptr.
  void backward(const Context& context, const float* x, const float* dy, int64_t n, float* dx);
  // The same for some of a batch's rows; their share of the gradients is written to dw [out, in] and db [out].
  void backward_part(const Context& context, const float* x, const float* dy, int64_t n, float* dx, float* dw,
                     float* db) const;

  void append_parameters(std::vector<Parameter*>& out);

 private:
  Parameter weight_;
  std::unique_ptr<Parameter> bias_;  // [1, out], or nullptr
};

}  // namespace rec::plugin
