#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {

class ModelFile : public testing::Test {
 protected:
  static void SetUpTestSuite() { rec_plugin_add_folder(REC_PLUGINS_FOLDER, nullptr); }

  // A file below 8 KiB of a model with tables, and one with item weights.
  std::string bytes_of(const std::string& model) {
    const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
    save(train(data.get(), model, model == "bprmf" ? R"({"emb_size": 3, "epochs": 1})" : "{}").get(),
         folder_ / "m.rec");
    std::ifstream file(folder_ / "m.rec", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static rec_status_t load_bytes(const std::string& bytes, std::string* message = nullptr,
                                 int64_t memory_limit_bytes = 0) {
    rec_model_t* model = nullptr;
    rec_error_t* error = nullptr;
    // An exact allocation, so that a sanitizer notices a read one byte past the end.
    const std::unique_ptr<char[]> copy(new char[bytes.size() + (bytes.empty() ? 1 : 0)]);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    const rec_load_options_t options{sizeof options, 0, memory_limit_bytes};
    const rec_status_t status = rec_model_load_bytes(copy.get(), std::ssize(bytes), &options, nullptr, &model, &error);
    const Handle<rec_model_t> owner(model);
    const Handle<rec_error_t> error_owner(error);
    if (message != nullptr && error != nullptr) *message = rec_error_message(error);
    return status;
  }
  // Changes the header or the data and recomputes every checksum, as an attacker would.
  static std::string forged(std::string bytes,
                            const std::function<void(nlohmann::ordered_json& header, nlohmann::ordered_json& manifest,
                                                     std::string& data)>& change) {
    uint64_t n = 0;
    std::memcpy(&n, bytes.data(), 8);
    auto header = nlohmann::ordered_json::parse(bytes.substr(8, n));
    auto manifest = nlohmann::ordered_json::parse(header["__metadata__"]["recore.manifest"].get<std::string>());
    std::string data = bytes.substr(8 + n);
    change(header, manifest, data);
    const auto hex = [](uint64_t value) {
      char text[17];
      std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
      return std::string(text);
    };
    for (auto& [name, entry] : header.items()) {
      if (name == "__metadata__" || !entry.contains("data_offsets")) continue;
      const uint64_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
      if (begin <= end && end <= data.size() && manifest.is_object() && manifest.contains("tensors") &&
          manifest["tensors"].contains(name) && manifest["tensors"][name].is_object())
        manifest["tensors"][name]["xxh3"] = hex(XXH3_64bits(data.data() + begin, end - begin));
    }
    header["__metadata__"] = {{"recore.manifest", manifest.dump()}, {"recore.header_xxh3", "0000000000000000"}};
    std::string text = header.dump();
    text.append((64 - (8 + text.size()) % 64) % 64, ' ');
    n = text.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &n, 8);
    out += text;
    const std::string key = "\"recore.header_xxh3\":\"";
    out.replace(out.rfind(key) + key.size(), 16, hex(XXH3_64bits(out.data(), out.size())));
    return out + data;
  }

  using Change =
      std::function<void(nlohmann::ordered_json& header, nlohmann::ordered_json& manifest, std::string& data)>;

  // Adds a tensor behind the others.
  static void add(nlohmann::ordered_json& header, nlohmann::ordered_json& manifest, std::string& data,
                  const std::string& name, const char* dtype, const std::vector<int64_t>& shape, int kind,
                  const std::string& bytes) {
    header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {data.size(), data.size() + bytes.size()}}};
    manifest["tensors"][name] = {{"xxh3", ""}, {"kind", kind}};
    data += bytes;
  }
  // Sets every element of a tensor.
  template <class T>
  static void fill(const nlohmann::ordered_json& header, std::string& data, const std::string& name, T value) {
    const size_t begin = header.at(name)["data_offsets"][0], end = header.at(name)["data_offsets"][1];
    for (size_t at = begin; at < end; at += sizeof value) std::memcpy(data.data() + at, &value, sizeof value);
  }

  TempFolder folder_;
};

}  // namespace rec::test
