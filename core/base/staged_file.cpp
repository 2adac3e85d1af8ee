#include "core/base/staged_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace rec {

namespace {

constexpr std::string_view kTemporary = ".recore-save";  // a name that nobody else gives a file
constexpr size_t kMostOfName = 238;                      // of the 255 bytes that file systems allow
constexpr int kMostNames = 1000;

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Error cannot_write(rec_status_t status, const std::string& path, std::string_view why) {
  Error error(status, cat("cannot write ", path, ": ", why));
  error.file = path;
  return error;
}

// Where a symbolic link leads, a file or the name of one that can be made. In a sticky folder that everybody may write, as
// /tmp is, somebody else may have put the link there; Linux's protected_symlinks has the same rule.
std::string follow(const std::string& path, const struct stat& link) {
  struct stat folder;
  const bool shared = ::stat(folder_of(path).c_str(), &folder) == 0 && (folder.st_mode & S_ISVTX) != 0 &&
                      (folder.st_mode & S_IWOTH) != 0;
  if (shared && link.st_uid != ::geteuid() && link.st_uid != folder.st_uid)
    throw cannot_write(REC_DENIED, path, "it is another user's symbolic link in a folder that everybody may write");
  struct stat target_status;
  if (::stat(path.c_str(), &target_status) == 0 && !S_ISREG(target_status.st_mode))
    throw not_regular("write", path, target_status.st_mode);
  std::error_code code;
  const std::filesystem::path target = std::filesystem::canonical(path, code);
  if (!code) return target.string();
  const bool is_missing = code == std::errc::no_such_file_or_directory;  // and no loop of links
  const std::filesystem::path named =
      std::filesystem::path(folder_of(path)) / std::filesystem::read_symlink(path, code);
  const std::filesystem::path new_folder = std::filesystem::canonical(named.parent_path(), code);
  if (!is_missing || code || !named.has_filename())
    throw cannot_write(REC_NOT_FOUND, path, cat("it is a symbolic link to ", named.string(), ", which cannot be made"));
  return (new_folder / named.filename()).string();
}

// The same as file_to_replace, with the status of the file if there is one.
std::string target_of(const std::string& path, struct stat& old, bool& is_there) {
  is_there = ::lstat(path.c_str(), &old) == 0;
  if (!is_there && errno == ENOENT) return path;
  if (!is_there) throw system_error("write", path, errno);
  if (S_ISLNK(old.st_mode)) return target_of(follow(path, old), old, is_there);
  if (!S_ISREG(old.st_mode)) throw not_regular("write", path, old.st_mode);
  return path;
}

bool is_named(int fd, const std::string& name) {
  struct stat file, named;
  return ::fstat(fd, &file) == 0 && ::lstat(name.c_str(), &named) == 0 && file.st_ino == named.st_ino &&
         file.st_dev == named.st_dev;
}

// The temporary file of a process that was killed: ours, and nobody holds its lock.
bool remove_leftover(const std::string& name) {
  const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  return file.get() >= 0 && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_named(file.get(), name) &&
         ::unlink(name.c_str()) == 0;
}

}  // namespace

void flush_folder_of(const std::string& path) {
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    throw system_error("flush the folder of", path, errno);
}

std::string file_to_replace(const std::string& path) {
  struct stat old;
  bool is_there = false;
  return target_of(path, old, is_there);
}

// Without a name until it is complete, where the file system knows such files and /proc can name them later: then nothing
// is left by a kill.
StagedFile::StagedFile(const std::string& path, const std::function<void(FileWriter&)>& fill,
                       const CancelToken* cancel) {
  struct stat old;
  bool is_there = false;
  path_ = target_of(path, old, is_there);
  const bool can_be_named = ::access("/proc/self/fd", X_OK) == 0;
  if (can_be_named) file_ = Descriptor(::open(folder_of(path_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
  if (file_.get() >= 0)
    ::flock(file_.get(), LOCK_EX | LOCK_NB);
  else if (!can_be_named || errno == EOPNOTSUPP || errno == EISDIR)
    claim_name(&StagedFile::create);
  else
    throw system_error("create a file beside", path_, errno);
  try {
    DescriptorWriter writer(file_.get(), path_, cancel);
    fill(writer);
    if (is_there) {
      // Another user's file stays theirs if this process may give it to them.
      if ((old.st_uid != ::geteuid() || old.st_gid != ::getegid()) &&
          ::fchown(file_.get(), old.st_uid, old.st_gid) != 0) {
      }
      if (::fchmod(file_.get(), old.st_mode & 07777) != 0) throw system_error("set the mode of", path_, errno);
    }
    if (::fsync(file_.get()) != 0) throw system_error("flush", path_, errno);
  } catch (...) {
    remove_name();
    throw;
  }
}

StagedFile::~StagedFile() { remove_name(); }

void StagedFile::remove_name() {
  if (file_.get() >= 0 && !temporary_.empty()) ::unlink(temporary_.c_str());
}

// Between creation and lock another process may take the file for a leftover.
bool StagedFile::create(const std::string& name) {
  file_ = Descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file_.get() < 0) return false;
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 && is_named(file_.get(), name)) return true;
  errno = EEXIST;
  return false;
}

bool StagedFile::link(const std::string& name) {
  const std::string unnamed = cat("/proc/self/fd/", file_.get());
  return ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

void StagedFile::claim_name(bool (StagedFile::*make)(const std::string& name)) {
  const std::filesystem::path path(path_);
  for (int i = 0; i < kMostNames; ++i) {
    std::string name =
        (path.parent_path() / cat('.', path.filename().string().substr(0, kMostOfName), kTemporary, i)).string();
    bool made = (this->*make)(name);
    const int code = errno;
    if (!made && code == EEXIST && remove_leftover(name)) made = (this->*make)(name);
    if (made) {
      temporary_ = std::move(name);
      return;
    }
    if (code != EEXIST) throw system_error("create", name, code);
  }
  throw system_error("create a file beside", path_, EEXIST);
}

void StagedFile::replace_old(const std::string& keep_as) {
  if (temporary_.empty()) claim_name(&StagedFile::link);
  if (!keep_as.empty() && ::rename(path_.c_str(), keep_as.c_str()) != 0 && errno != ENOENT)
    throw system_error("rename", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw system_error("replace", path_, errno);
  file_.reset();
  flush_folder_of(path_);
}

void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& fill,
                           const std::string& keep_as, const CancelToken* cancel) {
  StagedFile(path, fill, cancel).replace_old(keep_as);
}

void remove_if_there(const std::string& path) {
  if (::unlink(path.c_str()) == 0)
    flush_folder_of(path);
  else if (errno != ENOENT)
    throw system_error("remove", path, errno);
}

}  // namespace rec
