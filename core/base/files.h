#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/buffer.h"
#include "core/base/cancel.h"

namespace rec {

// The core's only interface to the file system.

// A regular file's bytes, read whole (never mapped: a file that shrinks must not kill the process).
// limit_bytes 0 = no limit.
Buffer<char> read_file(const std::string& path, int64_t limit_bytes = 0, const CancelToken* cancel = nullptr);

// A whole text file; .gz is unpacked, up to a limit that stops a decompression bomb. CORRUPT_DATA unless the file
// consists of complete gzip members to its last byte.
Buffer<char> read_text_file(const std::string& path, int64_t limit_bytes = 0);

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

// A new file that waits beside `path`, filled and flushed, until replace_old() gives it that name; the old one is
// removed or becomes `keep_as`. Without replace_old() the new one is removed and the old file stays as it was.
class StagedFile {
 public:
  StagedFile(std::string path, const std::function<void(FileWriter&)>& fill, const CancelToken* cancel = nullptr);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  void replace_old(const std::string& keep_as = "");

 private:
  std::string path_, temporary_;
};

// Temporary file beside `path`, fill, fsync, rename, fsync of the folder. On any failure the old file stays as it was
// and the temporary one is gone.
void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& fill,
                           const std::string& keep_as = "", const CancelToken* cancel = nullptr);

// unlink(2); a missing file is not an error.
void remove_if_there(const std::string& path);

bool file_exists(const std::string& path);
// The folder of the file that contains this code, the library or a program; "" if unknown.
std::string library_folder();
bool is_directory(const std::string& path);
void create_directories(const std::string& path);

}  // namespace rec
