#pragma once

#include "core/kernels/impl_rows.h"

namespace rec::kernels {
namespace {

struct AdamConstants {
  F16 beta1, beta2, one_minus_beta1, one_minus_beta2, epsilon, weight_decay;
  bool has_decay;
};

template <class Args>
REC_INLINE AdamConstants constants_of(const Args& a) {
  return {set1(a.beta1),   set1(a.beta2),        set1(1.0f - a.beta1), set1(1.0f - a.beta2),
          set1(a.epsilon), set1(a.weight_decay), a.weight_decay != 0};
}

// One step of 16 elements; returns the quotient m / (sqrt(v) c + epsilon).
REC_INLINE F16 adam_step(const AdamConstants& a, AdamStep step, F16& param, F16& m, F16& v, F16 g) {
  if (a.has_decay) g = fma(a.weight_decay, param, g);
  m = fma(a.beta1, m, mul(a.one_minus_beta1, g));
  v = fma(a.beta2, v, mul(mul(a.one_minus_beta2, g), g));
  const F16 quotient = div(m, fma(sqrt(v), set1(step.inv_sqrt_bias2), a.epsilon));
  param = fma(set1(-step.step_size), quotient, param);
  return quotient;
}

// Whether no later zero-gradient step can change param. |step| < |param| / 2^26 now (half a unit is at least 2^-25),
// and it only shrinks from here: m decays faster than sqrt(v), inv_sqrt_bias2 >= 1, step sizes do not grow. Where m
// sticks at a subnormal the bound is that of the largest subnormal.
REC_INLINE bool is_settled(const AdamRows& a, AdamStep step, F16 param, F16 m, F16 quotient) {
  const F16 bound = mul(set1(step.step_size * step.inv_sqrt_bias2), abs(quotient));
  const F16 floor = set1(step.step_size * (1.17549435e-38f / a.epsilon));
  const M16 still = lt(max(floor, bound), mul(abs(param), set1(0x1p-26f)));
  return bits(or_(still, eq(m, set1(0.0f)))) == 0xffff;
}

// Zero-gradient steps (from, to] of 16 * N elements.
template <int N>
REC_INLINE void replay(const AdamRows& a, const AdamConstants& constants, bool may_settle, int64_t from, int64_t to,
                       F16* param, F16* m, F16* v) {
  const F16 zero = set1(0.0f);
  int64_t t = from;
  for (bool settled = false; t < to && !settled;) {
    const AdamStep step = step_at(a.steps, a.n_steps, ++t);
    F16 quotient[N];
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) quotient[j] = adam_step(constants, step, param[j], m[j], v[j], zero);
    if (!may_settle || (t - from) % 8 != 0) continue;
    settled = true;
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) settled = settled && is_settled(a, step, param[j], m[j], quotient[j]);
  }
  for (; t < to; ++t) {
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) {
      m[j] = fma(constants.beta1, m[j], zero);
      v[j] = fma(constants.beta2, v[j], zero);
    }
  }
}

// R rows at once, the one with the most missed steps first: each replayed step waits for the one before, so a single
// row would leave the CPU idle.
template <int R>
struct AdamGroup {
  const AdamRows& a;
  const AdamConstants& constants;
  bool may_settle;
  const int64_t* listed;  // [R]

  int64_t row(int r) const { return a.row_ids != nullptr ? a.row_ids[listed[r]] : listed[r]; }

  template <int N, bool kTail>
  REC_INLINE void run(int64_t offset, int64_t n) const {
    static_assert(R <= 2);
    const int64_t lanes = kTail ? n : 16, to = a.grads != nullptr ? a.step - 1 : a.step;
    F16 param[R * N], m[R * N], v[R * N];
#pragma GCC unroll 8
    for (int j = 0; j < R * N; ++j) {
      const int64_t at = row(j / N) * a.d + offset + 16 * (j % N);
      param[j] = kTail ? load_n(a.param + at, lanes) : load(a.param + at);
      m[j] = kTail ? load_n(a.m + at, lanes) : load(a.m + at);
      v[j] = kTail ? load_n(a.v + at, lanes) : load(a.v + at);
    }
    if constexpr (R == 2) {
      const int64_t joined = a.last_step[row(1)] < to ? a.last_step[row(1)] : to;
      replay<N>(a, constants, may_settle, a.last_step[row(0)], joined, param, m, v);
    }
    replay<R * N>(a, constants, may_settle, a.last_step[row(R - 1)], to, param, m, v);
#pragma GCC unroll 8
    for (int j = 0; j < R * N; ++j) {
      const int64_t at = row(j / N) * a.d + offset + 16 * (j % N);
      if (a.grads != nullptr) {
        const float* grads = a.grads + listed[j / N] * a.d + offset + 16 * (j % N);
        adam_step(constants, step_at(a.steps, a.n_steps, a.step), param[j], m[j], v[j],
                  kTail ? load_n(grads, lanes) : load(grads));
      }
      kTail ? store_n(a.param + at, param[j], lanes) : store(a.param + at, param[j]);
      kTail ? store_n(a.m + at, m[j], lanes) : store(a.m + at, m[j]);
      kTail ? store_n(a.v + at, v[j], lanes) : store(a.v + at, v[j]);
    }
  }
};

// Rows come in an order that the CPU cannot predict.
template <class AdamArgs>
REC_INLINE void fetch_ahead(const AdamArgs& a, int64_t at) {
  for (int64_t j = 0; j < a.d; j += 16) {
    __builtin_prefetch(a.param + at + j, 1);
    __builtin_prefetch(a.m + at + j, 1);
    __builtin_prefetch(a.v + at + j, 1);
  }
}

void adam_rows(const AdamRows& a, int64_t begin, int64_t end) {
  const AdamConstants constants = constants_of(a);
  const bool may_settle = a.weight_decay == 0 && a.beta1 * a.beta1 < 0.998f * a.beta2 && a.epsilon >= 1e-15f;
  constexpr int64_t kSorted = 16;
  for (int64_t first = begin; first < end; first += kSorted) {
    int64_t listed[kSorted], n = 0;  // sorted by the step they have reached
    for (int64_t i = first; i < end && i < first + kSorted; ++i) {
      const auto row = [&](int64_t l) { return a.row_ids != nullptr ? a.row_ids[l] : l; };
      const auto reached = [&](int64_t l) { return a.last_step[row(l)]; };
      if (reached(i) >= a.step) continue;
      if (a.row_ids != nullptr) fetch_ahead(a, row(i) * a.d);
      int64_t at = n++;
      for (; at > 0 && reached(listed[at - 1]) > reached(i); --at) listed[at] = listed[at - 1];
      listed[at] = i;
    }
    int64_t done = 0;
    for (; kAdamRows == 2 && !may_settle && done + 2 <= n; done += 2)
      for_blocks<kAdamBlock>(a.d, AdamGroup<2>{a, constants, may_settle, listed + done});
    for (; done < n; ++done) for_blocks<kAdamBlock>(a.d, AdamGroup<1>{a, constants, may_settle, listed + done});
    for (int64_t i = 0; i < n; ++i) a.last_step[a.row_ids != nullptr ? a.row_ids[listed[i]] : listed[i]] = a.step;
  }
}

REC_INLINE void fetch_ahead(const GradientRows& a, int64_t at) {
  for (int64_t j = 0; j < a.d; j += 16) {
    __builtin_prefetch(a.param + at + j, 1);
    if (a.accumulator != nullptr) __builtin_prefetch(a.accumulator + at + j, 1);
  }
}

// Calls update(position in the table, gradient, valid lanes) for each 16 elements of the listed rows.
template <class Args, class Update>
REC_INLINE void update_rows(const Args& a, int64_t begin, int64_t end, Update update) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = a.row_ids != nullptr ? a.row_ids[i] : i;
    if (a.row_ids != nullptr && i + 4 < end) fetch_ahead(a, a.row_ids[i + 4] * a.d);
    for (int64_t j = 0; j < a.d; j += 16) update(row * a.d + j, load_or(a.grads + i * a.d + j, a.d - j, 0.0f), a.d - j);
  }
}

void lazy_adam_rows(const LazyAdamRows& a, int64_t begin, int64_t end) {
  const AdamConstants constants = constants_of(a);
  update_rows(a, begin, end, [&](int64_t at, F16 g, int64_t n) {
    F16 param = load_or(a.param + at, n, 0.0f), m = load_or(a.m + at, n, 0.0f), v = load_or(a.v + at, n, 0.0f);
    adam_step(constants, a.step, param, m, v, g);
    store_up_to(a.param + at, param, n);
    store_up_to(a.m + at, m, n);
    store_up_to(a.v + at, v, n);
  });
}

void sgd_rows(const GradientRows& a, int64_t begin, int64_t end) {
  const F16 minus_lr = set1(-a.lr), decay = set1(a.weight_decay);
  update_rows(a, begin, end, [&](int64_t at, F16 g, int64_t n) {
    const F16 param = load_or(a.param + at, n, 0.0f);
    if (a.weight_decay != 0) g = fma(decay, param, g);
    store_up_to(a.param + at, fma(minus_lr, g, param), n);
  });
}

void adagrad_rows(const GradientRows& a, int64_t begin, int64_t end) {
  const F16 minus_lr = set1(-a.lr), decay = set1(a.weight_decay), epsilon = set1(a.epsilon);
  const F16 momentum = set1(a.momentum);
  update_rows(a, begin, end, [&](int64_t at, F16 g, int64_t n) {
    const F16 param = load_or(a.param + at, n, 0.0f);
    if (a.weight_decay != 0) g = fma(decay, param, g);
    const F16 accumulator = fma(g, g, load_or(a.accumulator + at, n, 0.0f));
    store_up_to(a.accumulator + at, accumulator, n);
    const F16 root = a.epsilon_inside ? sqrt(add(accumulator, epsilon)) : add(sqrt(accumulator), epsilon);
    const F16 scaled = div(g, root);
    if (a.velocity == nullptr) {
      store_up_to(a.param + at, fma(minus_lr, scaled, param), n);
      return;
    }
    const F16 velocity = fma(momentum, load_or(a.velocity + at, n, 0.0f), mul(minus_lr, scaled));
    store_up_to(a.velocity + at, velocity, n);
    store_up_to(a.param + at, add(param, velocity), n);
  });
}

}  // namespace
}  // namespace rec::kernels
