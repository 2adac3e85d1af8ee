#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace rec {

inline std::string golden_path(const std::string& name) { return std::string(REC_TESTS_FOLDER) + "/golden/" + name; }

inline std::string golden_bytes(const std::string& name) {
  std::ifstream file(golden_path(name), std::ios::binary);
  if (!file) throw std::runtime_error("no golden file " + golden_path(name));
  return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::ordered_json golden_json(const std::string& name) {
  return nlohmann::ordered_json::parse(golden_bytes(name));
}

// The tensors of one golden file. Layout of safetensors: u64 length of the header, the header (JSON), the data.
class GoldenTensors {
 public:
  explicit GoldenTensors(const std::string& name) : bytes_(golden_bytes(name)) {
    uint64_t n = 0;
    std::memcpy(&n, bytes_.data(), sizeof n);
    header_ = nlohmann::json::parse(bytes_.substr(8, n));
    data_ = bytes_.data() + 8 + n;
  }

  bool has(const std::string& name) const { return header_.contains(name); }
  std::vector<int64_t> shape(const std::string& name) const {
    return header_.at(name).at("shape").get<std::vector<int64_t>>();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : header_.items())
      if (name != "__metadata__") all.push_back(name);
    return all;
  }

  // The rest of each name that begins with `prefix`.
  std::vector<std::string> names_after(const std::string& prefix) const {
    std::vector<std::string> rest;
    for (const std::string& name : names())
      if (name.starts_with(prefix)) rest.push_back(name.substr(prefix.size()));
    return rest;
  }

  // A tensor's elements, row-major, converted to T.
  template <class T>
  std::vector<T> get(const std::string& name) const {
    const auto& entry = header_.at(name);
    const std::string dtype = entry.at("dtype");
    if (dtype == "F32") return read<float, T>(entry);
    if (dtype == "F64") return read<double, T>(entry);
    if (dtype == "I64") return read<int64_t, T>(entry);
    if (dtype == "I32") return read<int32_t, T>(entry);
    if (dtype == "U8" || dtype == "BOOL") return read<uint8_t, T>(entry);
    throw std::runtime_error("golden tensor " + name + " has type " + dtype);
  }
  std::vector<float> floats(const std::string& name) const { return get<float>(name); }
  std::vector<double> doubles(const std::string& name) const { return get<double>(name); }
  std::vector<int64_t> ints(const std::string& name) const { return get<int64_t>(name); }

 private:
  template <class Stored, class T>
  std::vector<T> read(const nlohmann::json& entry) const {
    const size_t begin = entry.at("data_offsets").at(0), end = entry.at("data_offsets").at(1);
    std::vector<Stored> stored((end - begin) / sizeof(Stored));
    std::memcpy(stored.data(), data_ + begin, end - begin);
    std::vector<T> values;
    for (Stored value : stored) values.push_back(static_cast<T>(value));
    return values;
  }

  std::string bytes_;
  nlohmann::json header_;
  const char* data_;
};

}  // namespace rec
