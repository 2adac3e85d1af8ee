#pragma once

#include "core/evaluation/evaluation.h"
#include "rec_c_api.h"

namespace rec {

// Metrics of ranked lists from anywhere, each against the relevant items of its row. The arrays are checked; ids are
// compared with each other only, as text when a list has numbers and the other texts.
Report evaluate_lists(const rec_lists_t& lists, const std::vector<MetricSpec>& metrics);

}  // namespace rec
