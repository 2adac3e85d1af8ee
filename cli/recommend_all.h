#pragma once

#include "cli/item_sets.h"

namespace rec::cli {

// `recommend --all`: the k best items of every user of the model, to a file.
int recommend_all(const Model& model, int64_t k, bool exclude_seen, const ItemSetOptions& sets, const std::string& path,
                  Context& context);

}  // namespace rec::cli
