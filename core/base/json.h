#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/error.h"

namespace rec {

using Json = nlohmann::ordered_json;

inline constexpr size_t kMaxJsonKeys = 4096;  // of an object: ordered ones search for a key linearly

// JSON from outside: at most 64 levels deep, kMaxJsonKeys per object, none twice. Failures carry `status` and start with
// `what`.
Json parse_json(std::string_view text, std::string_view what, rec_status_t status = REC_INVALID_ARGUMENT);

// Compact text; bytes that are not UTF-8 become U+FFFD.
std::string dump_json(const Json& value);

}  // namespace rec
