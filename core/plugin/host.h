#pragma once

#include <string>

#include "core/base/cancel.h"
#include "core/base/thread_pool.h"
#include "rec_plugin_api.h"

// One call of a plugin slot: where its failure text goes, and what it may use.
struct rec_call_t {
  rec::ThreadPool* pool = nullptr;  // nullptr: on the calling thread
  const rec::CancelToken* cancel = nullptr;
  std::string message;
};

namespace rec {

// The table that every plugin gets.
const rec_host_t& host_table();

}  // namespace rec
