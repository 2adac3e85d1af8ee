#pragma once

#include "core/plugin/host.h"

namespace rec {

// host->list_loss and host->label_loss: in double, parallel over rows in chunks that depend only on their number.
rec_status_t list_loss(rec_call_t* call, int32_t loss, const float* scores, const uint8_t* mask, int64_t n_rows,
                       int64_t n_columns, double* out_loss, float* dscores);
rec_status_t label_loss(rec_call_t* call, int32_t loss, const float* scores, const float* labels, int64_t n_rows,
                        double* out_loss, float* dscores);

}  // namespace rec
