#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/base/cancel.h"
#include "core/base/error.h"

namespace rec {

// As std::allocator, whose specialisation below must not serve Json's own arrays.
template <class T>
struct JsonAllocator : std::allocator<T> {
  JsonAllocator() = default;
  template <class U>
  JsonAllocator(const JsonAllocator<U>&) {}
};

// Objects keep the order of their keys. Begin one with Json::object() and an array with Json::array(): a null that [] or
// push_back turns into one is broken when there is no memory for it.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool, int64_t, uint64_t, double,
                                  JsonAllocator>;

inline constexpr size_t kMaxJsonKeys = 4096;  // of an object: ordered ones search for a key linearly

// JSON from outside: at most 64 levels deep, 65,536 values in all, kMaxJsonKeys per object, none twice. Failures carry
// `status` and start with `what`.
Json parse_json(std::string_view text, std::string_view what, rec_status_t status = REC_INVALID_ARGUMENT,
                const CancelToken* cancel = nullptr);

// MessagePack from another process, as shallow; it keeps NaN, and text that is not UTF-8. CORRUPT_DATA if it is malformed.
Json parse_message(std::span<const char> bytes, std::string_view what);

// Whether it is this string. The == of Json and text allocates, and ends the process when it cannot.
bool is_text(const Json& value, std::string_view text);

// Compact text; bytes that are not UTF-8 become U+FFFD.
std::string dump_json(const Json& value);

// Memory for destroying a Json when there is no other: its destructor moves the values of an array or object, at any
// depth, into one std::vector<Json>. It has room for the values that parse_json accepts.
class JsonReserve {
 public:
  static void* take(size_t n_bytes);
  static bool give_back(void* memory);  // false if it is not the reserve's
};

}  // namespace rec

// So std::vector<Json> is for that destructor only.
template <>
struct std::allocator<rec::Json> {
  using value_type = rec::Json;
  using is_always_equal = std::true_type;
  allocator() = default;
  template <class U>
  allocator(const allocator<U>&) {}
  rec::Json* allocate(size_t n) {
    void* memory = ::operator new(n * sizeof(rec::Json), std::nothrow);
    return static_cast<rec::Json*>(memory != nullptr ? memory : rec::JsonReserve::take(n * sizeof(rec::Json)));
  }
  void deallocate(rec::Json* memory, size_t) {
    if (!rec::JsonReserve::give_back(memory)) ::operator delete(memory);
  }
  bool operator==(const allocator&) const { return true; }
};

namespace rec {

// The whole number that a value from outside must be, within the range of T: get() would cut or wrap another one.
template <class T>
T whole_number(const Json& value, rec_status_t status) {
  const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<uint64_t>())
                                               : value.is_number_integer() && std::in_range<T>(value.get<int64_t>());
  if (!fits) throw Error(status, cat("not JSON with a whole number of ", 8 * sizeof(T), " bits where one must be"));
  return value.get<T>();
}

}  // namespace rec
