#include "core/plugin/host.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/log.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/kernels/kernels.h"
#include "core/plugin/list_losses.h"
#include "core/plugin/params.h"

namespace rec {

namespace {

using kernels::fastest;

// Chunks for row kernels: a function of n only, so that sums over chunks do not depend on the number of threads.
int64_t chunk_of(int64_t n) { return std::clamp<int64_t>(n / 64, 16, 4096); }

// A shorter job takes less time than distributing it and waiting for it.
constexpr double kInlineNanoseconds = 100e3;

bool host_should_stop(rec_call_t* call) { return call->cancel != nullptr && call->cancel->requested(); }

// After a cancel the rest of the job is left out: PluginModel discards what the slot made of it.
// `nanoseconds`: roughly what the whole job takes on one thread; it decides where the job runs, never what it computes.
template <class Body>
void over_rows(rec_call_t* call, int64_t n, int64_t chunk, double nanoseconds, const Body& body) {
  if (n <= 0) return;
  const auto unless_cancelled = [&](int64_t begin, int64_t end) {
    if (!host_should_stop(call)) body(begin, end);
  };
  if (call->pool == nullptr || nanoseconds < kInlineNanoseconds) {
    unless_cancelled(0, n);
  } else {
    call->pool->parallel_for(n, chunk, unless_cancelled);
  }
}

void host_log(int32_t level, const char* message) {
  try {
    log::write(level, message != nullptr ? message : "");
  } catch (...) {  // a line that cannot be kept is lost
  }
}

rec_status_t host_fail(rec_call_t* call, rec_status_t status, const char* message) {
  try {
    if (call != nullptr) call->message = message != nullptr ? message : "";
  } catch (...) {  // the status has to suffice
  }
  return status;
}

void host_parallel_for(rec_call_t* call, int64_t n, int64_t chunk, rec_range_fn body, void* context) {
  chunk = std::max<int64_t>(chunk, 1);
  const auto run = [&](int64_t begin, int64_t end) { body(context, begin, end); };
  if (call->pool != nullptr) {
    call->pool->parallel_for(n, chunk, run);
  } else {
    for (int64_t begin = 0; begin < n; begin += chunk) run(begin, std::min(begin + chunk, n));
  }
}

int64_t param_int(const rec_params_t* params, const char* name) {
  const auto* value = params->find(name);
  return value != nullptr ? value->integer : 0;
}
double param_float(const rec_params_t* params, const char* name) {
  const auto* value = params->find(name);
  return value != nullptr ? value->number : 0;
}
bool param_bool(const rec_params_t* params, const char* name) {
  const auto* value = params->find(name);
  return value != nullptr && value->boolean;
}
const char* param_text(const rec_params_t* params, const char* name) {
  const auto* value = params->find(name);
  return value != nullptr ? value->text.c_str() : "";
}
int64_t param_list(const rec_params_t* params, const char* name, double* out_values, int64_t max_values) {
  const auto* value = params->find(name);
  if (value == nullptr) return 0;
  const auto n = std::ssize(value->list);
  std::copy_n(value->list.begin(), std::min(n, max_values), out_values);
  return n;
}

Rng plugin_rng(int64_t seed, int32_t stream, int64_t epoch, int64_t row) {
  const auto id =
      static_cast<RngStream>(static_cast<uint32_t>(RngStream::kPlugin) + static_cast<uint32_t>(stream) % 128);
  return Rng(static_cast<uint64_t>(seed), id, static_cast<uint64_t>(epoch), static_cast<uint64_t>(row));
}

void random_uniform(int64_t seed, int32_t stream, int64_t epoch, int64_t row, float low, float high, float* out,
                    int64_t n) {
  Rng rng = plugin_rng(seed, stream, epoch, row);
  const int64_t whole = n / 64 * 64;
  const auto& c = rng.counter();
  fastest().philox_floats({{c[0], c[1], c[2], c[3]}, {rng.key()[0], rng.key()[1]}}, out, whole);
  rng.skip_blocks(static_cast<uint32_t>(whole / 4));
  for (int64_t i = whole; i < n; ++i) out[i] = rng.next_float();
  for (int64_t i = 0; i < n; ++i) out[i] = low + (high - low) * out[i];
}

void random_normal(int64_t seed, int32_t stream, int64_t epoch, int64_t row, float mean, float deviation, float* out,
                   int64_t n) {
  Rng rng = plugin_rng(seed, stream, epoch, row);
  for (int64_t i = 0; i < n; ++i) out[i] = mean + deviation * rng.next_normal();
}

void propagate(rec_call_t* call, const rec_csr_t* csr, const float* row_scale, const float* column_scale,
               const float* x, int64_t d, const float* addend, float addend_scale, float* y, const int32_t* rows,
               int64_t n_rows_listed) {
  kernels::Propagation job;
  job.offsets = csr->offsets;
  job.columns = csr->columns;
  job.row_scale = row_scale;
  job.column_scale = column_scale;
  job.x = x;
  job.addend = addend;
  job.addend_scale = addend_scale;
  job.y = y;
  job.d = d;
  job.row_list = rows;
  const int64_t n = rows != nullptr ? n_rows_listed : csr->n_rows;
  const double edges = static_cast<double>(csr->offsets[csr->n_rows]) * static_cast<double>(n) /
                       static_cast<double>(std::max<int64_t>(csr->n_rows, 1));
  over_rows(call, n, 32, 0.05 * edges * static_cast<double>(d),
            [&](int64_t begin, int64_t end) { fastest().propagate_rows(job, begin, end); });
}

void weighted_rows(rec_call_t* call, const rec_csr_t* csr, const float* weights, const float* x, int64_t d,
                   bool accumulate, float* y) {
  kernels::WeightedRows job;
  job.offsets = csr->offsets;
  job.columns = csr->columns;
  job.weights = weights;
  job.x = x;
  job.y = y;
  job.d = d;
  job.accumulate = accumulate;
  over_rows(call, csr->n_rows, chunk_of(csr->n_rows), 0.06 * static_cast<double>(csr->offsets[csr->n_rows] * d),
            [&](int64_t begin, int64_t end) { fastest().weighted_rows(job, begin, end); });
}

void pair_scores(rec_call_t* call, const int32_t* users, const int32_t* items, int64_t n_rows, int64_t n_columns,
                 const float* user_table, const float* item_table, int64_t d, float* scores) {
  const kernels::PairScores job{users, items, user_table, item_table, scores, n_columns, d};
  over_rows(call, n_rows, chunk_of(n_rows), 0.2 * static_cast<double>(n_rows * n_columns * d),
            [&](int64_t begin, int64_t end) { fastest().pair_scores(job, begin, end); });
}

rec_status_t loss(rec_call_t* call, int32_t loss_id, const float* scores, int64_t n_rows, int64_t n_columns,
                  double* out_loss, float* dscores) {
  const kernels::KernelTable& table = fastest();
  const auto kernel = loss_id == REC_LOSS_BPR_SOFTPLUS ? table.bpr_softplus
                      : loss_id == REC_LOSS_BPR_LOG    ? table.bpr_log
                      : loss_id == REC_LOSS_BPR_MULTI  ? table.bpr_multi
                      : loss_id == REC_LOSS_BCE        ? table.bce_logits
                      : loss_id == REC_LOSS_SOFTMAX    ? table.softmax_ce
                                                       : nullptr;
  if (kernel == nullptr) return host_fail(call, REC_INVALID_ARGUMENT, "loss: unknown REC_LOSS_ number");
  if (n_rows < 1 || n_columns < 2)
    return host_fail(call, REC_INVALID_ARGUMENT, "loss: needs at least one row and two columns");
  kernels::ScoreLoss job;
  job.scores = scores;
  job.dscores = dscores;
  job.n_candidates = n_columns;
  job.n_rows_total = n_rows;
  const int64_t chunk = chunk_of(n_rows);
  std::vector<double> shares;
  try {
    shares.resize((n_rows + chunk - 1) / chunk);
  } catch (...) {
    return host_fail(call, REC_OUT_OF_MEMORY, "out of memory");
  }
  over_rows(call, std::ssize(shares), 1, 4.0 * static_cast<double>(n_rows * n_columns),
            [&](int64_t begin, int64_t end) {
              for (int64_t c = begin; c < end; ++c)
                shares[c] = kernel(job, c * chunk, std::min((c + 1) * chunk, n_rows));
            });
  *out_loss = 0;
  for (double share : shares) *out_loss += share;
  return REC_OK;
}

void adam_steps(double learning_rate, double beta1, double beta2, int64_t n_steps, float* out) {
  static_assert(sizeof(kernels::AdamStep) == 2 * sizeof(float));
  kernels::adam_steps(learning_rate, beta1, beta2, n_steps, reinterpret_cast<kernels::AdamStep*>(out));
}

rec_status_t adam(rec_call_t* call, const rec_adam_t* a, int64_t step, const int32_t* rows, int64_t n_rows_listed,
                  const float* gradients) {
  const int64_t n = rows != nullptr ? n_rows_listed : a->n_rows;
  const auto* steps = reinterpret_cast<const kernels::AdamStep*>(a->steps);
  const auto chunk = std::clamp<int64_t>(n / 64, 16, 256);
  if (a->lazy != 0) {
    kernels::LazyAdamRows job;
    job.param = a->parameter;
    job.m = a->first_moment;
    job.v = a->second_moment;
    job.d = a->d;
    job.row_ids = rows;
    job.grads = gradients;
    job.step = kernels::step_at(steps, a->n_steps, step);
    job.beta1 = static_cast<float>(a->beta1);
    job.beta2 = static_cast<float>(a->beta2);
    job.epsilon = static_cast<float>(a->epsilon);
    job.weight_decay = static_cast<float>(a->weight_decay);
    if (gradients != nullptr)
      over_rows(call, n, chunk, static_cast<double>(n * a->d),
                [&](int64_t begin, int64_t end) { fastest().lazy_adam_rows(job, begin, end); });
    return REC_OK;
  }
  kernels::AdamRows job;
  job.param = a->parameter;
  job.m = a->first_moment;
  job.v = a->second_moment;
  job.d = a->d;
  job.row_ids = rows;
  job.grads = gradients;
  job.last_step = a->last_step;
  job.steps = steps;
  job.n_steps = a->n_steps;
  job.step = step;
  job.beta1 = static_cast<float>(a->beta1);
  job.beta2 = static_cast<float>(a->beta2);
  job.epsilon = static_cast<float>(a->epsilon);
  job.weight_decay = static_cast<float>(a->weight_decay);
  int64_t steps_to_do = 0;
  for (int64_t i = 0; i < n; ++i) steps_to_do += step - a->last_step[rows != nullptr ? rows[i] : i];
  over_rows(call, n, chunk, 0.3 * static_cast<double>(steps_to_do * a->d),
            [&](int64_t begin, int64_t end) { fastest().adam_rows(job, begin, end); });
  return REC_OK;
}

kernels::GradientRows gradient_rows(float* parameter, int64_t d, const int32_t* rows, const float* gradients,
                                    double learning_rate, double weight_decay) {
  kernels::GradientRows job;
  job.param = parameter;
  job.d = d;
  job.row_ids = rows;
  job.grads = gradients;
  job.lr = static_cast<float>(learning_rate);
  job.weight_decay = static_cast<float>(weight_decay);
  return job;
}

void sgd(rec_call_t* call, float* parameter, int64_t d, const int32_t* rows, int64_t n_rows_listed,
         const float* gradients, double learning_rate, double weight_decay) {
  const kernels::GradientRows job = gradient_rows(parameter, d, rows, gradients, learning_rate, weight_decay);
  over_rows(call, n_rows_listed, chunk_of(n_rows_listed), 0.2 * static_cast<double>(n_rows_listed * d),
            [&](int64_t begin, int64_t end) { fastest().sgd_rows(job, begin, end); });
}

void adagrad(rec_call_t* call, const rec_adagrad_t* a, const int32_t* rows, int64_t n_rows_listed,
             const float* gradients) {
  kernels::GradientRows job = gradient_rows(a->parameter, a->d, rows, gradients, a->learning_rate, a->weight_decay);
  job.accumulator = a->accumulator;
  job.velocity = a->velocity;
  job.momentum = static_cast<float>(a->momentum);
  job.epsilon = static_cast<float>(a->epsilon);
  job.epsilon_inside = a->epsilon_inside != 0;
  over_rows(call, n_rows_listed, chunk_of(n_rows_listed), static_cast<double>(n_rows_listed * a->d),
            [&](int64_t begin, int64_t end) { fastest().adagrad_rows(job, begin, end); });
}

void rank_update(rec_call_t* call, double* c, int64_t ldc, const double* a, int64_t lda, const double* b, int64_t ldb,
                 int64_t m, int64_t n, int64_t k) {
  const kernels::RankUpdate job{c, ldc, a, lda, b, ldb, n, k};
  over_rows(call, m, 64, 0.02 * static_cast<double>(m * n * k),
            [&](int64_t begin, int64_t end) { fastest().rank_update_f64(job, begin, end); });
}

Buffer<float> transpose(const float* a, int64_t rows, int64_t columns) {
  auto out = Buffer<float>::uninitialized(rows * columns);
  fastest().transpose(a, rows, columns, out.data());
  return out;
}

rec_status_t matmul(rec_call_t* call, int32_t flags, int64_t m, int64_t n, int64_t k, const float* a, const float* b,
                    float* c) {
  if (m < 0 || n < 0 || k < 1) return host_fail(call, REC_INVALID_ARGUMENT, "matmul: needs m, n >= 0 and k >= 1");
  if (m == 0 || n == 0) return REC_OK;
  try {
    const bool a_transposed = (flags & REC_MATMUL_TRANSPOSE_A) != 0,
               b_transposed = (flags & REC_MATMUL_TRANSPOSE_B) != 0;
    // Tiles of c, enough to occupy every thread; an element's value does not depend on the tile size.
    const auto cells = [](int64_t whole, int64_t size) { return (whole + size - 1) / size; };
    const bool small = cells(m, 48) * cells(n, 256) < 8;
    const int64_t height = small ? 12 : 48, width = small ? 32 : 256, across = cells(n, width), down = cells(m, height);
    // The kernel reads rows of b, so a transposed b is turned: per tile, unless many tiles would turn the same part.
    const bool turn_parts = b_transposed && down <= 2;
    const Buffer<float> turned = b_transposed && !turn_parts ? transpose(b, n, k) : Buffer<float>();
    const auto multiply = [&](int64_t row, int64_t column) {
      const int64_t columns = std::min(width, n - column);
      const Buffer<float> part = turn_parts ? transpose(b + column * k, columns, k) : Buffer<float>();
      const kernels::Product job{a,
                                 a_transposed ? 1 : k,
                                 a_transposed ? m : 1,
                                 turn_parts ? part.data() : (b_transposed ? turned.data() : b) + column,
                                 turn_parts ? columns : n,
                                 c + column,
                                 n,
                                 columns,
                                 k,
                                 (flags & REC_MATMUL_ADD) != 0};
      fastest().product(job, row, std::min(row + height, m));
    };
    over_rows(call, across * down, 1, 0.02 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
              [&](int64_t begin, int64_t end) {
                for (int64_t cell = begin; cell < end; ++cell) multiply(cell / across * height, cell % across * width);
              });
  } catch (const std::bad_alloc&) {
    return host_fail(call, REC_OUT_OF_MEMORY, "out of memory");
  }
  return REC_OK;
}

template <class T>
int64_t solve_systems(rec_call_t* call, int64_t (*kernel)(const kernels::Systems<T>&, int64_t, int64_t), int64_t n,
                      int64_t d, void* a, void* b) {
  const kernels::Systems<T> job{static_cast<T*>(a), static_cast<T*>(b), d};
  const double nanoseconds = 0.2 * static_cast<double>(d) * static_cast<double>(d) * static_cast<double>(d);
  std::atomic<int64_t> failed = n;  // the first one, whichever thread meets it
  over_rows(call, n, std::max<int64_t>(1, static_cast<int64_t>(kInlineNanoseconds / (1 + nanoseconds))),
            static_cast<double>(n) * nanoseconds, [&](int64_t begin, int64_t end) {
              const int64_t here = kernel(job, begin, end);
              for (int64_t known = failed; here >= 0 && here < known && !failed.compare_exchange_weak(known, here);) {
              }
            });
  return failed;
}

rec_status_t solve(rec_call_t* call, int32_t dtype, int64_t n, int64_t d, void* a, void* b) {
  if (n < 0 || d < 1 || (dtype != REC_DTYPE_F32 && dtype != REC_DTYPE_F64))
    return host_fail(call, REC_INVALID_ARGUMENT, "solve: needs n_systems >= 0, d >= 1 and REC_DTYPE_F32 or _F64");
  const int64_t failed = dtype == REC_DTYPE_F64 ? solve_systems<double>(call, fastest().solve_f64, n, d, a, b)
                                                : solve_systems<float>(call, fastest().solve_f32, n, d, a, b);
  if (failed == n) return REC_OK;
  return host_fail(call, REC_NUMERIC, cat("solve: system ", failed, " is not positive definite").c_str());
}

// The rows' contributions are added in row order, so that the sums do not depend on the number of threads.
rec_status_t augment(rec_call_t* call, const rec_augment_t* in, double* out_losses) {
  if (in->n_rows < 1 || in->n_candidates < 2 || in->n_hops < 1 || in->d < 1)
    return host_fail(call, REC_INVALID_ARGUMENT, "augment: needs at least one row, negative, hop and dimension");
  try {
    const int64_t width = in->d + 1;
    auto d_margin = Buffer<float>::uninitialized(in->n_rows * width);
    auto losses = Buffer<double>::uninitialized(in->n_rows * 4);
    const kernels::Augment job{in->n_rows,
                               in->n_candidates,
                               in->n_hops,
                               in->d,
                               in->user_slots,
                               in->item_slots,
                               in->users,
                               in->user_gates,
                               in->items,
                               in->item_gates,
                               in->margin_weight,
                               in->margin_bias,
                               in->noise,
                               static_cast<float>(in->eps),
                               static_cast<float>(in->noise_scale),
                               static_cast<float>(in->margin_eps),
                               in->gamma,
                               in->d_users,
                               in->d_user_gates,
                               in->d_items,
                               in->d_item_gates,
                               in->selected,
                               d_margin.data(),
                               losses.data()};
    const double elements = static_cast<double>(in->n_rows * (in->n_candidates - 1) * in->n_hops * in->d);
    over_rows(call, in->n_rows, 8, 5 * elements, [&](int64_t begin, int64_t end) {
      Buffer<float> scratch(kernels::augment_scratch(job));
      fastest().augment_rows(job, scratch.data(), begin, end);
    });
    std::fill_n(in->d_margin_weight, in->d, 0.f);
    *in->d_margin_bias = 0;
    std::fill_n(out_losses, 4, 0.0);
    for (int64_t b = 0; b < in->n_rows; ++b) {
      for (int64_t j = 0; j < in->d; ++j) in->d_margin_weight[j] += d_margin[b * width + j];
      *in->d_margin_bias += d_margin[b * width + in->d];
      for (int64_t l = 0; l < 4; ++l) out_losses[l] += losses[b * 4 + l];
    }
  } catch (const std::bad_alloc&) {
    return host_fail(call, REC_OUT_OF_MEMORY, "out of memory");
  }
  return REC_OK;
}

void exp_of(const float* x, int64_t n, float* y) { fastest().exp(x, y, n); }
void sigmoid(const float* x, int64_t n, float* y) { fastest().sigmoid(x, y, n); }
void tanh_of(const float* x, int64_t n, float* y) { fastest().tanh(x, y, n); }

constexpr rec_host_t kHost = {
    .struct_size = sizeof(rec_host_t),
    .abi_major = REC_PLUGIN_ABI_MAJOR,
    .abi_minor = REC_PLUGIN_ABI_MINOR,
    .reserved = 0,
    .log = host_log,
    .fail = host_fail,
    .should_stop = host_should_stop,
    .parallel_for = host_parallel_for,
    .param_int = param_int,
    .param_float = param_float,
    .param_bool = param_bool,
    .param_text = param_text,
    .param_list = param_list,
    .random_uniform = random_uniform,
    .random_normal = random_normal,
    .propagate = propagate,
    .weighted_rows = weighted_rows,
    .pair_scores = pair_scores,
    .loss = loss,
    .adam_steps = adam_steps,
    .adam = adam,
    .sgd = sgd,
    .adagrad = adagrad,
    .rank_update = rank_update,
    .matmul = matmul,
    .exp = exp_of,
    .sigmoid = sigmoid,
    .tanh = tanh_of,
    .list_loss = list_loss,
    .label_loss = label_loss,
    .solve = solve,
    .augment = augment,
};

}  // namespace

const rec_host_t& host_table() { return kHost; }

}  // namespace rec
