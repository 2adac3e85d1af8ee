#pragma once

#include <cstring>
#include <fstream>
#include <functional>

#include "tests/conformance/capi.h"
#include "tests/hostile/forge.h"
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
  using Change =
      std::function<void(nlohmann::ordered_json& header, nlohmann::ordered_json& manifest, std::string& data)>;

  // Changes the header or the data and recomputes every checksum, as an attacker would.
  static std::string forged(const std::string& bytes, const Change& change) {
    FileParts parts = take_apart(bytes);
    change(parts.header, parts.manifest, parts.data);
    return put_together(std::move(parts));
  }

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
