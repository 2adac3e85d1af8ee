// What a slot of a plugin is given, and how it fails. Part of rec_plugin_cpp.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "rec_plugin_api.h"

namespace rec::plugin {

// Thrown by a slot that fails. The message may be empty if host->fail has already recorded one.
struct Failure {
  rec_status_t status;
  std::string message;
};

inline void check(rec_status_t status) {
  if (status != REC_OK) throw Failure{status, {}};
}

// The host's services and the call they belong to.
struct Context {
  const rec_host_t& host;
  rec_call_t* call;

  void throw_if_cancelled() const {
    if (host.should_stop(call)) throw Failure{REC_CANCELLED, "cancelled by the caller"};
  }
};

// host.parallel_for over a C++ body(begin, end). When all chunks are done, the first exception is rethrown.
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

// The columns of a batch by name and type.
struct Batch {
  const rec_batch_t& raw;

  int64_t n_rows() const { return raw.n_rows; }
  const int32_t* users() const { return get<int32_t>(REC_COLUMN_USER); }
  const int32_t* items() const { return get<int32_t>(REC_COLUMN_ITEM); }  // [n_rows, n_candidates]
  int64_t n_candidates() const { return column(REC_COLUMN_ITEM).shape[1]; }
  const float* weights() const { return get<float>(REC_COLUMN_WEIGHT); }
  const int32_t* history() const {
    return get<int32_t>(REC_COLUMN_HISTORY);
  }  // [n_rows, history_width], padded with -1
  int64_t history_width() const { return column(REC_COLUMN_HISTORY).shape[1]; }
  const int32_t* history_lengths() const { return get<int32_t>(REC_COLUMN_HISTORY_LENGTH); }
  // Appends the items of every row's history, row after row.
  void append_history_items(std::vector<int32_t>& out) const {
    for (int64_t b = 0; b < n_rows(); ++b) {
      const int32_t* row = history() + b * history_width();
      out.insert(out.end(), row, row + history_lengths()[b]);
    }
  }

  template <class T>
  const T* get(int32_t id) const {
    return static_cast<const T*>(column(id).data);
  }
  const rec_tensor_view_t& column(int32_t id) const {
    for (int32_t i = 0; i < raw.n_columns; ++i)
      if (raw.columns[i].column_id == id) return raw.columns[i].view;
    throw Failure{REC_INVALID_ARGUMENT, "the batch lacks column " + std::to_string(id)};
  }
};

// Adds to the columns that a plan wants in training batches, or in queries.
inline void want(rec_plan_t& plan, std::initializer_list<int32_t> columns) {
  for (int32_t column : columns) plan.columns[plan.n_columns++] = column;
}
inline void want_in_queries(rec_plan_t& plan, std::initializer_list<int32_t> columns) {
  for (int32_t column : columns) plan.query_columns[plan.n_query_columns++] = column;
}

// A row-major matrix in host memory; it stays the caller's.
inline rec_tensor_view_t host_view(const void* data, int32_t dtype, int64_t rows, int64_t columns) {
  return {const_cast<void*>(data), dtype, 2, REC_DEVICE_CPU, 0, {rows, columns}, {columns, 1}};
}
inline rec_tensor_view_t host_view(const float* data, int64_t rows, int64_t columns) {
  return host_view(data, REC_DTYPE_F32, rows, columns);
}

// Aligned to cache lines: a table row of a multiple of 16 floats then never straddles two lines, which halves the number
// of lines that the propagation kernel fetches.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, size_t) { ::operator delete (p, std::align_val_t{64}); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

// Aligned, zero from the start, and not resident until written: for state that a model which only serves never touches.
template <class T>
struct ZeroedAllocator {
  using value_type = T;
  ZeroedAllocator() = default;
  template <class U>
  ZeroedAllocator(const ZeroedAllocator<U>&) {}
  // The address that calloc gave is kept just before the aligned one.
  T* allocate(size_t n) {
    constexpr size_t kLine = 64;
    if (n > (SIZE_MAX - 2 * kLine) / sizeof(T)) throw std::bad_alloc();
    void* const whole = std::calloc(1, n * sizeof(T) + 2 * kLine);
    if (whole == nullptr) throw std::bad_alloc();
    char* const line = static_cast<char*>(whole) + 2 * kLine - reinterpret_cast<uintptr_t>(whole) % kLine;
    reinterpret_cast<void**>(line)[-1] = whole;
    return reinterpret_cast<T*>(line);
  }
  void deallocate(T* p, size_t) { std::free(reinterpret_cast<void**>(p)[-1]); }
  template <class U>
  void construct(U*) {}  // calloc has zeroed it
  friend bool operator==(const ZeroedAllocator&, const ZeroedAllocator&) { return true; }
};

using Floats = std::vector<float, AlignedAllocator<float>>;

}  // namespace rec::plugin
