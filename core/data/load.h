#pragma once

#include <string>

#include "core/base/cancel.h"
#include "core/data/dataset.h"
#include "core/data/dataset_options.h"

namespace rec {

// Reads a file or folder. Files that are already split keep their parts; anything else is all train.
Dataset load_dataset(const std::string& path, const DatasetOptions& options = {}, const CancelToken* cancel = nullptr);

// INVALID_ARGUMENT for an option that files of this format have no use for.
void check_applies(const DatasetOptions& options, std::string_view format);

// "csv", "tsv", "recbole", "rechorus", "lightgcn", "movielens", "gru4rec" or "two_tower"; UNSUPPORTED if unclear.
std::string detect_format(const std::string& path);

}  // namespace rec
