// Model files and checkpoints as an attacker would change them: every checksum is right again.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

namespace rec::test {

struct FileParts {
  nlohmann::ordered_json header, manifest;
  std::string data;
};

inline FileParts take_apart(const std::string& bytes) {
  uint64_t n = 0;
  std::memcpy(&n, bytes.data(), 8);
  FileParts parts;
  parts.header = nlohmann::ordered_json::parse(bytes.substr(8, n));
  parts.manifest = nlohmann::ordered_json::parse(parts.header["__metadata__"]["recore.manifest"].get<std::string>());
  parts.data = bytes.substr(8 + n);
  return parts;
}

inline std::string checksum(const void* data, size_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits(data, n)));
  return text;
}

// Sets every checksum whose tensor and whose place in the manifest can be found.
inline std::string put_together(FileParts parts) {
  auto& [header, manifest, data] = parts;
  if (manifest.is_object() && manifest.contains("tensors") && manifest["tensors"].is_object())
    for (auto& [name, sum] : manifest["tensors"].items()) {
      const auto entry = header.find(name);
      if (entry == header.end() || !entry->is_object() || !entry->contains("data_offsets") || !sum.is_object())
        continue;
      const auto& place = (*entry)["data_offsets"];
      if (!place.is_array() || place.size() != 2 || !place[0].is_number_integer() || !place[1].is_number_integer())
        continue;
      const auto begin = place[0].get<int64_t>(), end = place[1].get<int64_t>();
      if (begin >= 0 && begin <= end && end <= static_cast<int64_t>(data.size()))
        sum["xxh3"] = checksum(data.data() + begin, end - begin);
    }
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  header["__metadata__"] = {{"recore.manifest", manifest.dump(-1, ' ', false, kReplace)},
                            {"recore.header_xxh3", "0000000000000000"}};
  std::string text = header.dump(-1, ' ', false, kReplace);
  text.append((64 - (8 + text.size()) % 64) % 64, ' ');
  const uint64_t n = text.size();
  std::string head(8, '\0');
  std::memcpy(head.data(), &n, 8);
  head += text;
  const std::string key = "\"recore.header_xxh3\":\"";
  head.replace(head.rfind(key) + key.size(), 16, checksum(head.data(), head.size()));
  return head + data;
}

}  // namespace rec::test
