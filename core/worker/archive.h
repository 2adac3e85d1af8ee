#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/memory_file.h"
#include "core/data/dataset.h"
#include "core/evaluation/evaluation.h"

namespace rec {

// What is too large for a message is passed in a memory file, whose pages the other process uses in place.
MemoryFile share_dataset(const Dataset& dataset);
std::shared_ptr<const Dataset> shared_dataset(const MemoryFile& file);

// What a report can refer to.
struct ReportBounds {
  int64_t n_users, n_items;  // of the model
  int64_t n_interactions;    // of the data set
  int64_t keep_lists;        // of the protocol
};

MemoryFile share_report(const Report& report);
// PLUGIN_FAILED unless it is a report of these metrics over a data set of so many users.
std::shared_ptr<const Report> shared_report(const MemoryFile& file, const std::vector<std::string>& names,
                                            const ReportBounds& bounds);

}  // namespace rec
