#include "core/base/trusted_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/files.h"

namespace rec {

namespace {

struct stat status_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) throw system_error("open", path, errno);
  return status;
}

// The code of this library runs already, so its owner is trusted.
uid_t owner_of_library() {
  struct stat status;
  const std::string folder = library_folder();
  return !folder.empty() && ::stat(folder.c_str(), &status) == 0 ? status.st_uid : 0;
}

}  // namespace

std::string trusted_path(const std::string& given) {
  std::error_code code;
  const std::filesystem::path path = std::filesystem::canonical(given, code);
  if (code) throw system_error("open", given, code.value());
  const uid_t trusted[] = {0, ::geteuid(), owner_of_library()};
  for (std::filesystem::path part = path;; part = part.parent_path()) {
    const struct stat status = status_of(part.string());
    const auto refused = [&](const std::string& why) {
      return Error(REC_DENIED, cat(path.string(), ": refused, since ", part.string(), ' ', why)).at_argument("path");
    };
    const bool sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    if ((status.st_mode & S_IWOTH) != 0 && !sticky) throw refused("may be written by everybody");
    if (std::find(std::begin(trusted), std::end(trusted), status.st_uid) == std::end(trusted))
      throw refused(cat("belongs to another user (uid ", status.st_uid, ")"));
    if (part == part.parent_path()) return path.string();
  }
}

}  // namespace rec
