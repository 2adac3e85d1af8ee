#pragma once

#include "plugins/common/model.h"

namespace rec::plugin {

// y = nrm(x) = x / max(|x|, 1e-12) of each row of x [n, d]; lengths gets the divisors.
void normalize(const float* x, int64_t n, int64_t d, float* y, Floats& lengths);
// dL/dx from dL/dy, y = nrm(x): (dy - (dy . y) y) / |x|, in place.
void normalize_backward(const Floats& y, const Floats& lengths, int64_t n, int64_t d, Floats& gradient);

}  // namespace rec::plugin
