#include "core/base/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace rec {

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

MemoryFile MemoryFile::write(const std::string& name, const std::function<void(FileWriter&)>& fill) {
  Descriptor file(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) throw system_error("create", cat("the memory file ", name), errno);
  DescriptorWriter writer(file.get(), name);
  fill(writer);
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals | F_SEAL_SEAL) != 0)
    throw system_error("seal", cat("the memory file ", name), errno);
  return MemoryFile(std::move(file));
}

MemoryFile::MemoryFile(Descriptor file) : file_(std::move(file)) {
  const int seals = ::fcntl(file_.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals)
    throw Error(REC_BAD_STATE, "a file of the other process is not a sealed memory file");
}

std::shared_ptr<Buffer<char>> MemoryFile::map() const {
  struct stat status;
  if (::fstat(file_.get(), &status) != 0) throw system_error("look at", "a memory file", errno);
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return std::make_shared<Buffer<char>>();
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_.get(), 0);
  if (pages == MAP_FAILED) throw system_error("map", "a memory file", errno);
  std::shared_ptr<void> owner(pages, [size](void* mapped) { ::munmap(mapped, size); });
  return std::make_shared<Buffer<char>>(
      Buffer<char>::over(static_cast<char*>(pages), status.st_size, std::move(owner)));
}

}  // namespace rec
