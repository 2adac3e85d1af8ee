#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include "core/base/files.h"

namespace rec {

// A file descriptor and its only owner; -1 means no descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // Closing reports the last write errors of a network file system.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

// Writes everything or throws; `name` stands for the file in messages.
class DescriptorWriter : public FileWriter {
 public:
  DescriptorWriter(int fd, const std::string& name, const CancelToken* cancel = nullptr)
      : fd_(fd), name_(name), cancel_(cancel) {}
  using FileWriter::write;
  void write(const void* data, int64_t n_bytes) override;

 private:
  int fd_;
  const std::string& name_;
  const CancelToken* cancel_;
};

}  // namespace rec
