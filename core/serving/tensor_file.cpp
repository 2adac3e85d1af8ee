#include "core/serving/tensor_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "core/base/files.h"
#include "core/base/staged_file.h"
#include "core/base/text.h"
#include "core/plugin/model.h"

namespace rec {

namespace {

constexpr int64_t kFormatVersion = 1;
constexpr std::string_view kNoDigits = "0000000000000000";
constexpr std::string_view kHashKey = "\"recore.header_xxh3\":\"";

struct DtypeName {
  int32_t dtype;
  const char* name;
};
constexpr DtypeName kDtypes[] = {{REC_DTYPE_F64, "F64"},
                                 {REC_DTYPE_I64, "I64"},
                                 {REC_DTYPE_F32, "F32"},
                                 {REC_DTYPE_I32, "I32"},
                                 {REC_DTYPE_U8, "U8"}};

std::string hex(uint64_t value) {
  std::string text(16, '0');
  for (int i = 15; i >= 0; --i, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

std::string hash(const void* data, int64_t n) { return hex(XXH3_64bits(data, n)); }

struct Corrupt {
  const std::string& file;
  template <class... Parts>
  Error operator()(int64_t offset, const Parts&... parts) const {
    return Error(REC_CORRUPT_DATA, cat(file, ": ", parts..., " (at byte ", offset, ")")).at_offset(file, offset);
  }
};

// "recore.model" in messages: "model".
std::string_view kind_of(std::string_view format) { return format.substr(format.find('.') + 1); }

std::string what_it_is(std::span<const char> bytes) {
  const std::string_view head(bytes.data(), std::min<size_t>(bytes.size(), 16));
  if (head.starts_with("PK\x03\x04")) return "looks like a zip archive";
  if (head.starts_with("\x80\x02") || head.starts_with("\x80\x04")) return "looks like a Python pickle";
  if (head.starts_with("<")) return "looks like HTML or XML";
  if (head.starts_with("\x1f\x8b")) return "looks like a gzip file";
  return cat("begins with '", printable(head), "'");
}

// Header fields are untrusted: returns the tensor without its data, which begin where those before end, or throws.
NamedTensor read_entry(const std::string& name, const Json& entry, int64_t& expected_begin, const Corrupt& corrupt) {
  const auto bad = [&](const char* why) { return corrupt(8, "tensor '", printable(name), "' ", why); };
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry["dtype"].is_string() ||
      !entry.contains("shape") || !entry["shape"].is_array() || !entry.contains("data_offsets") ||
      !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2)
    throw bad("is not described as safetensors does");
  NamedTensor tensor;
  tensor.name = name;
  tensor.dtype = 0;
  for (const DtypeName& known : kDtypes)
    if (is_text(entry["dtype"], known.name)) tensor.dtype = known.dtype;
  if (tensor.dtype == 0) throw bad("has an unknown dtype");
  if (entry["shape"].empty() || entry["shape"].size() > REC_MAX_DIMS) throw bad("has no shape of 1 to 4 dimensions");
  const auto size_at = [&](const Json& value) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX})
      throw bad("has a size that is not a whole number from 0 to 2^63 - 1");
    return value.get<int64_t>();
  };
  for (const Json& extent : entry["shape"]) tensor.shape.push_back(size_at(extent));
  const int64_t begin = size_at(entry["data_offsets"][0]);
  const int64_t end = size_at(entry["data_offsets"][1]);
  if (begin != expected_begin || end < begin) throw bad("overlaps or leaves a hole");
  if (tensor.bytes() != end - begin) throw bad("has a shape that is not its size");
  if (begin % dtype_size(tensor.dtype) != 0) throw bad("is not aligned");
  expected_begin = end;
  return tensor;
}

// The length of a header, from the first bytes of its file.
int64_t header_end_of(std::span<const char> head, std::string_view format, const Corrupt& corrupt) {
  if (head.size() < 9) throw corrupt(std::ssize(head), "too short for a ", kind_of(format));
  uint64_t header_bytes = 0;
  for (int i = 7; i >= 0; --i) header_bytes = header_bytes << 8 | static_cast<unsigned char>(head[i]);
  if (head[8] != '{')
    throw corrupt(0, "not a ", kind_of(format), ", which begins with the 8 bytes of a length and '{'; this ",
                  what_it_is(head));
  if (header_bytes > kMaxHeaderBytes)
    throw corrupt(0, "its header is damaged: a length of ", header_bytes, " bytes, at most ", kMaxHeaderBytes);
  return 8 + static_cast<int64_t>(header_bytes);
}

struct Header {
  int64_t end = 0;
  Json entries, manifest;
};

// The header of a file that begins with these bytes. Its checksum is checked first: what that covers can then be trusted
// to be as it was written.
Header read_header(std::span<const char> bytes, std::string_view format, const Corrupt& corrupt,
                   const CancelToken* cancel) {
  Header header;
  header.end = header_end_of(bytes, format, corrupt);
  if (header.end > std::ssize(bytes))
    throw corrupt(std::ssize(bytes), "cut short: ", bytes.size(), " bytes, of which the header alone needs ",
                  header.end);
  std::string head(bytes.data(), header.end);
  const size_t key = head.rfind(kHashKey);
  if (key == std::string::npos || key + kHashKey.size() + 16 > head.size())
    throw corrupt(8, "the header has no checksum");
  const size_t digits = key + kHashKey.size();
  const std::string stored = head.substr(digits, 16);
  head.replace(digits, 16, kNoDigits);
  if (stored != hash(head.data(), header.end))
    throw corrupt(static_cast<int64_t>(digits), "the header's checksum is wrong");

  header.entries = parse_json(std::string_view(head).substr(8), "the header", REC_CORRUPT_DATA, cancel);
  const auto metadata = header.entries.find("__metadata__");
  if (metadata == header.entries.end() || !metadata->is_object() || !metadata->contains("recore.manifest") ||
      !(*metadata)["recore.manifest"].is_string())
    throw corrupt(8, "a safetensors file, but it has no Recore manifest");
  header.manifest = parse_json((*metadata)["recore.manifest"].get_ref<const std::string&>(), "the manifest",
                               REC_CORRUPT_DATA, cancel);
  const Json version = header.manifest.value("format_version", Json());
  if (version != kFormatVersion)
    throw Error(REC_UNSUPPORTED,
                cat("has file format version ", dump_json(version), ", this library reads ", kFormatVersion));
  const Json theirs = header.manifest.value("format", Json());
  if (!is_text(theirs, format)) {
    const std::string text = theirs.is_string() ? theirs.get<std::string>() : dump_json(theirs);
    throw Error(REC_INVALID_ARGUMENT, cat("is a ", printable(kind_of(text)), ", not a ", kind_of(format)));
  }
  return header;
}

// The tensors that a header lists.
TensorFile read_tensors(Header header, const std::shared_ptr<const Buffer<char>>& bytes, const Corrupt& corrupt,
                        const CancelToken* cancel) {
  const int64_t header_end = header.end, size = bytes->size();
  TensorFile file;
  file.name = corrupt.file;
  file.manifest = std::move(header.manifest);
  const Json& sums = file.manifest.at("tensors");

  int64_t expected_begin = 0;
  for (const auto& [tensor_name, entry] : header.entries.items()) {
    if (tensor_name == "__metadata__") continue;
    throw_if_cancelled(cancel);
    file.tensors.push_back(read_entry(tensor_name, entry, expected_begin, corrupt));
  }
  if (expected_begin > size - header_end)
    throw corrupt(size, "cut short: ", size, " bytes, of which the header needs ", header_end, " and the tensors ",
                  expected_begin);
  if (expected_begin < size - header_end)
    throw corrupt(header_end + expected_begin, "there are bytes after the last tensor");
  int64_t begin = header_end;
  for (NamedTensor& tensor : file.tensors) {
    throw_if_cancelled(cancel);
    tensor.data = bytes->data() + begin;
    tensor.owner = bytes;
    const auto sum = sums.find(tensor.name);
    if (sum == sums.end() || (*sum).value("xxh3", "") != hash(tensor.data, tensor.bytes()))
      throw corrupt(begin, "the checksum of tensor '", printable(tensor.name), "' is wrong");
    if (sum->contains("kind")) tensor.kind = whole_number<int32_t>(sum->at("kind"), REC_CORRUPT_DATA);
    begin += tensor.bytes();
  }
  if (sums.size() != file.tensors.size()) throw corrupt(8, "the manifest lists other tensors than the file has");
  return file;
}

// Errors are of the file, also what a JSON library's exception says about a manifest.
template <class Read>
auto sound(const Corrupt& corrupt, const Read& read) {
  return of_file(corrupt.file, [&] {
    try {
      return read();
    } catch (const Json::exception& error) {
      throw corrupt(8, "the manifest is not sound: ", printable(error.what()));
    }
  });
}

}  // namespace

int64_t NamedTensor::elements() const {
  int64_t n = 1;
  for (int64_t extent : shape) n = checked_mul(n, extent);
  return n;
}

int64_t NamedTensor::bytes() const { return checked_mul(elements(), dtype_size(dtype)); }

const NamedTensor* TensorFile::find(std::string_view name) const {
  for (const NamedTensor& tensor : tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

const NamedTensor& TensorFile::require(std::string_view name, int32_t dtype, size_t n_dims) const {
  const NamedTensor* tensor = find(name);
  if (tensor == nullptr || tensor->dtype != dtype || tensor->shape.size() != n_dims)
    throw Error(REC_CORRUPT_DATA, cat("the file has no tensor '", printable(name), "' of the type and shape wanted"));
  return *tensor;
}

void write_tensors(FileWriter& out, Json manifest, const std::vector<NamedTensor>& tensors) {
  // Widest elements first: natural alignment without holes.
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return dtype_size(a->dtype) > dtype_size(b->dtype);
  });
  if (order.size() >= kMaxJsonKeys)
    throw Error(REC_LIMIT, cat("the file would have ", order.size(), " tensors, at most ", kMaxJsonKeys - 1));
  manifest["format_version"] = kFormatVersion;
  Json& sums = manifest["tensors"] = Json::object();
  Json header = Json::object();
  header["__metadata__"] = Json::object();
  int64_t offset = 0;
  for (const NamedTensor* tensor : order) {
    sums[tensor->name] = {{"xxh3", hash(tensor->data, tensor->bytes())}, {"kind", tensor->kind}};
    const char* dtype = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const DtypeName& known) {
                          return known.dtype == tensor->dtype;
                        })->name;
    header[tensor->name] = {
        {"dtype", dtype}, {"shape", tensor->shape}, {"data_offsets", {offset, offset + tensor->bytes()}}};
    offset += tensor->bytes();
  }
  header["__metadata__"] = {{"recore.manifest", dump_json(manifest)}, {"recore.header_xxh3", kNoDigits}};
  std::string text = dump_json(header);
  text.append((64 - (8 + text.size()) % 64) % 64, ' ');
  if (std::ssize(text) > kMaxHeaderBytes)
    throw Error(REC_LIMIT, cat("the file's header would be ", text.size(), " bytes, at most ", kMaxHeaderBytes));
  const auto length = static_cast<uint64_t>(text.size());
  std::string head(8, '\0');
  for (int i = 0; i < 8; ++i) head[i] = static_cast<char>(length >> (8 * i));
  head += text;
  // The hash covers the length and the header, with zeros where the hash itself will stand.
  const size_t digits = head.rfind(kHashKey) + kHashKey.size();
  head.replace(digits, 16, hash(head.data(), std::ssize(head)));
  out.write(head);
  for (const NamedTensor* tensor : order) out.write(tensor->data, tensor->bytes());
}

namespace {

template <class T>
void check_elements(const NamedTensor& tensor, int64_t min, int64_t max) {
  const std::span<const T> values = tensor.as<const T>();
  for (size_t i = 0; i < values.size(); ++i) {
    const T value = values[i];
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value))
        throw Error(REC_CORRUPT_DATA, cat("tensor '", printable(tensor.name), "' has ", value, " at element ", i));
    } else if (value < min || value > max) {
      throw Error(REC_CORRUPT_DATA, cat("tensor '", printable(tensor.name), "' has ", int64_t{value}, " at element ", i,
                                        "; it must be between ", min, " and ", max));
    }
  }
}

}  // namespace

void check_values(const NamedTensor& tensor, int64_t min, int64_t max) {
  switch (tensor.dtype) {
    case REC_DTYPE_F32: return check_elements<float>(tensor, min, max);
    case REC_DTYPE_F64: return check_elements<double>(tensor, min, max);
    case REC_DTYPE_I32: return check_elements<int32_t>(tensor, min, max);
    case REC_DTYPE_I64: return check_elements<int64_t>(tensor, min, max);
    default: return check_elements<uint8_t>(tensor, min, max);
  }
}

void write_tensor_file(const std::string& path, Json manifest, const std::vector<NamedTensor>& tensors,
                       const std::string& keep_as) {
  write_file_atomically(path, [&](FileWriter& out) { write_tensors(out, std::move(manifest), tensors); }, keep_as);
}

// The manifest is the header's first entry and "format" is the manifest's.
bool begins_as(const std::string& path, std::string_view format) {
  const std::string magic = cat(R"({"__metadata__":{"recore.manifest":"{\"format\":\")", format, R"(\")");
  const Buffer<char> head = read_head(path, 8 + std::ssize(magic));
  return head.size() > 8 && std::string_view(head.data() + 8, head.size() - 8) == magic;
}

Json read_manifest(const std::string& path, std::string_view format, const CancelToken* cancel) {
  const Corrupt corrupt{path};
  const Buffer<char> first = read_head(path, 16);
  const Buffer<char> head = read_head(path, header_end_of(first.span(), format, corrupt));
  return sound(corrupt, [&] { return read_header(head.span(), format, corrupt, cancel).manifest; });
}

TensorFile read_tensor_file(const std::string& path, std::string_view format, const SizeLimit& limit,
                            const CancelToken* cancel) {
  return parse_tensor_file(std::make_shared<Buffer<char>>(read_file(path, limit, cancel)), path, format, cancel);
}

TensorFile parse_tensor_file(std::shared_ptr<const Buffer<char>> bytes, const std::string& name,
                             std::string_view format, const CancelToken* cancel) {
  const Corrupt corrupt{name};
  return sound(corrupt, [&] {
    return read_tensors(read_header(bytes->span(), format, corrupt, cancel), bytes, corrupt, cancel);
  });
}

}  // namespace rec
