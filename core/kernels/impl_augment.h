#pragma once

#include "core/kernels/impl_augment_scratch.h"
#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

// The vectors of one row at one hop, [d] each.
struct AugmentHop {
  const float *u, *p, *user_gate, *w;
  int64_t d;
};
// The vectors of one of its negatives; g receives the gate.
struct AugmentNegative {
  const float *n, *gate, *noise;
  float* g;
};

// Sixteen dimensions from `at` on, or the first `left` of them.
template <bool kTail>
REC_INLINE F16 lanes_of(const float* x, int64_t at, int64_t left) {
  return kTail ? load_n(x + at, left) : load(x + at);
}
template <bool kTail>
REC_INLINE void put_lanes(float* x, int64_t at, int64_t left, F16 value) {
  kTail ? store_n(x + at, value, left) : store(x + at, value);
}
template <bool kTail>
REC_INLINE void add_lanes(float* x, int64_t at, int64_t left, F16 value) {
  put_lanes<kTail>(x, at, left, add(lanes_of<kTail>(x, at, left), value));
}

// sign(x) * y
REC_INLINE F16 with_sign_of(F16 x, F16 y) {
  const F16 zero = set1(0.0f);
  return select(lt(zero, x), y, select(lt(x, zero), sub(zero, y), zero));
}

struct AugmentSums {
  F16 margin, square, of_negative, split, direction, distance, orth;
};

template <bool kTail>
REC_INLINE void augment_forward(const AugmentHop& hop, const AugmentNegative& neg, int64_t at, int64_t left,
                                AugmentSums& sum) {
  const auto lanes = [&](const float* x) { return lanes_of<kTail>(x, at, left); };
  const F16 one = set1(1.0f), u = lanes(hop.u), p = lanes(hop.p), n = lanes(neg.n), noise = lanes(neg.noise);
  const F16 g = div(one, add(one, exp(sub(set1(0.0f), mul(lanes(neg.gate), lanes(hop.user_gate))))));
  put_lanes<kTail>(neg.g, at, left, g);
  const F16 n_hard = mul(n, g), n_easy = sub(n, n_hard), p_hard = mul(p, g), p_easy = sub(p, p_hard);
  sum.margin = fma(lanes(hop.w), mul(n_hard, p_hard), sum.margin);
  sum.square = fma(noise, noise, sum.square);
  sum.of_negative = fma(u, n, sum.of_negative);
  sum.split = fma(u, sub(n_easy, n_hard), sum.split);
  sum.direction = fma(u, with_sign_of(sub(p_easy, n_easy), noise), sum.direction);
  F16 apart = add(sub(n_hard, p_hard), set1(1e-6f));
  if (kTail) apart = select(first(left), apart, set1(0.0f));
  sum.distance = fma(apart, apart, sum.distance);
  const F16 product = mul(p_easy, n_easy);
  sum.orth = fma(product, product, sum.orth);
}

// From the sums over d to margins, scores and norms, sixteen negatives at a time.
REC_INLINE void augment_scores(const Augment& a, float* values, int64_t K) {
  const F16 zero = set1(0.0f), one = set1(1.0f), floor = set1(a.margin_eps), c = set1(a.noise_scale);
  const int64_t stride = augment_stride(K);
  for (int64_t k = 0; k < K; k += 16) {
    const auto value = [&](int which) { return values + which * stride + k; };
    F16 x = add(load(value(kMargin)), set1(*a.margin_bias));
    const M16 floored = lt(abs(x), floor);
    x = select(floored, select(lt(x, zero), sub(zero, floor), floor), x);
    const F16 m = div(one, add(one, exp(sub(zero, div(one, x))))), slope = mul(m, sub(one, m));
    store(value(kMargin), m);
    store(value(kMarginSlope), select(or_(floored, eq(slope, zero)), zero, sub(zero, div(slope, mul(x, x)))));
    const F16 length = max(sqrt(load(value(kNoiseLength))), set1(1e-12f));
    const F16 direction = div(load(value(kDirection)), length);
    store(value(kNoiseLength), length);
    store(value(kDirection), direction);
    store(value(kOfSynthetic), fma(mul(c, m), direction, load(value(kOfNegative))));
    store(value(kDistance), sqrt(load(value(kDistance))));
    store(value(kOrth), sqrt(load(value(kOrth))));
  }
}

// ln(1 + sum_k exp(split_k)), a log-sum-exp with an extra 0; kShare gets the softmax.
REC_INLINE float augment_contrast(float* values, int64_t K) {
  const int64_t stride = augment_stride(K);
  const float* split = values + kSplit * stride;
  float* share = values + kShare * stride;
  float highest = 0;
  for (int64_t k = 0; k < K; ++k) highest = split[k] > highest ? split[k] : highest;
  F16 sum = set1(0.0f);
  for (int64_t k = 0; k < K; k += 16) {
    const F16 e = exp(sub(load_or(split + k, K - k, -kInfinity), set1(highest)));
    sum = add(sum, select(first(K - k), e, set1(0.0f)));
    store(share + k, e);
  }
  float last[16];
  store(last, exp(set1(-highest)));
  const float total = sum_of(sum) + last[0];
  for (int64_t k = 0; k < K; k += 16) store(share + k, div(load(share + k), set1(total)));
  store(last, log(set1(total)));
  return highest + last[0];
}

// Gradients of one negative at one hop.
struct AugmentUpstream {
  float syn;             // of u . n_syn, 0 unless it was chosen
  float step, dx;        // of its moved part, and of the margin model's output
  float split;           // of u . n_easy - u . n_hard
  float distance, orth;  // of the norms, divided by them
};
struct AugmentTargets {
  float *u, *p, *user_gate, *margin;  // added to
  float *n, *gate;                    // written
};

template <bool kTail>
REC_INLINE void augment_backward(const AugmentHop& hop, const AugmentNegative& neg, const AugmentUpstream& up,
                                 const AugmentTargets& to, int64_t at, int64_t left) {
  const auto lanes = [&](const float* x) { return lanes_of<kTail>(x, at, left); };
  const F16 u = lanes(hop.u), p = lanes(hop.p), n = lanes(neg.n), g = lanes(neg.g), gate = lanes(neg.gate);
  const F16 one_minus_g = sub(set1(1.0f), g);
  const F16 n_hard = mul(n, g), n_easy = sub(n, n_hard), p_hard = mul(p, g), p_easy = sub(p, p_hard);
  const F16 moved = with_sign_of(sub(p_easy, n_easy), lanes(neg.noise));
  const F16 d_u = fma(set1(up.syn), n, fma(set1(up.step), moved, mul(set1(up.split), sub(n_easy, n_hard))));
  add_lanes<kTail>(to.u, at, left, d_u);
  add_lanes<kTail>(to.margin, at, left, mul(set1(up.dx), mul(n_hard, p_hard)));
  const F16 apart = mul(set1(up.distance), add(sub(n_hard, p_hard), set1(1e-6f)));
  const F16 product = mul(set1(up.orth), mul(p_easy, n_easy)), dw = mul(set1(up.dx), lanes(hop.w));
  const F16 d_n_hard = fma(set1(up.syn - up.split), u, fma(dw, p_hard, apart));
  const F16 d_n_easy = fma(set1(up.syn + up.split), u, mul(product, p_easy));
  const F16 d_p_hard = sub(mul(dw, n_hard), apart), d_p_easy = mul(product, n_easy);
  put_lanes<kTail>(to.n, at, left, fma(d_n_hard, g, mul(d_n_easy, one_minus_g)));
  add_lanes<kTail>(to.p, at, left, fma(d_p_hard, g, mul(d_p_easy, one_minus_g)));
  const F16 by_g = fma(n, sub(d_n_hard, d_n_easy), mul(p, sub(d_p_hard, d_p_easy)));
  const F16 d_gate = mul(by_g, mul(g, one_minus_g));
  put_lanes<kTail>(to.gate, at, left, mul(d_gate, lanes(hop.user_gate)));
  add_lanes<kTail>(to.user_gate, at, left, mul(d_gate, gate));
}

REC_INLINE float dot(const float* a, const float* b, int64_t n) {
  F16 sum = set1(0.0f);
  int64_t k = 0;
  for (; k + 16 <= n; k += 16) sum = fma(load(a + k), load(b + k), sum);
  if (k < n) sum = fma(load_n(a + k, n - k), load_n(b + k, n - k), sum);
  return sum_of(sum);
}

// One row b of the batch.
struct AugmentRow {
  const Augment& a;
  int64_t b;
  float* scratch;

  int64_t K() const { return a.n_candidates - 1; }
  float* values(int64_t h) const { return scratch + h * augment_hop_size(K(), a.d); }
  AugmentHop hop(int64_t h) const {
    const int64_t user = (a.user_slots[b] * a.n_hops + h) * a.d;
    const int64_t item = (a.item_slots[b * a.n_candidates] * a.n_hops + h) * a.d;
    return {a.users + user, a.items + item, a.user_gates + user, a.margin_weight, a.d};
  }
  AugmentNegative negative(int64_t h, int64_t k) const {
    const int64_t item = (a.item_slots[b * a.n_candidates + 1 + k] * a.n_hops + h) * a.d;
    return {a.items + item, a.item_gates + item, a.noise + ((b * K() + k) * a.n_hops + h) * a.d,
            values(h) + kAugmentValues * augment_stride(K()) + k * a.d};
  }

  void forward(int64_t h) const {
    const AugmentHop here = hop(h);
    float* const out = values(h);
    const int64_t stride = augment_stride(K());
    for (int64_t k = 0; k < K(); ++k) {
      const AugmentNegative neg = negative(h, k);
      const F16 zero = set1(0.0f);
      AugmentSums sum{zero, zero, zero, zero, zero, zero, zero};
      int64_t at = 0;
      for (; at + 16 <= a.d; at += 16) augment_forward<false>(here, neg, at, 16, sum);
      if (at < a.d) augment_forward<true>(here, neg, at, a.d - at, sum);
      out[kMargin * stride + k] = sum_of(sum.margin);
      out[kNoiseLength * stride + k] = sum_of(sum.square);
      out[kOfNegative * stride + k] = sum_of(sum.of_negative);
      out[kSplit * stride + k] = sum_of(sum.split);
      out[kDirection * stride + k] = sum_of(sum.direction);
      out[kDistance * stride + k] = sum_of(sum.distance);
      out[kOrth * stride + k] = sum_of(sum.orth);
    }
    augment_scores(a, out, K());
  }

  // Per hop, k* = argmax_k [ u . n_syn + eps (u . n_syn - u . n) ], the first on ties.
  int32_t choose(int64_t h) const {
    const float *syn = values(h) + kOfSynthetic * augment_stride(K()),
                *plain = values(h) + kOfNegative * augment_stride(K());
    const auto value = [&](int64_t k) { return syn[k] + a.eps * (syn[k] - plain[k]); };
    int64_t best = 0;
    for (int64_t k = 1; k < K(); ++k)
      if (value(k) > value(best)) best = k;
    return static_cast<int32_t>(best);
  }

  // Gradients and auxiliary losses of hop h, given dL / d(S+ - S-).
  void backward(int64_t h, float d_bpr, double* losses) const {
    const int64_t d = a.d, stride = augment_stride(K());
    const AugmentHop here = hop(h);
    float* const value = values(h);
    const auto B = static_cast<double>(a.n_rows), BH = B * static_cast<double>(a.n_hops);
    const double BK = B * static_cast<double>(K()), BKH = BK * static_cast<double>(a.n_hops);
    float *d_u = a.d_users + (b * a.n_hops + h) * d, *d_user_gate = a.d_user_gates + (b * a.n_hops + h) * d;
    const auto entry = [&](int64_t candidate) { return ((b * a.n_candidates + candidate) * a.n_hops + h) * d; };
    float *d_p = a.d_items + entry(0), *d_p_gate = a.d_item_gates + entry(0);
    for (int64_t j = 0; j < d; ++j) {
      d_u[j] = -d_bpr * here.p[j];
      d_p[j] = -d_bpr * here.u[j];
      d_user_gate[j] = d_p_gate[j] = 0;
    }
    float* margin = a.d_margin + b * (d + 1);
    losses[1] += static_cast<double>(augment_contrast(value, K())) / BH;
    const auto con = static_cast<float>(a.gamma / BH), dis = static_cast<float>(a.gamma / BKH),
               orth = static_cast<float>(a.gamma / BK);
    for (int64_t k = 0; k < K(); ++k) {
      const auto of = [&](int which) { return value[which * stride + k]; };
      losses[2] += of(kDistance) / BKH;
      losses[3] += of(kOrth) / BK;
      const float syn = a.selected[b * a.n_hops + h] == k ? d_bpr : 0.0f, moved = syn * a.noise_scale;
      const AugmentUpstream up{syn,
                               moved * of(kMargin) / of(kNoiseLength),
                               moved * of(kDirection) * of(kMarginSlope),
                               con * of(kShare),
                               of(kDistance) > 0 ? dis / of(kDistance) : 0.0f,
                               of(kOrth) > 0 ? orth / of(kOrth) : 0.0f};
      margin[d] += up.dx;
      const AugmentNegative neg = negative(h, k);
      const AugmentTargets to{d_u, d_p, d_user_gate, margin, a.d_items + entry(1 + k), a.d_item_gates + entry(1 + k)};
      int64_t at = 0;
      for (; at + 16 <= d; at += 16) augment_backward<false>(here, neg, up, to, at, 16);
      if (at < d) augment_backward<true>(here, neg, up, to, at, d - at);
    }
  }

  // L_bpr = mean_b -ln(1e-10 + sigmoid(S+ - S-)), both sums over hops.
  void run() const {
    float difference = 0;
    for (int64_t h = 0; h < a.n_hops; ++h) {
      forward(h);
      const int32_t best = a.selected[b * a.n_hops + h] = choose(h);
      const AugmentHop here = hop(h);
      difference += dot(here.u, here.p, a.d) - values(h)[kOfSynthetic * augment_stride(K()) + best];
    }
    float lane[16];
    store(lane, set1(difference));
    sigmoid_of(lane, lane, 16);
    const float hit = lane[0], guarded = 1e-10f + hit;
    store(lane, log(set1(guarded)));
    const auto B = static_cast<double>(a.n_rows);
    double* losses = a.losses + b * 4;
    losses[0] = -static_cast<double>(lane[0]) / B;
    losses[1] = losses[2] = losses[3] = 0;
    for (int64_t j = 0; j <= a.d; ++j) a.d_margin[b * (a.d + 1) + j] = 0;
    const auto d_bpr = static_cast<float>(static_cast<double>(hit * (1 - hit) / guarded) / B);
    for (int64_t h = 0; h < a.n_hops; ++h) backward(h, d_bpr, losses);
  }
};

void augment_rows(const Augment& a, float* scratch, int64_t begin, int64_t end) {
  for (int64_t b = begin; b < end; ++b) AugmentRow{a, b, scratch}.run();
}

}  // namespace
}  // namespace rec::kernels
