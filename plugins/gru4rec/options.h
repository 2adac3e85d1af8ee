#pragma once

#include <string>
#include <vector>

#include "plugins/common/parameter.h"

namespace rec::gru4rec {

// Values of the plugin's parameters.
struct Options {
  std::string variant = "official";
  int64_t emb_size = 64;
  std::vector<int64_t> layers{100};
  int64_t history_max = 20;
  double dropout_embed = 0, dropout_hidden = 0;
  std::string loss, input = "constrained";
  int64_t n_sample = 2048;
  double sample_alpha = 0.5;
  double bpreg = 1, elu = 0.5, logq = 0, temperature = 0.05;
  double init_std = 0.01;
  int64_t frozen_row = -1;
  int64_t batch_size = 64;
  int64_t seed = 1;
  plugin::OptimizerOptions optimizer, table_optimizer;
};

Options read_options(const plugin::Context& context, const rec_params_t& params);

// Random streams of the plugin; layers take several each.
enum Stream : int32_t { kItems = 0, kInputItems = 1, kBias = 2, kOut = 3, kDropout = 8, kLayers = 16 };

// Inverted dropout of x [rows, d]: kept values are divided by the probability of keeping; mask gets the factors. The
// draws are keyed by (epoch, key).
void drop(const plugin::Context& context, int64_t seed, int32_t stream, int64_t epoch, int64_t key, double p,
          plugin::Floats& x, plugin::Floats& mask);

}  // namespace rec::gru4rec
