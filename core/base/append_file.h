#pragma once

#include <string>
#include <string_view>

#include "core/base/buffer.h"
#include "core/base/descriptor.h"

namespace rec {

// A file that grows by whole pieces; locked while it is open, so that nobody else adds to it.
class AppendFile {
 public:
  // Opens the file that a save to `path` would replace, or makes it. BUSY while it is open elsewhere.
  explicit AppendFile(const std::string& path);

  Buffer<char> read(const SizeLimit& limit) const;
  // Cuts off what is behind the first n_bytes.
  void truncate(int64_t n_bytes);
  // On disk when it returns; when it throws, nothing was added.
  void append(std::string_view text);

 private:
  std::string path_;
  Descriptor file_;
  int64_t size_ = 0;
  bool is_broken_ = false;  // a piece could not be taken back
};

}  // namespace rec
