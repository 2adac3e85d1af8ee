#pragma once

#include <cstdint>
#include <string_view>

#include "rec_c_api.h"

namespace rec::log {

// Lines wait in a bounded queue until a thread that is inside a call of the library delivers them to the sink.
void write(int32_t level, std::string_view message);

void set_sink(rec_log_fn sink, int32_t level, void* user_data, rec_destroy_fn destroy);
// The lowest level that the sink wants; 0 without a sink.
int32_t level();
// Delivers waiting lines on this thread.
void deliver();
// How many lines found the queue full since the last call.
int64_t take_dropped();
// Counts lines lost by another process that logs for this one.
void add_dropped(int64_t n);

}  // namespace rec::log
