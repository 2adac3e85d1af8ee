#pragma once

#include <functional>

#include "core/base/cancel.h"
#include "core/data/dataset.h"
#include "core/data/dataset_options.h"

struct ArrowArrayStream;

namespace rec {

// Runs a body that calls the stream's own functions, which must run on the caller's thread.
using OnCaller = std::function<void(const std::function<void()>&)>;

// A data set from a stream of record batches. Takes the stream and releases it once, whatever happens. Under
// REC_ID_AUTO the column's own type decides: integers are int64 ids, strings and binaries are bytes.
Dataset dataset_from_arrow(
    ArrowArrayStream* stream, const DatasetOptions& options, const CancelToken* cancel = nullptr,
    const OnCaller& on_caller = [](const std::function<void()>& body) { body(); });

// For a stream that was taken but is not read.
void release_arrow_stream(ArrowArrayStream* stream);

}  // namespace rec
