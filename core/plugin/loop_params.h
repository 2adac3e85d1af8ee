#pragma once

#include <span>

#include "rec_plugin_api.h"

namespace rec {

// Parameters of the training loop, which every model has: epochs, batch_size, seed, num_neg, sampler, ...
std::span<const rec_param_t> loop_params();

}  // namespace rec
