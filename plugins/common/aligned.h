#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace rec::plugin {

// Cache-line aligned: a table row of a multiple of 16 floats then never straddles two lines, which halves what the
// propagation kernel has to fetch.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, size_t) { ::operator delete(p, std::align_val_t{64}); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

// The same, zero from the start and not resident until it is written: state that a model which is only served never uses.
template <class T>
struct ZeroedAllocator {
  using value_type = T;
  ZeroedAllocator() = default;
  template <class U>
  ZeroedAllocator(const ZeroedAllocator<U>&) {}
  // calloc's own address stands before the aligned one.
  T* allocate(size_t n) {
    constexpr size_t kLine = 64;
    if (n > (SIZE_MAX - 2 * kLine) / sizeof(T)) throw std::bad_alloc();
    void* const whole = std::calloc(1, n * sizeof(T) + 2 * kLine);
    if (whole == nullptr) throw std::bad_alloc();
    char* const line = static_cast<char*>(whole) + 2 * kLine - reinterpret_cast<uintptr_t>(whole) % kLine;
    reinterpret_cast<void**>(line)[-1] = whole;
    return reinterpret_cast<T*>(line);
  }
  void deallocate(T* p, size_t) { std::free(reinterpret_cast<void**>(p)[-1]); }
  template <class U>
  void construct(U*) {}  // zero already
  friend bool operator==(const ZeroedAllocator&, const ZeroedAllocator&) { return true; }
};

using Floats = std::vector<float, AlignedAllocator<float>>;

}  // namespace rec::plugin
