#pragma once

#include "plugins/gru4rec/options.h"

namespace rec::gru4rec {

// The plugin's parameters choose one of two classes: SessionGru for the authors' variant, SequenceGru for the others.
struct Gru4Rec {
  using Options = gru4rec::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  static std::unique_ptr<plugin::Model> make(const Options& options, const rec_schema_t& schema);
};

}  // namespace rec::gru4rec
