#pragma once

#include <cstdint>

#include "rec_plugin_cpp.h"

namespace rec::slrc_plus {

// kappa(t) = pi beta e^{-beta t} + (1 - pi) N(t; mu, omega): an exponential decay mixed with a normal hump. beta and omega
// are clamped to [1e-10, 10] and have no gradient outside.
struct Kernel {
  double pi, beta, mu, omega;
  bool beta_free, omega_free;  // inside their bounds

  static Kernel of(double pi, double beta, double sigma, double mu);
  double at(double t) const;
};
struct KernelSlopes {
  double value, pi, beta, mu, omega;
};
KernelSlopes slopes(const Kernel& kernel, double t);

// Time since each candidate was last excited, in units of time_scalar, -1 for never: out [C, 1 + n_relations]. Entry 0 is
// the item itself in the history, entry r an item of the history that relation r leads from.
void last_intervals(const rec_csr_t* relations, int64_t n_relations, const int32_t* history,
                    const int64_t* history_times, int64_t n_history, int64_t now, double time_scalar,
                    const int32_t* items, int64_t n_items, float* out);

}  // namespace rec::slrc_plus
