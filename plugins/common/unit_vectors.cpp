#include "plugins/common/unit_vectors.h"

#include <algorithm>
#include <cmath>

namespace rec::plugin {

void normalize(const float* x, int64_t n, int64_t d, float* y, Floats& lengths) {
  lengths.resize(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    double square = 0;
    for (int64_t k = 0; k < d; ++k) square += static_cast<double>(x[i * d + k]) * x[i * d + k];
    const auto length = static_cast<float>(std::max(std::sqrt(square), 1e-12));
    lengths[static_cast<size_t>(i)] = length;
    for (int64_t k = 0; k < d; ++k) y[i * d + k] = x[i * d + k] / length;
  }
}

void normalize_backward(const Floats& y, const Floats& lengths, int64_t n, int64_t d, Floats& gradient) {
  for (int64_t i = 0; i < n; ++i) {
    const float* row = y.data() + i * d;
    float* g = gradient.data() + i * d;
    float along = 0;
    for (int64_t k = 0; k < d; ++k) along += g[k] * row[k];
    for (int64_t k = 0; k < d; ++k) g[k] = (g[k] - along * row[k]) / lengths[static_cast<size_t>(i)];
  }
}

}  // namespace rec::plugin
