#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/plugin/batch.h"

namespace rec {

// A named array; `owner` keeps its memory, a plugin's copy or the bytes of a file.
struct NamedTensor {
  std::string name;
  int32_t dtype = REC_DTYPE_F32;
  int32_t kind = 0;  // REC_TENSOR_ for a model's own tensors, 0 for the library's
  std::vector<int64_t> shape;
  std::shared_ptr<const void> owner;
  const void* data = nullptr;

  int64_t elements() const;
  int64_t bytes() const;
  template <class T>
  std::span<const T> as() const {
    return {static_cast<const T*>(data), static_cast<size_t>(elements())};
  }
};

// A tensor over memory that the caller keeps alive.
template <class T>
NamedTensor borrow_tensor(std::string name, std::vector<int64_t> shape, const T* data, int32_t kind = 0) {
  static_assert(kDtypeOf<std::remove_const_t<T>> != 0);
  return {std::move(name), kDtypeOf<std::remove_const_t<T>>, kind, std::move(shape), nullptr, data};
}
// A tensor that owns its buffer.
template <class T>
NamedTensor own_tensor(std::string name, std::vector<int64_t> shape, Buffer<T> buffer, int32_t kind = 0) {
  static_assert(kDtypeOf<T> != 0);
  auto owner = std::make_shared<Buffer<T>>(std::move(buffer));
  const void* data = owner->data();
  return {std::move(name), kDtypeOf<T>, kind, std::move(shape), std::move(owner), data};
}

// Safetensors layout with our manifest: 8 bytes header length, JSON header, data without holes. __metadata__ holds
// recore.manifest (a checksum per tensor in it) and recore.header_xxh3, the hash of everything before the data with its
// own digits read as zeros. Every byte is covered by one of them.
struct TensorFile {
  std::string name;  // in messages
  Json manifest;
  std::vector<NamedTensor> tensors;

  const NamedTensor* find(std::string_view name) const;
  // CORRUPT_DATA unless it is there with this type and number of dimensions.
  const NamedTensor& require(std::string_view name, int32_t dtype, size_t n_dims) const;
};

// The manifest records the `kind` of each tensor.
void write_tensors(FileWriter& out, Json manifest, const std::vector<NamedTensor>& tensors);
// Writes the whole file or nothing; the old file is kept as `keep_as` unless that is "".
void write_tensor_file(const std::string& path, Json manifest, const std::vector<NamedTensor>& tensors,
                       const std::string& keep_as = "");

// CORRUPT_DATA unless every element of a tensor that a file gave is a finite number, or an integer from `min` to `max`.
void check_values(const NamedTensor& tensor, int64_t min = 0, int64_t max = 0);

// Returns read(); an error that names no file gets this one.
template <class Read>
auto of_file(const std::string& path, const Read& read) {
  try {
    return read();
  } catch (Error& error) {
    if (error.file.empty()) {
      error.message = cat(path, ": ", error.message);
      error.file = path;
    }
    throw;
  }
}

// The most bytes of a file beside its tensors.
inline constexpr int64_t kMaxHeaderBytes = int64_t{16} << 20;

// Whether a file begins like one of this format; the rest is not checked.
bool begins_as(const std::string& path, std::string_view format);
// The manifest alone: reads no more than the header, and checks that. `format` must match the manifest's "format"
// ("recore.model" or "recore.checkpoint").
Json read_manifest(const std::string& path, std::string_view format, const CancelToken* cancel);
// Reads and checks every byte. LIMIT if there are more than `limit` allows.
TensorFile read_tensor_file(const std::string& path, std::string_view format, const SizeLimit& limit,
                            const CancelToken* cancel);
// The same over bytes that tensors will point into. `name` stands for the file in messages.
TensorFile parse_tensor_file(std::shared_ptr<const Buffer<char>> bytes, const std::string& name,
                             std::string_view format, const CancelToken* cancel = nullptr);

}  // namespace rec
