#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace rec::cli {

// Where the process of the checks writes its events, JSON lines: {event: begin, check}, {event: check, check, found},
// {event: done, model}. The plugin prints elsewhere.
inline constexpr int kEventsDescriptor = 3;

// Runs the checks in this process, which the plugin may crash or hold up.
int check_plugin(const std::string& path, const std::vector<std::string>& settings, Context& context);

}  // namespace rec::cli
