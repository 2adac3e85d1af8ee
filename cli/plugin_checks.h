#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace rec::cli {

// Runs the checks in this process, which the plugin may crash or hold up, and prints a JSON event as each begins and ends.
int check_plugin(const std::string& path, const std::vector<std::string>& settings, Context& context);

}  // namespace rec::cli
