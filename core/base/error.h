#pragma once

#include <cstdint>
#include <exception>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "rec_c_api.h"

namespace rec {

// The one exception of the core; capi turns it into a status and a rec_error_t.
struct Error : std::exception {
  rec_status_t status;
  std::string message;
  std::string argument;
  std::string file;
  int64_t line = -1;
  int64_t byte_offset = -1;

  Error(rec_status_t status_, std::string message_) : status(status_), message(std::move(message_)) {}
  const char* what() const noexcept override { return message.c_str(); }

  Error& at_argument(std::string name) {
    argument = std::move(name);
    return *this;
  }
  Error& at_line(std::string path, int64_t number) {
    file = std::move(path);
    line = number;
    return *this;
  }
  Error& at_offset(std::string path, int64_t offset) {
    file = std::move(path);
    byte_offset = offset;
    return *this;
  }
};

// cat("k: must be >= 1, got ", k): the text of any streamable pieces, numbers with '.' whatever the locale.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // without memory it would leave out a piece and go on
  out.imbue(std::locale::classic());
  (out << ... << parts);
  return std::move(out).str();
}

// argument_error(REC_LIMIT, "k", "is more than ", n) reads "k: is more than 10" and names the argument k.
template <class... Parts>
Error argument_error(rec_status_t status, std::string_view name, const Parts&... parts) {
  return Error(status, cat(name, ": ", parts...)).at_argument(std::string(name));
}
// The same as INVALID_ARGUMENT.
template <class... Parts>
Error invalid_argument(std::string_view name, const Parts&... parts) {
  return argument_error(REC_INVALID_ARGUMENT, name, parts...);
}

// Returns body(); when that calls an argument invalid and names none, it is this one.
template <class Body>
auto of_argument(std::string_view name, const Body& body) {
  try {
    return body();
  } catch (Error& error) {
    if (error.status == REC_INVALID_ARGUMENT && error.argument.empty()) {
      error.message = cat(name, ": ", error.message);
      error.argument = std::string(name);
    }
    throw;
  }
}

// An errno as IO, NOT_FOUND or DENIED: "cannot open model.rec: No such file or directory".
Error system_error(std::string_view what, std::string_view path, int errno_value);

const char* status_name(rec_status_t status);

// The exception in flight, whatever its type; within a catch block.
Error current_error();

}  // namespace rec
