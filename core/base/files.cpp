#include "core/base/files.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/base/descriptor.h"

namespace rec {

namespace {

constexpr int64_t kMaxTextBytes = int64_t{64} << 30;
constexpr int64_t kPieceBytes = int64_t{16} << 20;  // read or written between two checks for cancellation

// O_NONBLOCK so that a FIFO does not hang the open; it has no effect on regular files.
int open_regular(const std::string& path, int64_t& size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw system_error("open", path, errno);
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    throw not_regular("read", path, status.st_mode);
  }
  size = status.st_size;
  return fd;
}

void check_limit(const std::string& path, int64_t size, const SizeLimit& limit) {
  if (limit.bytes > 0 && size > limit.bytes)
    throw Error(REC_LIMIT,
                cat(limit.name, ": ", path, " needs ", size, " bytes; the limit is ", limit.bytes, limit.reason))
        .at_offset(path, limit.bytes);
}

// The next `size` bytes of an open file.
Buffer<char> read_bytes(int fd, const std::string& path, int64_t size, const CancelToken* cancel = nullptr) {
  auto bytes = Buffer<char>::uninitialized(size);
  int64_t done = 0;
  while (done < size) {
    throw_if_cancelled(cancel);
    const ssize_t n = ::read(fd, bytes.data() + done, std::min(size - done, kPieceBytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("read", path, errno);
    if (n == 0) throw Error(REC_IO, cat("cannot read ", path, ": it shrank while it was read")).at_offset(path, done);
    done += n;
  }
  return bytes;
}

// Owns zlib's state for reading gzip data.
class Inflater {
 public:
  Inflater() {
    // 15 bits of window, and 16 for "gzip headers only".
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

// The unpacked data of a gzip file: all of it, at most `limit` bytes; or just its first `head` bytes when head > 0. Every
// byte of the file must belong to a member: gzread would take a damaged header of a later one as the end of the data.
Buffer<char> read_gzip(const std::string& path, const SizeLimit& limit, int64_t head, const CancelToken* cancel = nullptr) {
  constexpr int64_t kBlock = 1 << 20;
  int64_t size = 0, n_read = 0;
  const Descriptor file(open_regular(path, size));
  Inflater inflater;
  z_stream& stream = inflater.stream();
  const auto corrupt = [&](const char* what) {
    return Error(REC_CORRUPT_DATA, cat(path, ": ", what))
        .at_offset(path, n_read - static_cast<int64_t>(stream.avail_in));
  };
  std::vector<char> text;
  auto packed = Buffer<char>();
  auto block = Buffer<char>::uninitialized(head > 0 ? head : kBlock);
  bool within_member = false, drained = true;
  while (head == 0 || std::ssize(text) < head) {
    throw_if_cancelled(cancel);
    if (stream.avail_in == 0 && drained) {
      if (n_read == size) break;
      packed = read_bytes(file.get(), path, std::min(kBlock, size - n_read));
      n_read += packed.size();
      stream.next_in = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_in = static_cast<uInt>(packed.size());
    }
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) throw corrupt("not a whole gzip file");
    drained = stream.avail_out != 0;
    const int64_t n = block.size() - static_cast<int64_t>(stream.avail_out);
    check_limit(path, std::ssize(text) + n, limit);
    text.insert(text.end(), block.begin(), block.begin() + n);
    if (code == Z_OK) within_member = true;
    if (code != Z_STREAM_END) continue;
    within_member = false;
    inflateReset(&stream);
  }
  if (head == 0 && within_member) throw corrupt("gzip data end early");
  if (head > 0 && std::ssize(text) > head) text.resize(head);
  return Buffer<char>(std::span<const char>(text));
}

std::array<char, PATH_MAX> find_own_folder() {
  std::array<char, PATH_MAX> path{};
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&library_folder), &info) == 0 || info.dli_fname == nullptr ||
      ::realpath(info.dli_fname, path.data()) == nullptr)
    path[0] = '\0';
  if (char* slash = std::strrchr(path.data(), '/')) *slash = '\0';
  return path;
}

// Found when the library is loaded: the path that it was loaded by may be relative, and the working directory may change.
const std::array<char, PATH_MAX> own_folder = find_own_folder();

}  // namespace

void DescriptorWriter::write(const void* data, int64_t n_bytes) {
  const char* p = static_cast<const char*>(data);
  while (n_bytes > 0) {
    throw_if_cancelled(cancel_);
    const ssize_t written = ::write(fd_, p, std::min(n_bytes, kPieceBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("write", name_, errno);
    p += written;
    n_bytes -= written;
  }
}

Error not_regular(std::string_view what, const std::string& path, uint32_t mode) {
  const char* kind = S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
  Error error(REC_INVALID_ARGUMENT, cat("cannot ", what, " ", path, ": it is ", kind, ", not a regular file"));
  error.file = path;
  return error;
}

Buffer<char> read_file(const std::string& path, const SizeLimit& limit, const CancelToken* cancel) {
  int64_t size = 0;
  const Descriptor file(open_regular(path, size));
  check_limit(path, size, limit);
  return read_bytes(file.get(), path, size, cancel);
}

PieceFile::PieceFile(const std::string& path) : path_(path), fd_(open_regular(path, size_)) {}
PieceFile::~PieceFile() { ::close(fd_); }

Buffer<char> PieceFile::read(int64_t offset, int64_t n, const CancelToken* cancel) const {
  auto bytes = Buffer<char>::uninitialized(n);
  for (int64_t done = 0; done < n;) {
    throw_if_cancelled(cancel);
    const ssize_t got = ::pread(fd_, bytes.data() + done, std::min(n - done, kPieceBytes), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("read", path_, errno);
    if (got == 0)
      throw Error(REC_IO, cat("cannot read ", path_, ": it shrank while it was read")).at_offset(path_, offset + done);
    done += got;
  }
  return bytes;
}

Buffer<char> read_head(const std::string& path, int64_t n_bytes) {
  int64_t size = 0;
  const Descriptor file(open_regular(path, size));
  return read_bytes(file.get(), path, std::min(size, n_bytes));
}

Buffer<char> read_text_file(const std::string& path, const SizeLimit& limit, const CancelToken* cancel) {
  if (!path.ends_with(".gz")) return read_file(path, limit, cancel);
  return read_gzip(path, limit.bytes > 0 ? limit : SizeLimit(kMaxTextBytes, "unpacked text"), 0, cancel);
}

Buffer<char> read_text_head(const std::string& path, int64_t n_bytes) {
  return path.ends_with(".gz") ? read_gzip(path, {}, n_bytes) : read_head(path, n_bytes);
}

bool file_exists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

std::string library_folder() { return own_folder.data(); }

bool is_directory(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code none;
  return std::filesystem::equivalent(a, b, none);
}

std::vector<std::string> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (directory == nullptr && errno == ENOMEM) throw std::bad_alloc();
  std::vector<std::string> names;
  while (const dirent* entry = directory != nullptr ? ::readdir(directory.get()) : nullptr)
    if (const std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  return names;
}

void create_directories(const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) throw system_error("create folder", path, code.value());
}

}  // namespace rec
