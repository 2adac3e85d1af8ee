// Trained tensors with their optimiser, and the rows of them that a batch uses. Part of rec_plugin_cpp.h.
#pragma once

#include <algorithm>

#include "recore/plugin_fields.h"

namespace rec::plugin {

// Bytes that a weight takes: its value, and in training at most two moments and a gradient.
inline int64_t weight_bytes(const rec_schema_t& schema) { return schema.n_interactions > 0 ? 16 : 4; }

// The rows of one table that a batch touches, each once, in order of first appearance, and where it touches them.
class TouchedRows {
 public:
  explicit TouchedRows(int64_t n_rows) : slot_of_(n_rows, -1) {}

  void grow(int64_t n_rows) { slot_of_.resize(std::max(slot_of_.size(), static_cast<size_t>(n_rows)), -1); }

  // Entry e touches row ids[e].
  void collect(const int32_t* ids, int64_t n_entries) {
    rows_.clear();
    offsets_.assign(1, 0);
    for (int64_t e = 0; e < n_entries; ++e) {
      int32_t& slot = slot_of_[ids[e]];
      if (slot < 0) {
        slot = static_cast<int32_t>(rows_.size());
        rows_.push_back(ids[e]);
        offsets_.push_back(0);
      }
      ++offsets_[slot + 1];
    }
    for (size_t s = 1; s < offsets_.size(); ++s) offsets_[s] += offsets_[s - 1];
    entries_.resize(n_entries);
    slots_.resize(n_entries);
    for (int64_t e = 0; e < n_entries; ++e) {
      const int32_t slot = slot_of_[ids[e]];
      entries_[offsets_[slot]++] = static_cast<int32_t>(e);
      slots_[e] = slot;
    }
    for (size_t s = offsets_.size() - 1; s > 0; --s) offsets_[s] = offsets_[s - 1];
    offsets_[0] = 0;
    for (int32_t row : rows_) slot_of_[row] = -1;
  }
  void collect(const std::vector<int32_t>& ids) { collect(ids.data(), std::ssize(ids)); }

  const std::vector<int32_t>& rows() const { return rows_; }
  int64_t size() const { return std::ssize(rows_); }
  int32_t row(int64_t slot) const { return rows_[slot]; }
  // The entries that touch each slot's row, ascending: slot s has entries()[offsets()[s]] .. entries()[offsets()[s + 1] - 1].
  const std::vector<int64_t>& offsets() const { return offsets_; }
  const std::vector<int32_t>& entries() const { return entries_; }
  int64_t occurrences(int64_t slot) const { return offsets_[slot + 1] - offsets_[slot]; }
  // The slot of each entry.
  const std::vector<int32_t>& slots() const { return slots_; }

  // The sum of each slot's entries: rows [n_entries, d] to out [size(), d].
  void sum_entries(const Context& context, const float* rows, int64_t d, float* out) const {
    const int64_t chunk = std::max<int64_t>(1, 32768 / d);  // 128 KiB: less is not worth handing to a thread
    parallel_for(context, size(), chunk, [&](int64_t begin, int64_t end) {
      const rec_csr_t by_slot{offsets_.data() + begin, entries_.data(), end - begin, 0};
      context.host.propagate(context.call, &by_slot, nullptr, nullptr, rows, d, nullptr, 0, out + begin * d, nullptr,
                             0);
    });
  }
  void sum_entries(const Context& context, const float* rows, int64_t d, Floats& out) const {
    out.resize(size() * d);
    sum_entries(context, rows, d, out.data());
  }

 private:
  std::vector<int32_t> slot_of_;  // [n_rows], -1 for a row that is not touched
  std::vector<int32_t> rows_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> entries_, slots_;
};

// A named array of the model's state. The memory stays the model's.
struct TensorRef {
  const char* name;
  int32_t dtype;
  int32_t kind;
  std::vector<int64_t> shape;
  void* data;
  int64_t min = 0, max = 0;  // of an element of an integer tensor, inclusive
};
inline constexpr int64_t kMostSteps = int64_t{1} << 52;  // in a file

// kIndexedAdagrad: epsilon inside the root, with momentum. kUncorrectedAdam: no bias correction, touched rows only.
// kFtrl: FTRL-proximal.
enum class Optimizer { kAdam, kLazyAdam, kSgd, kAdagrad, kIndexedAdagrad, kUncorrectedAdam, kFtrl };

inline constexpr Word<Optimizer> kOptimizers[] = {
    {"adam", Optimizer::kAdam},
    {"lazy_adam", Optimizer::kLazyAdam},
    {"sgd", Optimizer::kSgd},
    {"adagrad", Optimizer::kAdagrad},
    {"indexed_adagrad", Optimizer::kIndexedAdagrad},
    {"uncorrected_adam", Optimizer::kUncorrectedAdam},
    {"ftrl", Optimizer::kFtrl},
};

struct OptimizerOptions {
  Optimizer kind = Optimizer::kAdam;
  double lr = 1e-3;                   // FTRL: alpha
  double weight_decay = 0;            // coupled L2, on every row
  double momentum = 0;                // kIndexedAdagrad
  double epsilon = 1e-10;             // Adagrad
  double beta = 1, l1 = 1, l2 = 120;  // FTRL

  // The parameters lr and l2.
  void declare_rates(Fields& field, const char* l2_doc = "weight decay of the optimiser, on every row") {
    field("lr", lr, "0.001", {1e-8, 1e6}, "learning rate; of sgd for the mean over a batch: a rate per interaction times batch_size");
    field("l2", weight_decay, "0", {0, 10}, l2_doc);
  }
  // The parameter optimizer, "adam" by default.
  void declare_kind(Fields& field, std::initializer_list<Optimizer> offered, const char* doc) {
    std::vector<Word<Optimizer>> words;
    for (Optimizer one : offered)
      words.push_back(*std::find_if(std::begin(kOptimizers), std::end(kOptimizers),
                                    [one](const Word<Optimizer>& word) { return word.value == one; }));
    field("optimizer", kind, "adam", words, doc);
  }
  // For models whose batches touch some rows of a table.
  void declare_kind_by_rows(Fields& field) {
    using enum Optimizer;
    declare_kind(field, {kAdam, kLazyAdam, kSgd, kAdagrad}, "adam is dense Adam, replayed for rows that skip steps");
  }
  // For models that use every row in every batch.
  void declare_kind_of_dense(Fields& field, const char* doc = "every row has a gradient in every step") {
    declare_kind(field, {Optimizer::kAdam, Optimizer::kSgd, Optimizer::kAdagrad}, doc);
  }
};

// How a tensor [n, d] starts.
struct Init {
  enum class Rule { kNormal, kXavierNormal, kXavierUniform, kUniform, kOrthogonal } rule = Rule::kNormal;
  double scale = 0;  // kNormal: the deviation; kUniform: the bound

  static Init normal(double deviation) { return {Rule::kNormal, deviation}; }
  static Init uniform(double bound) { return {Rule::kUniform, bound}; }
  static Init xavier_uniform() { return {Rule::kXavierUniform}; }
  // The parameter init, with these rules offered, and init_std, the deviation of "normal".
  void declare(Fields& field, const char* default_rule, const char* default_deviation, Words<Rule> rules,
               const char* doc = "start of both tables") {
    field("init", rule, default_rule, rules, doc);
    field("init_std", scale, default_deviation, {0, 10}, "deviation of init=normal");
  }
  // The default of a linear layer: U(-1 / sqrt(in), 1 / sqrt(in)).
  static Init linear(int64_t in) { return uniform(1 / std::sqrt(static_cast<double>(in))); }
};

// A trained tensor [n, d] with its optimiser's state and the gradient of the last batch: of all rows, or of the rows that
// the batch touched. A tensor whose name contains "bias" takes no weight decay.
//
// Dense Adam costs only the rows that are touched: what a row missed is replayed when it is next touched or read, and
// gives the bits of dense Adam.
class Parameter {
 public:
  // `shape` is that of the tensor in a file, if it is not [n, d].
  Parameter(std::string name, int64_t n, int64_t d, const OptimizerOptions& options, Init init = {},
            std::vector<int64_t> shape = {})
      : name_(std::move(name)),
        state_names_{"optimizer." + name_ + ".m", "optimizer." + name_ + ".v", "optimizer." + name_ + ".step"},
        n_(n),
        d_(d),
        shape_(shape.empty() ? std::vector<int64_t>{n, d} : std::move(shape)),
        init_(init),
        options_(options) {
    if (name_.find("bias") != std::string::npos) options_.weight_decay = 0;
    const int64_t size = n * d;
    values_.resize(size);
    using enum Optimizer;
    const Optimizer kind = options_.kind;
    if (kind != kSgd) m_.resize(size);
    if (kind == kAdam || kind == kLazyAdam || kind == kUncorrectedAdam || kind == kFtrl ||
        (kind == kIndexedAdagrad && options_.momentum > 0))
      v_.resize(size);
    if (kind == kAdam) last_step_.resize(n);
  }
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const std::string& name() const { return name_; }
  int64_t n() const { return n_; }
  int64_t d() const { return d_; }
  int64_t size() const { return n_ * d_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  const float* data() const { return values_.data(); }
  const float* row(int64_t r) const { return values_.data() + r * d_; }

  // A random start, keyed by (seed, stream); the rule is the constructor's unless given.
  void initialize(const Context& context, int64_t seed, int32_t stream) { initialize(context, seed, stream, init_); }
  void initialize(const Context& context, int64_t seed, int32_t stream, const Init& init) {
    const auto sum = static_cast<double>(n_ + d_);
    switch (init.rule) {
      case Init::Rule::kNormal: fill_normal(context, seed, stream, init.scale); break;
      case Init::Rule::kXavierNormal: fill_normal(context, seed, stream, std::sqrt(2 / sum)); break;
      case Init::Rule::kXavierUniform: fill_uniform(context, seed, stream, std::sqrt(6 / sum)); break;
      case Init::Rule::kUniform: fill_uniform(context, seed, stream, init.scale); break;
      case Init::Rule::kOrthogonal: fill_orthogonal(context, seed, stream); break;
    }
  }
  // Takes these values [n, d] instead of a random start.
  void assign(const float* values) { std::copy_n(values, size(), values_.data()); }

  // Copies rows ids[0 .. n) to out [n, d].
  void gather(const Context& context, const int32_t* ids, int64_t n, float* out) const {
    constexpr int64_t kAhead = 6;  // rows that are on their way from memory
    parallel_for(context, n, std::max<int64_t>(1, 32768 / d_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (i + kAhead < end)
          for (int64_t k = 0; k < d_; k += 16) __builtin_prefetch(row(ids[i + kAhead]) + k);
        std::copy_n(row(ids[i]), d_, out + i * d_);
      }
    });
  }

  // The batch reads and updates these rows only, which are brought up to date now: with dense Adam a row must be touched, or
  // caught up, before it is read. step applies `gradient` [rows.size(), d], or without one the parameter's own gradient().
  // Both must live until step; the gradient may be filled later.
  void touch(const Context& context, const TouchedRows& rows, const Floats& gradient) {
    catch_up(context, rows.rows().data(), rows.size());
    rows_ = &rows;
    gradient_ = &gradient;
  }
  void touch(const Context& context, const TouchedRows& rows) {
    touch(context, rows, own_);
    gradient();
  }
  // The batch uses every row; step applies `gradient` [n, d], which must live until then.
  void use_dense(const Floats& gradient) {
    rows_ = nullptr;
    gradient_ = &gradient;
  }
  // Memory of the parameter's own for the gradient, of the touched rows or of every row.
  Floats& gradient() {
    gradient_ = &own_;
    own_.resize(step_size());
    return own_;
  }
  float* dense_gradient() {
    rows_ = nullptr;
    return gradient().data();
  }
  const TouchedRows* touched() const { return rows_; }  // nullptr: every row
  // The gradient as a dense matrix [n, d]; lives until step.
  rec_tensor_view_t gradient_view() {
    if (gradient_ == nullptr) throw Failure{REC_BAD_STATE, "tensor '" + name_ + "' has no gradient before compute"};
    if (rows_ == nullptr) return host_view(gradient_->data(), n_, d_);
    dense_.assign(size(), 0.f);
    for (int64_t s = 0; s < rows_->size(); ++s)
      std::copy_n(gradient_->data() + s * d_, d_, dense_.data() + rows_->row(s) * d_);
    return host_view(dense_.data(), n_, d_);
  }

  int64_t step_size() const { return (rows_ != nullptr ? rows_->size() : n_) * d_; }  // elements that a step changes
  void step(const Context& context) {
    ++step_;
    const rec_host_t& host = context.host;
    const int32_t* rows = rows_ != nullptr ? rows_->rows().data() : nullptr;
    const int64_t n_rows = rows_ != nullptr ? rows_->size() : n_;
    const float* gradients = gradient_->data();
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
      case Optimizer::kAdam:
      case Optimizer::kLazyAdam:
      case Optimizer::kUncorrectedAdam: step_adam(context, rows, n_rows, gradients); break;
    }
  }

  // Gives rows the steps that they missed; before they are read.
  void catch_up(const Context& context, const int32_t* rows, int64_t n_rows) {
    if (options_.kind == Optimizer::kAdam && step_ > 0) step_adam(context, rows, n_rows, nullptr);
  }
  void catch_up_all(const Context& context) { catch_up(context, nullptr, n_); }

  // The tensor and its optimiser's state: NAME, optimizer.NAME.m, optimizer.NAME.v, optimizer.NAME.step.
  void append_tensors(std::vector<TensorRef>& out) {
    out.push_back({name_.c_str(), REC_DTYPE_F32, REC_TENSOR_PARAMETER, shape_, values_.data()});
    if (!m_.empty()) out.push_back({state_names_[0].c_str(), REC_DTYPE_F32, REC_TENSOR_OPTIMIZER, shape_, m_.data()});
    if (!v_.empty()) out.push_back({state_names_[1].c_str(), REC_DTYPE_F32, REC_TENSOR_OPTIMIZER, shape_, v_.data()});
    out.push_back({state_names_[2].c_str(), REC_DTYPE_I64, REC_TENSOR_OPTIMIZER, {1}, &step_, 0, kMostSteps});
  }
  // After the tensors were written. Saved rows had taken all steps: get_tensor brings every row up to date first.
  void restored() { std::fill(last_step_.begin(), last_step_.end(), step_); }

 private:
  void fill_uniform(const Context& context, int64_t seed, int32_t stream, double scale) {
    const auto bound = static_cast<float>(scale);
    for (int64_t r = 0; r < n_; ++r)
      context.host.random_uniform(seed, stream, 0, r, -bound, bound, values_.data() + r * d_, d_);
  }
  void fill_normal(const Context& context, int64_t seed, int32_t stream, double deviation) {
    for (int64_t r = 0; r < n_; ++r)
      context.host.random_normal(seed, stream, 0, r, 0, static_cast<float>(deviation), values_.data() + r * d_, d_);
  }
  // Q of the QR of a normal matrix, R's diagonal positive: Gram-Schmidt over the vectors of the shorter side.
  void fill_orthogonal(const Context& context, int64_t seed, int32_t stream) {
    fill_normal(context, seed, stream, 1);
    const bool columns = n_ >= d_;  // the vectors are columns
    const int64_t count = columns ? d_ : n_, length = columns ? n_ : d_;
    const auto at = [&](int64_t v, int64_t k) -> float& { return values_[columns ? k * d_ + v : v * d_ + k]; };
    for (int64_t v = 0; v < count; ++v) {
      for (int64_t before = 0; before <= v; ++before) {
        double product = 0;
        for (int64_t k = 0; k < length; ++k) product += static_cast<double>(at(v, k)) * at(before, k);
        for (int64_t k = 0; k < length; ++k)
          at(v, k) =
              static_cast<float>(before < v ? at(v, k) - product * at(before, k) : at(v, k) / std::sqrt(product));
      }
    }
  }

  // gradients nullptr: the rows only get the steps that they missed.
  void step_adam(const Context& context, const int32_t* rows, int64_t n_rows, const float* gradients) {
    extend_steps(context);
    const rec_adam_t state{sizeof state,
                           options_.kind != Optimizer::kAdam,
                           values_.data(),
                           m_.data(),
                           v_.data(),
                           last_step_.data(),
                           n_,
                           d_,
                           steps_.data(),
                           std::ssize(steps_) / 2,
                           0.9,
                           0.999,
                           1e-8,
                           options_.weight_decay};
    check(context.host.adam(context.call, &state, step_, rows, n_rows, gradients));
  }
  void extend_steps(const Context& context) {
    constexpr int64_t kMost = 32767;  // corrections are 1 in float from here on
    if (std::ssize(steps_) / 2 > std::min(step_, kMost)) return;
    const int64_t wanted = std::clamp<int64_t>(2 * step_, 1024, kMost);
    steps_.resize(2 * (wanted + 1));
    if (options_.kind != Optimizer::kUncorrectedAdam)
      return context.host.adam_steps(options_.lr, 0.9, 0.999, wanted, steps_.data());
    for (int64_t t = 0; t <= wanted; ++t) {
      steps_[2 * t] = static_cast<float>(options_.lr);
      steps_[2 * t + 1] = 1;
    }
  }

  // McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, per coordinate.
  void step_ftrl(const int32_t* rows, int64_t n_rows, const float* gradients) {
    const double alpha = options_.lr;
    for (int64_t i = 0; i < n_rows; ++i) {
      const int64_t row = rows != nullptr ? rows[i] : i;
      for (int64_t k = 0; k < d_; ++k) {
        const int64_t at = row * d_ + k;
        const double g = gradients[i * d_ + k], n = v_[at], root = std::sqrt(n + g * g);
        const double z = m_[at] + g - (root - std::sqrt(n)) / alpha * values_[at];
        m_[at] = static_cast<float>(z);
        v_[at] = static_cast<float>(n + g * g);
        const double shrunk = std::abs(z) <= options_.l1 ? 0 : z - (z > 0 ? options_.l1 : -options_.l1);
        values_[at] = static_cast<float>(-shrunk / ((options_.beta + root) / alpha + options_.l2));
      }
    }
  }

  std::string name_;
  std::vector<std::string> state_names_;
  int64_t n_, d_;
  std::vector<int64_t> shape_;
  Init init_;
  OptimizerOptions options_;
  Floats values_;
  // m_: Adam's first moment, Adagrad's accumulator, FTRL's z. v_: the second moment, the velocity, FTRL's n.
  std::vector<float, ZeroedAllocator<float>> m_, v_;
  std::vector<int64_t, ZeroedAllocator<int64_t>> last_step_;
  int64_t step_ = 0;
  std::vector<float> steps_;  // [capacity + 1, 2]
  const TouchedRows* rows_ = nullptr;
  const Floats* gradient_ = nullptr;
  Floats own_, dense_;
};

}  // namespace rec::plugin
