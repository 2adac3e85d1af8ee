#pragma once

#include <functional>
#include <string>

#include "core/base/buffer.h"
#include "core/base/descriptor.h"

namespace rec {

// A file in memory that another process can map. Sealed once it is written, so a mapping cannot lose its pages.
class MemoryFile {
 public:
  // `name` stands for the file in messages.
  static MemoryFile write(const std::string& name, const std::function<void(FileWriter&)>& fill);
  // From another process: REC_BAD_STATE unless it is sealed.
  explicit MemoryFile(Descriptor file);

  int descriptor() const { return file_.get(); }
  // Maps the pages; writes to them stay private to this process. They live as long as the result and every buffer made
  // from it by Buffer::over.
  std::shared_ptr<Buffer<char>> map() const;

 private:
  Descriptor file_;
};

}  // namespace rec
