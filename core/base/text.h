#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rec {

// The candidate nearest to a mistyped name, or nullopt when none is close.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

// "a, b, c" for messages: printable, the first forty.
std::string name_list(std::span<const std::string> names);

// ", did you mean 'n_layers'?" or "; there are a, b, c" for messages about an unknown name.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

// Canonical decimal int64: "-5", "0", "42"; not "+5", "05", "-0", " 5", "5.0".
std::optional<int64_t> parse_int64(std::string_view text);
// Looks like a decimal integer (digits with an optional minus), whether or not it fits.
bool looks_like_integer(std::string_view text);
// A decimal number, finite or not, that is the whole text; locale-independent.
std::optional<double> parse_double(std::string_view text);
// Shortest text that reads back as the same double.
std::string format_double(double value);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

// Offset of the first byte that is not valid UTF-8, or nullopt.
std::optional<int64_t> invalid_utf8(std::string_view text);
// For messages: invalid bytes as \xNN, cut after 60 characters.
std::string printable(std::string_view text);

}  // namespace rec
