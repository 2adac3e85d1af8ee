#pragma once

#include <memory>

#include "core/data/dataset.h"

struct ArrowArrayStream;

namespace rec {

// Fills a stream of record batches with the rows of the data set, which it keeps alive.
void export_arrow(std::shared_ptr<const Dataset> dataset, ArrowArrayStream& out);

}  // namespace rec
