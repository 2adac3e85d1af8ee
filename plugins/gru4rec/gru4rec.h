#pragma once

#include <memory>

#include "plugins/common/model.h"

namespace rec::gru4rec {

// The plugin's parameters choose one of two classes: SessionGru for the authors' variant, SequenceGru for the others.
struct Gru4Rec {
  static void plan(const plugin::Context& context, const rec_params_t& params, const rec_schema_t& schema,
                   rec_plan_t& plan);
  static std::unique_ptr<plugin::Model> make(const plugin::Context& context, const rec_params_t& params,
                                             const rec_schema_t& schema);
};

}  // namespace rec::gru4rec
