// What the fuzzers share: an input read as a row of choices, odd values, and what counts as a finding.
#pragma once

#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/error.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace rec::fuzz {

using Json = nlohmann::ordered_json;

// An input that must not pass: ends the process, so that the fuzzer keeps the input.
[[noreturn]] inline void finding(std::string_view what) {
  std::fprintf(stderr, "finding: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

// The bytes of an input as choices; beyond its end every choice is 0.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  bool empty() const { return data_ == end_; }
  uint8_t byte() { return empty() ? 0 : *data_++; }
  template <class T>
  T raw() {
    T value{};
    const size_t n = std::min<size_t>(sizeof value, end_ - data_);
    if (n > 0) std::memcpy(&value, data_, n);
    data_ += n;
    return value;
  }
  // From 0 to n - 1.
  size_t below(size_t n) { return n < 2 ? 0 : (n <= 256 ? byte() : raw<uint16_t>()) % n; }
  bool one_in(size_t n) { return below(n) == n - 1; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }
  std::string text(size_t n) {
    n = std::min<size_t>(n, end_ - data_);
    const auto* begin = reinterpret_cast<const char*>(data_);
    data_ += n;
    return {begin, n};
  }
  std::string rest() { return text(end_ - data_); }

 private:
  const uint8_t *data_, *end_;
};

inline int64_t odd_integer(Input& in, int64_t near = 0) {
  constexpr int64_t kMax = INT64_MAX;
  if (in.one_in(3)) return static_cast<int64_t>(static_cast<uint64_t>(near) + in.below(5) - 2);
  return in.one_of<int64_t>({0,
                             1,
                             -1,
                             2,
                             3,
                             7,
                             8,
                             16,
                             64,
                             100,
                             255,
                             256,
                             1000,
                             65535,
                             65536,
                             1 << 20,
                             1 << 24,
                             INT32_MAX,
                             INT32_MIN,
                             int64_t{1} << 31,
                             int64_t{1} << 32,
                             int64_t{1} << 40,
                             int64_t{1} << 53,
                             int64_t{1} << 61,
                             int64_t{1} << 62,
                             kMax,
                             INT64_MIN,
                             kMax / 4,
                             kMax / 8,
                             -1000});
}

inline double odd_number(Input& in) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return in.one_of<double>({0.0, -0.0, 1.0, -1.0, 0.5, NAN, kInfinity, -kInfinity, 3.4e38, -3.4e38, 1e20, -1e20, 1e-45,
                            1e-38, 1e300, -1e300, 123456.0});
}

inline Json odd_json(Input& in, const Json& was = nullptr) {
  switch (in.below(12)) {
    case 0: return odd_integer(in, was.is_number_integer() ? was.get<int64_t>() : 3);
    case 1: return odd_number(in);
    case 2: return nullptr;
    case 3: return in.one_in(2);
    case 4: return in.text(in.below(9));
    case 5: return Json::array();
    case 6: return Json::object();
    case 7: return Json::array({odd_integer(in), odd_integer(in)});
    case 8: return Json::array({in.below(9), in.below(9), in.below(9)});
    case 9: {
      Json nested = 1;
      for (size_t i = 50 + in.below(30); i > 0; --i) nested = Json::array({std::move(nested)});
      return nested;
    }
    case 10: return Json(std::vector<int>(40 + in.below(2000), 3));
    default: return std::string(1 + in.below(3000), 'a');
  }
}

// Some value within the tree.
inline Json& any_node(Input& in, Json& tree) {
  Json* node = &tree;
  while (node->is_structured() && !node->empty() && !in.one_in(5)) {
    auto child = node->begin();
    std::advance(child, in.below(node->size()));
    node = &*child;
  }
  return *node;
}

// A message is text that a terminal may show.
inline void check_message(std::string_view message) {
  if (message.empty()) finding("an error without a message");
  for (const unsigned char c : message)
    if (c < ' ' || c == 127) finding(cat("a control character in the message: ", message));
}

// Runs a body and returns its status. It may fail, but only as a caller can understand.
template <class Body>
rec_status_t attempt(const Body& body) {
  try {
    body();
    return REC_OK;
  } catch (...) {
    const Error error = current_error();
    if (error.status == REC_INTERNAL || error.status == REC_OUT_OF_MEMORY || error.status == REC_OK)
      finding(cat(status_name(error.status), ": ", error.message));
    check_message(error.message);
    return error.status;
  }
}

}  // namespace rec::fuzz
