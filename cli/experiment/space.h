// The search space of `recore tune`, as the library takes it: from words of the command line or a YAML file.
#pragma once

#include <string>

#include "cli/command.h"

namespace rec::cli {

// "lr=0.001..0.1 log" is a range, "emb_size=16,32,64" a list of choices.
void add_to_space(const std::string& words, Json& space);
// A file with a section `tune`: lists of choices, and ranges as {low: 0.001, high: 0.1, log: true}.
void add_space_file(const std::string& path, Json& space);

}  // namespace rec::cli
