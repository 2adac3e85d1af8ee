#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "core/base/checked.h"

namespace rec {

// The core's only source of large memory: n elements, 64-byte aligned, zeroed or uninitialised. Owned, or part of a
// mapping that the buffer keeps alive.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(int64_t n) : Buffer(uninitialized(n)) { std::fill_n(data_.get(), n, T{}); }
  Buffer(int64_t n, T value) : Buffer(uninitialized(n)) { std::fill_n(data_.get(), n, value); }
  explicit Buffer(std::span<const T> values) : Buffer(uninitialized(std::ssize(values))) {
    std::copy(values.begin(), values.end(), data_.get());
  }

  static Buffer uninitialized(int64_t n) {
    Buffer buffer;
    const int64_t bytes = checked_add(checked_mul(n, sizeof(T)), 63) / 64 * 64;
    if (bytes > 0) {
      buffer.data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
      if (!buffer.data_) throw std::bad_alloc();
    }
    buffer.size_ = n;
    return buffer;
  }

  static Buffer over(T* data, int64_t n, std::shared_ptr<void> owner) {
    Buffer buffer;
    buffer.data_ = std::unique_ptr<T, Free>(data, Free{std::move(owner)});
    buffer.size_ = n;
    return buffer;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](int64_t i) { return data_.get()[i]; }
  const T& operator[](int64_t i) const { return data_.get()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  std::span<const T> span() const { return {data(), static_cast<size_t>(size_)}; }
  std::span<T> span() { return {data(), static_cast<size_t>(size_)}; }
  Buffer copy() const { return Buffer(span()); }

 private:
  struct Free {
    std::shared_ptr<void> owner;  // nullptr: the memory is the buffer's own
    void operator()(T* p) const {
      if (owner == nullptr) std::free(p);
    }
  };
  std::unique_ptr<T, Free> data_;
  int64_t size_ = 0;
};

}  // namespace rec
