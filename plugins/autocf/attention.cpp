#include "plugins/autocf/attention.h"

namespace rec::autocf {

namespace {

constexpr int64_t kRows = 16;  // per chunk
constexpr float kClamp = 10;

inline float dot(const float* a, const float* b, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += a[j] * b[j];
  return sum;
}

inline void add(float weight, const float* x, int64_t n, float* y) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) y[j] += weight * x[j];
}

}  // namespace

void attend(const plugin::Context& context, const Attention& in, float* alpha, float* inside, float* out) {
  const int64_t H = in.n_heads, d = in.d, width = d / H;
  plugin::parallel_for(context, in.pattern.n(), kRows, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t first = in.pattern.offsets[r];
      const int64_t last = in.pattern.offsets[r + 1];
      std::fill_n(out + r * d, d, 0.f);
      for (int64_t h = 0; h < H; ++h) {
        const int64_t at = h * width;
        float sum = 0;
        for (int64_t e = first; e < last; ++e) {
          const int64_t c = in.pattern.columns[e];
          const float logit = dot(in.q + r * d + at, in.k + c * d + at, width);
          inside[e * H + h] = logit >= -kClamp && logit <= kClamp ? 1.f : 0.f;
          sum += alpha[e * H + h] = std::exp(std::clamp(logit, -kClamp, kClamp));
        }
        for (int64_t e = first; e < last; ++e) {
          const int64_t c = in.pattern.columns[e];
          alpha[e * H + h] /= sum + 1e-8f;
          add(alpha[e * H + h], in.v + c * d + at, width, out + r * d + at);
        }
      }
    }
  });
}

void attend_backward(const plugin::Context& context, const Attention& in, const float* alpha, const float* inside,
                     const float* d_out, float* d_logits, const AttentionGradients& to) {
  const int64_t H = in.n_heads, d = in.d, width = d / H;
  const Pattern& pattern = in.pattern;
  // da = alpha (g - sum of alpha g) inside the clamp, g = d_out_r . v_c;  dq_r = sum over c of da k_c.
  plugin::parallel_for(context, pattern.n(), kRows, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      std::fill_n(to.q + r * d, d, 0.f);
      for (int64_t h = 0; h < H; ++h) {
        const int64_t at = h * width;
        const int64_t first = pattern.offsets[r], last = pattern.offsets[r + 1];
        float mean = 0;
        for (int64_t e = first; e < last; ++e) {
          const int64_t c = pattern.columns[e];
          const float g = dot(d_out + r * d + at, in.v + c * d + at, width);
          d_logits[e * H + h] = g;
          mean += alpha[e * H + h] * g;
        }
        for (int64_t e = first; e < last; ++e) {
          const int64_t c = pattern.columns[e];
          float& da = d_logits[e * H + h];
          da = inside[e * H + h] * alpha[e * H + h] * (da - mean);
          add(da, in.k + c * d + at, width, to.q + r * d + at);
        }
      }
    }
  });
  // Column c gathers from the entries (r, c), mirrors of row c's: dk_c = sum of da q_r, dv_c = sum of alpha d_out_r.
  plugin::parallel_for(context, pattern.n(), kRows, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      std::fill_n(to.k + c * d, d, 0.f);
      std::fill_n(to.v + c * d, d, 0.f);
      for (int64_t e = pattern.offsets[c]; e < pattern.offsets[c + 1]; ++e) {
        const int64_t r = pattern.columns[e], mirror = pattern.mirror[e];
        for (int64_t h = 0; h < H; ++h) {
          const int64_t at = h * width;
          add(d_logits[mirror * H + h], in.q + r * d + at, width, to.k + c * d + at);
          add(alpha[mirror * H + h], d_out + r * d + at, width, to.v + c * d + at);
        }
      }
    }
  });
}

}  // namespace rec::autocf
