#include "cli/output_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/output.h"

namespace rec::cli {

OutputFile::OutputFile(std::string argument, std::string path)
    : argument_(std::move(argument)), path_(std::move(path)) {
  std::error_code none;
  if (const auto target = std::filesystem::canonical(path_, none); !none) path_ = target.string();  // of a link
  written_ = path_;
  struct stat status{};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists || S_ISREG(status.st_mode)) {
    written_ += ".XXXXXX";
    const int descriptor = ::mkstemp(written_.data());
    if (descriptor < 0) throw failed(errno);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, exists ? status.st_mode & 0777 : 0666 & ~mask);
    ::close(descriptor);
  }
  file_.open(written_, std::ios::binary);
  if (!file_) throw failed(errno);
}

OutputFile::~OutputFile() {
  std::error_code none;
  if (written_ != path_) std::filesystem::remove(written_, none);
}

void OutputFile::close() {
  errno = 0;
  file_.close();
  if (!file_) throw failed(errno);
  if (written_ == path_) return;
  if (::rename(written_.c_str(), path_.c_str()) != 0) throw failed(errno);
  written_ = path_;
}

Failure OutputFile::failed(int code) const {
  const rec_status_t status = code == ENOENT ? REC_NOT_FOUND : code == EACCES || code == EPERM ? REC_DENIED : REC_IO;
  const char* const why = code != 0 ? std::strerror(code) : "the disk is full, or the reader has gone";
  return {status, argument_ + ": " + path_ + " cannot be written: " + why, argument_, path_, -1};
}

void check_is_no_input(const std::string& argument, const std::string& path, const std::vector<std::string>& inputs) {
  std::error_code none;
  for (const std::string& input : inputs)
    if (!path.empty() && !input.empty() && std::filesystem::equivalent(path, input, none))
      throw usage_error(argument, plain(path) + " is a file that is read");
}

void write_file(const std::string& argument, const std::string& path, const std::string& text) {
  OutputFile file(argument, path);
  file.stream() << text;
  file.close();
}

}  // namespace rec::cli
