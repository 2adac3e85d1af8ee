#include "plugins/common/embedding.h"

#include <algorithm>

namespace rec::plugin {

Optimizer optimizer_named(const std::string& name) {
  if (name == "lazy_adam") return Optimizer::kLazyAdam;
  if (name == "sgd") return Optimizer::kSgd;
  if (name == "adagrad") return Optimizer::kAdagrad;
  return Optimizer::kAdam;
}

Embedding::Embedding(int64_t n, int64_t d, const OptimizerOptions& options) : n_(n), d_(d), options_(options) {
  const auto size = static_cast<size_t>(n * d);
  values_.resize(size);
  if (options_.kind != Optimizer::kSgd) m_.resize(size);  // Adam's first moment, Adagrad's accumulator
  if (options_.kind == Optimizer::kAdam || options_.kind == Optimizer::kLazyAdam) {
    v_.resize(size);
    last_step_.resize(static_cast<size_t>(n));
  }
}

void Embedding::initialize_xavier(const Context& context, int64_t seed, int32_t stream) {
  initialize_uniform(context, seed, stream, static_cast<float>(std::sqrt(6.0 / static_cast<double>(n_ + d_))));
}

void Embedding::initialize_uniform(const Context& context, int64_t seed, int32_t stream, float bound) {
  for (int64_t r = 0; r < n_; ++r)
    context.host.random_uniform(seed, stream, 0, r, -bound, bound, values_.data() + r * d_, d_);
}

void Embedding::initialize_normal(const Context& context, int64_t seed, int32_t stream, float deviation) {
  for (int64_t r = 0; r < n_; ++r)
    context.host.random_normal(seed, stream, 0, r, 0, deviation, values_.data() + r * d_, d_);
}

rec_adam_t Embedding::adam() const {
  auto* self = const_cast<Embedding*>(this);
  return {sizeof(rec_adam_t),
          options_.kind == Optimizer::kLazyAdam,
          self->values_.data(),
          self->m_.data(),
          self->v_.data(),
          self->last_step_.data(),
          n_,
          d_,
          steps_.data(),
          0.9,
          0.999,
          1e-8,
          options_.weight_decay};
}

void Embedding::extend_steps(const Context& context) {
  const auto known = static_cast<int64_t>(steps_.size() / 2) - 1;
  if (known >= step_) return;
  const int64_t wanted = std::max<int64_t>(1024, 2 * step_);
  steps_.resize(static_cast<size_t>(2 * (wanted + 1)));
  context.host.adam_steps(options_.lr, 0.9, 0.999, wanted, steps_.data());
}

void Embedding::step(const Context& context, const int32_t* rows, int64_t n_rows, const float* gradients) {
  ++step_;
  const rec_host_t& host = context.host;
  switch (options_.kind) {
    case Optimizer::kSgd:
      host.sgd(context.call, values_.data(), d_, rows, n_rows, gradients, options_.lr, options_.weight_decay);
      break;
    case Optimizer::kAdagrad:
      host.adagrad(context.call, values_.data(), m_.data(), d_, rows, n_rows, gradients, options_.lr, 1e-10,
                   options_.weight_decay);
      break;
    default:
      extend_steps(context);
      const rec_adam_t state = adam();
      check(host.adam(context.call, &state, step_, rows, n_rows, gradients));
  }
}

void Embedding::catch_up(const Context& context, const int32_t* rows, int64_t n_rows) {
  if (!replays() || step_ == 0) return;
  extend_steps(context);
  const rec_adam_t state = adam();
  check(context.host.adam(context.call, &state, step_, rows, n_rows, nullptr));
}

std::vector<std::string> Embedding::state_names(const char* name) {
  const std::string base = name;
  return {"optimizer." + base + ".m", "optimizer." + base + ".v", "optimizer." + base + ".step"};
}

void Embedding::append_tensors(std::vector<TensorRef>& out, const char* name,
                               const std::vector<std::string>& state_names) {
  out.push_back(parameter(name, values_, {n_, d_}));
  if (!m_.empty()) out.push_back({state_names[0].c_str(), REC_DTYPE_F32, REC_TENSOR_OPTIMIZER, {n_, d_}, m_.data()});
  if (!v_.empty()) out.push_back({state_names[1].c_str(), REC_DTYPE_F32, REC_TENSOR_OPTIMIZER, {n_, d_}, v_.data()});
  out.push_back({state_names[2].c_str(), REC_DTYPE_I64, REC_TENSOR_OPTIMIZER, {1}, &step_});
}

// Tensors are only read when every row is up to date, so that is how they come back.
void Embedding::restored() { std::fill(last_step_.begin(), last_step_.end(), step_); }

}  // namespace rec::plugin
