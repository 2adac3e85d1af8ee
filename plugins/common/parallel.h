#pragma once

#include <exception>
#include <mutex>

#include "plugins/common/model.h"

namespace rec::plugin {

// host.parallel_for over a C++ body(begin, end); the first exception is rethrown when all chunks are done.
template <class Body>
void parallel_for(const Context& context, int64_t n, int64_t chunk, const Body& body) {
  struct Job {
    const Body& body;
    std::mutex mutex;
    std::exception_ptr failure;
  } job{body, {}, nullptr};
  const auto run = [](void* self, int64_t begin, int64_t end) {
    Job& j = *static_cast<Job*>(self);
    try {
      j.body(begin, end);
    } catch (...) {
      const std::lock_guard lock(j.mutex);
      if (j.failure == nullptr) j.failure = std::current_exception();
    }
  };
  context.host.parallel_for(context.call, n, chunk, run, &job);
  if (job.failure != nullptr) std::rethrow_exception(job.failure);
}

}  // namespace rec::plugin
