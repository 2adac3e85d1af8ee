#pragma once

#include "rec_plugin_cpp.h"

// Operations on the rows of a matrix that several models share.
namespace rec::plugin {

// y = nrm(x) = x / max(|x|, 1e-12) of each row of x [n, d]; lengths gets the divisors.
void normalize(const float* x, int64_t n, int64_t d, float* y, Floats& lengths);
// dL/dx from dL/dy, y = nrm(x): (dy - (dy . y) y) / |x|, in place.
void normalize_backward(const Floats& y, const Floats& lengths, int64_t n, int64_t d, Floats& gradient);

// What the draws of a dropout depend on.
struct DropoutKey {
  int64_t seed;
  int32_t stream;
  int64_t epoch, row;
};
// Inverted dropout of x [n]: each value is zeroed with probability p, else divided by 1 - p. mask [n] gets the factors.
void dropout(const Context& context, const DropoutKey& key, double p, float* x, float* mask, int64_t n);
inline void dropout(const Context& context, const DropoutKey& key, double p, Floats& x, Floats& mask) {
  mask.resize(x.size());
  dropout(context, key, p, x.data(), mask.data(), std::ssize(x));
}
// x [n] *= by [n].
void multiply(float* x, const float* by, int64_t n);

// The parameter frozen_row: a row of an item table that gets no gradient, for files whose row 0 is padding. -1 = none.
struct FrozenRow {
  int64_t row;

  void declare(Fields& field, const char* doc) { field("frozen_row", row, "-1", {-1, 2147483647}, doc); }
  void check(const rec_schema_t& schema) const;
  // Zeroes the frozen row's gradient among those of `rows`, [rows.size(), d].
  void clear(const std::vector<int32_t>& rows, int64_t d, Floats& gradients) const;
};

}  // namespace rec::plugin
