#include "plugins/common/linear.h"

namespace rec::plugin {

// Writes one cache line of the result at a time, from sixteen rows.
Floats transposed(const float* a, int64_t rows, int64_t columns) {
  constexpr int64_t kLine = 16;
  Floats out(rows * columns);
  for (int64_t first = 0; first < rows; first += kLine) {
    const int64_t last = std::min(first + kLine, rows);
    for (int64_t k = 0; k < columns; ++k)
      for (int64_t i = first; i < last; ++i) out[k * rows + i] = a[i * columns + k];
  }
  return out;
}

Linear::Linear(const std::string& name, int64_t in, int64_t out, const OptimizerOptions& optimizer, bool bias)
    : weight_(name + ".weight", out, in, optimizer) {
  if (bias) bias_ = std::make_unique<Parameter>(name + ".bias", 1, out, optimizer, Init{}, std::vector<int64_t>{out});
}

void Linear::initialize(const Context& context, int64_t seed, int32_t stream, const Init& init) {
  weight_.initialize(context, seed, stream, init);
  if (bias_) bias_->initialize(context, seed, stream + 1, init);
}

void Linear::forward(const Context& context, const float* x, int64_t n, float* y, const float* wt) const {
  check(context.host.matmul(context.call, wt != nullptr ? 0 : REC_MATMUL_TRANSPOSE_B, n, out(), in(), x,
                            wt != nullptr ? wt : weight_.data(), y));
  if (!bias_) return;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < out(); ++k) y[i * out() + k] += bias_->data()[k];
}

void Linear::backward(const Context& context, const float* x, const float* dy, int64_t n, float* dx) {
  backward_part(context, x, dy, n, dx, weight_.dense_gradient(), bias_ ? bias_->dense_gradient() : nullptr);
}

void Linear::backward_part(const Context& context, const float* x, const float* dy, int64_t n, float* dx, float* dw,
                           float* db) const {
  const rec_host_t& host = context.host;
  check(host.matmul(context.call, REC_MATMUL_TRANSPOSE_A, out(), in(), n, dy, x, dw));
  if (bias_) {
    std::fill_n(db, out(), 0.f);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < out(); ++k) db[k] += dy[i * out() + k];
  }
  if (dx != nullptr) check(host.matmul(context.call, 0, n, in(), out(), dy, weight_.data(), dx));
}

void Linear::append_parameters(std::vector<Parameter*>& out_parameters) {
  out_parameters.push_back(&weight_);
  if (bias_) out_parameters.push_back(bias_.get());
}

}  // namespace rec::plugin
