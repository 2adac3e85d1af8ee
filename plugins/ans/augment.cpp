#include "plugins/ans/augment.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "rec_plugin_cpp.h"

namespace rec::ans {

namespace {

using plugin::Context;

// The same source for machines with AVX2 and without; the loader picks.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define REC_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define REC_CLONES
#endif

// e^x within 2e-7, without a branch, so that it vectorises: 2^n times a polynomial on half an octave to either side.
inline float exp_of(float x) {
  x = x < -87.f ? -87.f : x > 87.f ? 87.f : x;
  const float scaled = x * 1.44269504f;
  const auto n = static_cast<int32_t>(scaled + (scaled < 0 ? -0.5f : 0.5f));
  const float r = (x - static_cast<float>(n) * 0.693359375f) + static_cast<float>(n) * 2.12194440e-4f;
  const float p =
      1 + r * (1 + r * (0.5f + r * (1.6666667e-1f + r * (4.1666668e-2f + r * (8.3333340e-3f + r * 1.3888889e-3f)))));
  return p * std::bit_cast<float>((n + 127) << 23);
}

inline float sigmoid(float x) { return 1 / (1 + exp_of(-x)); }
inline float sign(float x) { return static_cast<float>(x > 0) - static_cast<float>(x < 0); }

// Lin_margin kept away from 0; m = sigmoid(1 / x), dm/dx = -m (1 - m) / x^2, 0 where m (1 - m) underflows.
inline void margin(float x, float floor, Negative& out) {
  const bool floored = std::abs(x) < floor;
  if (floored) x = x < 0 ? -floor : floor;
  out.m = 1 / (1 + std::exp(-1 / x));
  const float slope = out.m * (1 - out.m);
  out.dm_dx = floored || slope == 0 ? 0 : -slope / (x * x);
}

// Eq. of g, n_hard, n_easy, p_hard, p_easy, m, delta, n_syn.
REC_CLONES void forward(const float* u, const float* p, const float* user_gate, const float* w, float bias, int64_t d,
                        const AugmentOptions& options, Negative& out) {
  const float *n = out.n, *gate = out.gate, *noise = out.noise;
  float* g = out.g;
  float x = 0, square = 0, s_n = 0, split = 0, direction = 0, distance = 0, orth = 0;
#pragma omp simd reduction(+ : x, square, s_n, split, direction, distance, orth)
  for (int64_t j = 0; j < d; ++j) {
    g[j] = sigmoid(gate[j] * user_gate[j]);
    const float n_hard = n[j] * g[j], n_easy = n[j] - n_hard;
    const float p_hard = p[j] * g[j], p_easy = p[j] - p_hard;
    x += w[j] * (n_hard * p_hard);
    square += noise[j] * noise[j];
    s_n += u[j] * n[j];
    split += u[j] * (n_easy - n_hard);
    direction += u[j] * (sign(p_easy - n_easy) * noise[j]);
    const float apart = n_hard - p_hard + 1e-6f, product = p_easy * n_easy;
    distance += apart * apart;
    orth += product * product;
  }
  margin(x + bias, static_cast<float>(options.margin_eps), out);
  out.direction = direction / std::max(std::sqrt(square), 1e-12f);
  out.s_n = s_n;
  out.s_syn = s_n + static_cast<float>(options.noise_scale) * out.m * out.direction;
  out.easy_minus_hard = split;
  out.distance = std::sqrt(distance);
  out.orth = std::sqrt(orth);
}

// Gradients of one negative at one hop, given those of its scores and norms.
struct Upstream {
  float syn;              // of u . n_syn, 0 unless chosen
  float easy_minus_hard;  // of u . n_easy - u . n_hard
  float distance, orth;   // of the norms, divided by them
};
struct Targets {
  float *u, *p, *user_gate;  // [d], added to
  float *n, *gate;           // [d], written
  float* margin;             // [d + 1], added to
};

REC_CLONES void backward(const float* u, const float* p, const float* user_gate, const float* w, int64_t d,
                         const AugmentOptions& options, const Negative& in, const Upstream& up, const Targets& to) {
  const float *n = in.n, *gate = in.gate, *noise = in.noise, *g = in.g;
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t j = 0; j < d; ++j) square += noise[j] * noise[j];
  const auto c = static_cast<float>(options.noise_scale);
  const float step = up.syn * c * in.m / std::max(std::sqrt(square), 1e-12f);
  const float dx = up.syn * c * in.direction * in.dm_dx;
  to.margin[d] += dx;
#pragma omp simd
  for (int64_t j = 0; j < d; ++j) {
    const float n_hard = n[j] * g[j], n_easy = n[j] - n_hard;
    const float p_hard = p[j] * g[j], p_easy = p[j] - p_hard;
    to.u[j] += up.syn * n[j] + step * (sign(p_easy - n_easy) * noise[j]) + up.easy_minus_hard * (n_easy - n_hard);
    to.margin[j] += dx * (n_hard * p_hard);
    const float apart = up.distance * (n_hard - p_hard + 1e-6f), product = up.orth * (p_easy * n_easy);
    const float d_n_hard = (up.syn - up.easy_minus_hard) * u[j] + dx * w[j] * p_hard + apart;
    const float d_n_easy = (up.syn + up.easy_minus_hard) * u[j] + product * p_easy;
    const float d_p_hard = dx * w[j] * n_hard - apart;
    const float d_p_easy = product * n_easy;
    to.n[j] = d_n_hard * g[j] + d_n_easy * (1 - g[j]);
    to.p[j] += d_p_hard * g[j] + d_p_easy * (1 - g[j]);
    const float d_gate = (n[j] * (d_n_hard - d_n_easy) + p[j] * (d_p_hard - d_p_easy)) * g[j] * (1 - g[j]);
    to.gate[j] = d_gate * user_gate[j];
    to.user_gate[j] += d_gate * gate[j];
  }
}

// The job of one batch and what its rows leave behind.
struct Job {
  const AugmentInput& in;
  const AugmentOptions& options;
  AugmentGradients& out;

  void row(int64_t b);
  void choose(int64_t b, double& positive, double& negative);
};

// Per hop, k* = argmax_k [ u . n_syn + eps * (u . n_syn - u . n) ], the first on ties; S+ and S- sum over hops.
void Job::choose(int64_t b, double& positive, double& negative) {
  const int64_t K = in.C - 1;
  const auto eps = static_cast<float>(options.eps);
  positive = negative = 0;
  for (int64_t h = 0; h < in.H; ++h) {
    const Negative* hop = out.negatives.data() + (b * in.H + h) * K;
    const auto value = [&](const Negative& k) { return k.s_syn + eps * (k.s_syn - k.s_n); };
    int64_t best = 0;
    for (int64_t k = 1; k < K; ++k)
      if (value(hop[k]) > value(hop[best])) best = k;
    out.selected[static_cast<size_t>(b * in.H + h)] = static_cast<int32_t>(best);
    negative += hop[best].s_syn;
    const float* u = in.users + (in.user_slots[b] * in.H + h) * in.d;
    const float* p = in.items + (in.item_slots[b * in.C] * in.H + h) * in.d;
    for (int64_t j = 0; j < in.d; ++j) positive += u[j] * p[j];
  }
}

void Job::row(int64_t b) {
  const int64_t H = in.H, C = in.C, K = C - 1, d = in.d;
  const auto node = [&](int64_t slot, int64_t h) { return (slot * H + h) * d; };
  const int64_t user = in.user_slots[b], item = in.item_slots[b * C];
  Negative* row_negatives = out.negatives.data() + b * H * K;
  for (int64_t h = 0; h < H; ++h)
    for (int64_t k = 0; k < K; ++k) {
      const int64_t slot = in.item_slots[b * C + 1 + k], at = ((b * K + k) * H + h) * d;
      Negative& negative = row_negatives[h * K + k];
      negative.n = in.items + node(slot, h);
      negative.gate = in.item_gates + node(slot, h);
      negative.noise = in.noise + at;
      negative.g = out.gates.data() + at;
      forward(in.users + node(user, h), in.items + node(item, h), in.user_gates + node(user, h), in.margin_weight,
              *in.margin_bias, d, options, negative);
    }
  double s_positive, s_negative;
  choose(b, s_positive, s_negative);

  // L_bpr = mean_b -ln(1e-10 + sigmoid(S+ - S-)).
  const auto B = static_cast<double>(in.B);
  const double hit = 1 / (1 + std::exp(s_negative - s_positive));
  const auto d_bpr = static_cast<float>(hit * (1 - hit) / (1e-10 + hit) / B);
  AugmentLosses& loss = out.losses[static_cast<size_t>(b)];
  loss.bpr = -std::log(1e-10 + hit) / B;

  float* margin_sum = out.margins.data() + b * (d + 1);
  std::fill_n(margin_sum, d + 1, 0.f);
  for (int64_t h = 0; h < H; ++h) {
    const float *u = in.users + node(user, h), *p = in.items + node(item, h);
    const float* user_gate = in.user_gates + node(user, h);
    const Negative* hop = row_negatives + h * K;
    float *d_u = out.users.data() + (b * H + h) * d, *d_p = out.items.data() + (b * C * H + h) * d;
    float* d_user_gate = out.user_gates.data() + (b * H + h) * d;
    for (int64_t j = 0; j < d; ++j) {
      d_u[j] = -d_bpr * p[j];
      d_p[j] = -d_bpr * u[j];
    }
    std::fill_n(d_user_gate, d, 0.f);
    std::fill_n(out.item_gates.data() + (b * C * H + h) * d, d, 0.f);

    // L_con = mean_{b,h} ln(1 + sum_k exp(u . n_easy - u . n_hard)): log-sum-exp with an extra 0.
    float highest = 0, sum = 0;
    for (int64_t k = 0; k < K; ++k) highest = std::max(highest, hop[k].easy_minus_hard);
    for (int64_t k = 0; k < K; ++k) sum += std::exp(hop[k].easy_minus_hard - highest);
    sum += std::exp(-highest);
    loss.contrast += (highest + std::log(sum)) / (B * static_cast<double>(H));

    const auto con = static_cast<float>(options.gamma / (B * static_cast<double>(H)));
    const auto dis = static_cast<float>(options.gamma / (B * static_cast<double>(K * H)));
    const auto orth = static_cast<float>(options.gamma / (B * static_cast<double>(K)));
    for (int64_t k = 0; k < K; ++k) {
      const Negative& negative = hop[k];
      loss.distance += negative.distance / (B * static_cast<double>(K * H));
      loss.orth += negative.orth / (B * static_cast<double>(K));
      const bool chosen = out.selected[static_cast<size_t>(b * H + h)] == k;
      const Upstream up{chosen ? d_bpr : 0, con * std::exp(negative.easy_minus_hard - highest) / sum,
                        negative.distance > 0 ? dis / negative.distance : 0,
                        negative.orth > 0 ? orth / negative.orth : 0};
      const int64_t entry = ((b * C + 1 + k) * H + h) * d;
      backward(u, p, user_gate, in.margin_weight, d, options, negative, up,
               {d_u, d_p, d_user_gate, out.items.data() + entry, out.item_gates.data() + entry, margin_sum});
    }
  }
}

}  // namespace

AugmentLosses augment(const Context& context, const AugmentInput& in, const AugmentOptions& options,
                      AugmentGradients& out) {
  const int64_t K = in.C - 1;
  const auto resize = [](plugin::Floats& values, int64_t n) { values.resize(static_cast<size_t>(n)); };
  resize(out.users, in.B * in.H * in.d);
  resize(out.user_gates, in.B * in.H * in.d);
  resize(out.items, in.B * in.C * in.H * in.d);
  resize(out.item_gates, in.B * in.C * in.H * in.d);
  out.selected.resize(static_cast<size_t>(in.B * in.H));
  resize(out.gates, in.B * K * in.H * in.d);
  resize(out.margins, in.B * (in.d + 1));
  out.negatives.resize(static_cast<size_t>(in.B * K * in.H));
  out.losses.assign(static_cast<size_t>(in.B), {});
  Job job{in, options, out};
  plugin::parallel_for(context, in.B, 8, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) job.row(b);
  });

  AugmentLosses losses;
  out.margin_weight.assign(static_cast<size_t>(in.d), 0.f);
  out.margin_bias = 0;
  for (int64_t b = 0; b < in.B; ++b) {
    const AugmentLosses& row = out.losses[static_cast<size_t>(b)];
    losses.bpr += row.bpr, losses.contrast += row.contrast, losses.distance += row.distance, losses.orth += row.orth;
    const float* margin = out.margins.data() + b * (in.d + 1);
    for (int64_t j = 0; j < in.d; ++j) out.margin_weight[static_cast<size_t>(j)] += margin[j];
    out.margin_bias += margin[in.d];
  }
  return losses;
}

}  // namespace rec::ans
