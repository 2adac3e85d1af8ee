#pragma once

#include <cstring>
#include <memory>
#include <new>

#include "core/base/json.h"
#include "core/base/process.h"
#include "core/capi/handles.h"

namespace rec {

struct ErrorObject {
  Error error;
};
struct TextObject {
  std::string text;
  std::vector<int64_t> numbers;  // ids and offsets that a rec_ids_t points into
};

REC_HANDLE(rec_error_t, kError, ErrorObject, "error");
REC_HANDLE(rec_text_t, kText, TextObject, "text");

// Turns the current exception into a status and, if wanted, an error object. Never throws.
rec_status_t report_current_exception(rec_error_t** out_error) noexcept;

// Errors that are there before anything fails, with handles that the table never gives: a forked child must not take
// its lock, and without memory it cannot grow. Null for any other handle, except in a forked child, which reads none.
const Error* standing_error(const rec_error_t* handle);
rec_status_t report_forked(rec_error_t** out_error);

// A call that may precede a fork(), as importing a package does: the children of this process may use the library.
template <class Body>
rec_status_t guarded_setup(rec_error_t** out_error, Body&& body) {
  if (out_error != nullptr) *out_error = nullptr;
  if (Process::is_forked_child()) return report_forked(out_error);
  try {
    const Process::Setup setup;
    body();
    return Process::is_forked_child() ? report_forked(out_error) : REC_OK;  // host code may have forked
  } catch (...) {
    if (thread_is_ending()) throw;
    return Process::is_forked_child() ? report_forked(out_error) : report_current_exception(out_error);
  }
}

// The one place where exceptions stop: every extern "C" body is `return guarded(out_error, [&] { ... });`.
template <class Body>
rec_status_t guarded(rec_error_t** out_error, Body&& body) {
  Process::note_use();
  return guarded_setup(out_error, body);
}

template <class T>
T& not_null(T* pointer, const char* name) {
  if (pointer == nullptr) throw invalid_argument(name, "must not be null");
  return *pointer;
}

// body(path), with the caller's path; what is wrong with the file there is an error of this argument.
template <class Body>
auto with_path(const char* path, const char* name, const Body& body) {
  const std::string given = &not_null(path, name);
  if (given.empty()) throw invalid_argument(name, "is empty");
  return of_argument(name, [&] { return body(given); });
}

// `guarded` for a function with a result: *out is null unless make(), which returns it, succeeds.
template <class Given, class Make>
rec_status_t guarded_giving(Given** out, const char* name, rec_error_t** out_error, Make&& make) {
  if (out != nullptr) *out = nullptr;
  return guarded(out_error, [&] {
    not_null(out, name);
    *out = make();
  });
}

// The caller's array, null if not given, must have exactly this many elements, or at least as many as are written.
inline void check_length(const char* name, const void* array, int64_t n, int64_t wanted) {
  if (array != nullptr && n != wanted) throw invalid_argument(name, "must have ", wanted, " elements, got ", n);
}
inline void check_room(const char* name, const void* array, int64_t n, int64_t wanted) {
  if (array != nullptr && n < wanted) throw invalid_argument(name, "must have room for ", wanted, " elements, got ", n);
}

// The caller's struct as this library knows it. A shorter one is padded with zeros; the excess of a longer one must be
// zero, since this library does not know its meaning.
template <class Options>
Options read_struct(const Options* given, const char* name) {
  Options options{};
  options.struct_size = sizeof options;
  if (given == nullptr) return options;
  const uint32_t size = given->struct_size;
  if (size < 8 || size > 65536)
    throw invalid_argument(name, "struct_size must be set by the _init function, got ", size);
  std::memcpy(&options, given, std::min<size_t>(size, sizeof options));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (size_t i = sizeof options; i < size; ++i)
    if (bytes[i] != 0)
      throw argument_error(REC_UNSUPPORTED, name, "sets a field that this version of the library does not know (byte ",
                           i, ")");
  options.struct_size = sizeof options;
  return options;
}

// The opposite direction: writes as much of the library's struct as the caller's has room for.
template <class Struct>
void write_struct(const Struct& value, Struct* out, const char* name) {
  const uint32_t size = not_null(out, name).struct_size;
  if (size < 8 || size > 65536)
    throw invalid_argument(name, "struct_size must be set by the _init function, got ", size);
  std::memcpy(out, &value, std::min<size_t>(size, sizeof value));
  out->struct_size = size;
}

template <class Options>
void init_struct(Options* options, uint32_t struct_size) {
  not_null(options, "options");
  if (struct_size < 8 || struct_size > 65536)
    throw invalid_argument("struct_size", "must be sizeof of the struct, got ", struct_size);
  std::memset(static_cast<void*>(options), 0, struct_size);
  options->struct_size = struct_size;
}

inline rec_text_t* new_text(std::string text) {
  return new_handle<rec_text_t>(std::make_shared<TextObject>(TextObject{std::move(text), {}}));
}

}  // namespace rec
