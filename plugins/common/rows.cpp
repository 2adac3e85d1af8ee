#include "plugins/common/rows.h"

namespace rec::plugin {

void normalize(const float* x, int64_t n, int64_t d, float* y, Floats& lengths) {
  lengths.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    double square = 0;
    for (int64_t k = 0; k < d; ++k) square += static_cast<double>(x[i * d + k]) * x[i * d + k];
    const auto length = static_cast<float>(std::max(std::sqrt(square), 1e-12));
    lengths[i] = length;
    for (int64_t k = 0; k < d; ++k) y[i * d + k] = x[i * d + k] / length;
  }
}

void normalize_backward(const Floats& y, const Floats& lengths, int64_t n, int64_t d, Floats& gradient) {
  for (int64_t i = 0; i < n; ++i) {
    const float* row = y.data() + i * d;
    float* g = gradient.data() + i * d;
    float along = 0;
    for (int64_t k = 0; k < d; ++k) along += g[k] * row[k];
    for (int64_t k = 0; k < d; ++k) g[k] = (g[k] - along * row[k]) / lengths[i];
  }
}

void dropout(const Context& context, const DropoutKey& key, double p, float* x, float* mask, int64_t n) {
  context.host.random_uniform(key.seed, key.stream, key.epoch, key.row, 0, 1, mask, n);
  const auto threshold = static_cast<float>(p), kept = static_cast<float>(1 / (1 - p));
  for (int64_t i = 0; i < n; ++i) {
    mask[i] = mask[i] < threshold ? 0 : kept;
    x[i] *= mask[i];
  }
}

void multiply(float* x, const float* by, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] *= by[i];
}

void FrozenRow::check(const rec_schema_t& schema) const {
  if (row >= schema.n_items)
    throw Failure{REC_INVALID_DATA, "frozen_row: must be below the " + std::to_string(schema.n_items) + " items, got " +
                                        std::to_string(row)};
}

void FrozenRow::clear(const std::vector<int32_t>& rows, int64_t d, Floats& gradients) const {
  for (size_t r = 0; r < rows.size(); ++r)
    if (rows[r] == row) std::fill_n(gradients.data() + static_cast<int64_t>(r) * d, d, 0.f);
}

}  // namespace rec::plugin
