#include "core/base/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/staged_file.h"

namespace rec {

AppendFile::AppendFile(const std::string& path) : path_(file_to_replace(path)) {
  // O_NONBLOCK so that what became a FIFO meanwhile does not hang the open.
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (file_.get() < 0) throw system_error("open", path, errno);
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) throw not_regular("write", path, status.st_mode);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw system_error("lock", path, errno);
    Error error(REC_BUSY, cat(path, " is open in another search"));
    error.file = path;
    throw error;
  }
  size_ = status.st_size;
  flush_folder_of(path_);
}

Buffer<char> AppendFile::read(const SizeLimit& limit) const { return read_file(path_, limit); }

void AppendFile::truncate(int64_t n_bytes) {
  if (::ftruncate(file_.get(), n_bytes) != 0) throw system_error("shorten", path_, errno);
  size_ = n_bytes;
}

void AppendFile::append(std::string_view text) {
  if (is_broken_) throw system_error("write", path_, EIO);
  try {
    DescriptorWriter(file_.get(), path_).write(text);
    if (::fdatasync(file_.get()) != 0) throw system_error("flush", path_, errno);
  } catch (...) {
    is_broken_ = ::ftruncate(file_.get(), size_) != 0;
    throw;
  }
  size_ += std::ssize(text);
}

}  // namespace rec
