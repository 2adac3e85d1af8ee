#pragma once

#include <functional>
#include <memory>

#include "core/base/cancel.h"
#include "core/training/trainer.h"
#include "rec_c_api.h"

namespace rec {

// Runs `work` on a library thread with a stack of its own size, while the calling thread delivers events and log lines
// and looks at the host's cancel token. Library threads never call host code. Rethrows what work threw; a status other
// than OK from on_event stops the work and is thrown.
void run_long_call(const rec_run_options_t* options,
                   const std::function<void(const Observer& observer, const CancelToken* cancel)>& work);

}  // namespace rec
