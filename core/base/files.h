#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/cancel.h"
#include "core/base/error.h"

namespace rec {

// The core's only interface to the file system.

// The most bytes that a file may have, 0 for any number; for messages, the name of the limit and how it comes about.
struct SizeLimit {
  SizeLimit(int64_t most = 0, std::string_view whose = "memory_limit_bytes", std::string_view why = "")
      : bytes(most), name(whose), reason(why) {}
  int64_t bytes;
  std::string name, reason;
};

// A regular file's bytes, read whole (never mapped: a file that shrinks must not kill the process).
Buffer<char> read_file(const std::string& path, const SizeLimit& limit = {}, const CancelToken* cancel = nullptr);

// A regular file that is read in pieces, by any number of threads.
class PieceFile {
 public:
  explicit PieceFile(const std::string& path);
  ~PieceFile();
  PieceFile(const PieceFile&) = delete;
  PieceFile& operator=(const PieceFile&) = delete;

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }  // when it was opened
  // Bytes offset .. offset + n. IO when the file has become shorter.
  Buffer<char> read(int64_t offset, int64_t n, const CancelToken* cancel = nullptr) const;

 private:
  std::string path_;
  int64_t size_ = 0;
  int fd_;
};

// A whole text file; .gz is unpacked, up to a limit that stops a decompression bomb. CORRUPT_DATA unless the file
// consists of complete gzip members to its last byte.
Buffer<char> read_text_file(const std::string& path, const SizeLimit& limit = {}, const CancelToken* cancel = nullptr);

// A regular file's first n_bytes, or all of it when it is shorter.
Buffer<char> read_head(const std::string& path, int64_t n_bytes);

// The first n_bytes of the result of read_text_file, or all of it when it is shorter.
Buffer<char> read_text_head(const std::string& path, int64_t n_bytes);

// Receives a file's content piece by piece.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual void write(const void* data, int64_t n_bytes) = 0;
  void write(std::string_view text) { write(text.data(), std::ssize(text)); }
};

// The INVALID_ARGUMENT of a path to something else than a regular file: "cannot read x: it is a FIFO, not a regular file".
Error not_regular(std::string_view what, const std::string& path, uint32_t mode);

bool file_exists(const std::string& path);
// The folder of the file that contains this code, the library or a program; "" if unknown.
std::string library_folder();
bool is_directory(const std::string& path);
// Whether both are there and are one file, by whatever paths.
bool is_same_file(const std::string& a, const std::string& b);
// The names in a folder, in no order, without "." and ".."; none if it cannot be read. Unlike the iterators of
// std::filesystem it survives that there is no memory.
std::vector<std::string> names_in(const std::string& folder);
void create_directories(const std::string& path);

}  // namespace rec
