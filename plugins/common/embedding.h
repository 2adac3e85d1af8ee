#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "plugins/common/model.h"

namespace rec::plugin {

// What a weight takes: its value, and in training at most two moments and a gradient.
inline int64_t weight_bytes(const rec_schema_t& schema) { return schema.n_interactions > 0 ? 16 : 4; }

// kIndexedAdagrad: epsilon inside the root, with momentum; kUncorrectedAdam: no bias correction, touched
// rows only; kFtrl: FTRL-proximal.
enum class Optimizer { kAdam, kLazyAdam, kSgd, kAdagrad, kIndexedAdagrad, kUncorrectedAdam, kFtrl };

Optimizer optimizer_named(const std::string& name);

struct OptimizerOptions {
  Optimizer kind = Optimizer::kAdam;
  double lr = 1e-3;                   // FTRL: alpha
  double weight_decay = 0;            // coupled L2 on every row
  double momentum = 0;                // kIndexedAdagrad
  double epsilon = 1e-10;             // Adagrad's
  double beta = 1, l1 = 1, l2 = 120;  // FTRL's
};

// A table [n, d] with its optimiser's state. Dense Adam costs only the rows that are touched: what a row missed is
// replayed when it is next touched or read, with the bits of dense Adam.
class Embedding {
 public:
  Embedding(int64_t n, int64_t d, const OptimizerOptions& options);

  int64_t n() const { return n_; }
  int64_t d() const { return d_; }
  const float* data() const { return values_.data(); }
  const float* row(int64_t r) const { return values_.data() + r * d_; }

  // U(-bound, bound); xavier_uniform: bound = sqrt(6 / (n + d)); normal(0, deviation).
  void initialize_uniform(const Context& context, int64_t seed, int32_t stream, float bound);
  void initialize_xavier(const Context& context, int64_t seed, int32_t stream);
  void initialize_normal(const Context& context, int64_t seed, int32_t stream, float deviation);
  // Q of the QR of a normal matrix, R's diagonal positive.
  void initialize_orthogonal(const Context& context, int64_t seed, int32_t stream);

  // Every value, [n, d], in place of a random start.
  void assign(const float* values) { std::copy_n(values, n_ * d_, values_.data()); }

  // Rows ids[0 .. n) one behind the other, out [n, d].
  void gather(const Context& context, const int32_t* ids, int64_t n, float* out) const;

  // One step with the gradients [n_rows, d] of the listed rows (distinct; nullptr = all).
  void step(const Context& context, const int32_t* rows, int64_t n_rows, const float* gradients);
  // The listed rows are about to be read: they get the steps they missed.
  void catch_up(const Context& context, const int32_t* rows, int64_t n_rows);
  void catch_up_all(const Context& context) { catch_up(context, nullptr, n_); }

  // The table, its moments and its step, under NAME, adam.NAME.m and so on.
  void append_tensors(std::vector<TensorRef>& out, const char* name, const std::vector<std::string>& state_names);
  static std::vector<std::string> state_names(const char* name);
  void restored();

 private:
  rec_adam_t adam() const;
  void step_ftrl(const int32_t* rows, int64_t n_rows, const float* gradients);
  void extend_steps(const Context& context);
  bool replays() const { return options_.kind == Optimizer::kAdam; }

  int64_t n_, d_;
  OptimizerOptions options_;
  Floats values_;
  std::vector<float, ZeroedAllocator<float>> m_, v_;  // sized once, like last_step_
  std::vector<int64_t, ZeroedAllocator<int64_t>> last_step_;
  int64_t step_ = 0;
  std::vector<float> steps_;  // [capacity + 1, 2]
};

}  // namespace rec::plugin
