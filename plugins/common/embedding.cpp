#include "plugins/common/embedding.h"

#include <algorithm>

#include "plugins/common/parallel.h"

namespace rec::plugin {

Optimizer optimizer_named(const std::string& name) {
  if (name == "lazy_adam") return Optimizer::kLazyAdam;
  if (name == "sgd") return Optimizer::kSgd;
  if (name == "adagrad") return Optimizer::kAdagrad;
  if (name == "indexed_adagrad") return Optimizer::kIndexedAdagrad;
  if (name == "uncorrected_adam") return Optimizer::kUncorrectedAdam;
  if (name == "ftrl") return Optimizer::kFtrl;
  return Optimizer::kAdam;
}

Embedding::Embedding(int64_t n, int64_t d, const OptimizerOptions& options) : n_(n), d_(d), options_(options) {
  const auto size = static_cast<size_t>(n * d);
  values_.resize(size);
  using enum Optimizer;
  const Optimizer kind = options_.kind;
  // m_: Adam's first moment, Adagrad's accumulator, FTRL's z. v_: second moment, velocity, FTRL's n.
  if (kind != kSgd) m_.resize(size);
  if (kind == kAdam || kind == kLazyAdam || kind == kUncorrectedAdam || kind == kFtrl ||
      (kind == kIndexedAdagrad && options_.momentum > 0))
    v_.resize(size);
  if (kind == kAdam) last_step_.resize(static_cast<size_t>(n));
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

// Gram-Schmidt over the shorter side's vectors.
void Embedding::initialize_orthogonal(const Context& context, int64_t seed, int32_t stream) {
  initialize_normal(context, seed, stream, 1);
  const bool columns = n_ >= d_;  // the vectors are columns
  const int64_t count = columns ? d_ : n_, length = columns ? n_ : d_;
  const auto at = [&](int64_t v, int64_t k) -> float& {
    return values_[static_cast<size_t>(columns ? k * d_ + v : v * d_ + k)];
  };
  for (int64_t v = 0; v < count; ++v) {
    for (int64_t before = 0; before <= v; ++before) {
      double product = 0;
      for (int64_t k = 0; k < length; ++k) product += static_cast<double>(at(v, k)) * at(before, k);
      for (int64_t k = 0; k < length; ++k)
        at(v, k) = static_cast<float>(before < v ? at(v, k) - product * at(before, k) : at(v, k) / std::sqrt(product));
    }
  }
}

void Embedding::gather(const Context& context, const int32_t* ids, int64_t n, float* out) const {
  constexpr int64_t kAhead = 6;  // rows that are on their way from memory
  parallel_for(context, n, std::max<int64_t>(1, 32768 / d_), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (i + kAhead < end)
        for (int64_t k = 0; k < d_; k += 16) __builtin_prefetch(row(ids[i + kAhead]) + k);
      std::copy_n(row(ids[i]), d_, out + i * d_);
    }
  });
}

rec_adam_t Embedding::adam() const {
  auto* self = const_cast<Embedding*>(this);
  return {sizeof(rec_adam_t),
          !replays(),
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
  if (options_.kind == Optimizer::kUncorrectedAdam) {
    for (int64_t t = 0; t <= wanted; ++t) {
      steps_[static_cast<size_t>(2 * t)] = static_cast<float>(options_.lr);
      steps_[static_cast<size_t>(2 * t + 1)] = 1;
    }
    return;
  }
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
    case Optimizer::kIndexedAdagrad: {
      const rec_adagrad_t state{sizeof state,
                                options_.kind == Optimizer::kIndexedAdagrad,
                                values_.data(),
                                m_.data(),
                                v_.empty() ? nullptr : v_.data(),
                                d_,
                                options_.lr,
                                options_.epsilon,
                                options_.weight_decay,
                                options_.momentum};
      host.adagrad(context.call, &state, rows, n_rows, gradients);
      break;
    }
    case Optimizer::kFtrl: step_ftrl(rows, n_rows, gradients); break;
    default:
      extend_steps(context);
      const rec_adam_t state = adam();
      check(host.adam(context.call, &state, step_, rows, n_rows, gradients));
  }
}

// McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, per coordinate.
void Embedding::step_ftrl(const int32_t* rows, int64_t n_rows, const float* gradients) {
  const double alpha = options_.lr;
  for (int64_t i = 0; i < n_rows; ++i) {
    const int64_t row = rows != nullptr ? rows[i] : i;
    for (int64_t k = 0; k < d_; ++k) {
      const auto at = static_cast<size_t>(row * d_ + k);
      const double g = gradients[i * d_ + k], n = v_[at], root = std::sqrt(n + g * g);
      const double z = m_[at] + g - (root - std::sqrt(n)) / alpha * values_[at];
      m_[at] = static_cast<float>(z);
      v_[at] = static_cast<float>(n + g * g);
      const double shrunk = std::abs(z) <= options_.l1 ? 0 : z - (z > 0 ? options_.l1 : -options_.l1);
      values_[at] = static_cast<float>(-shrunk / ((options_.beta + root) / alpha + options_.l2));
    }
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
