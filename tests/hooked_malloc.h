#pragma once

#include <cerrno>
#include <cstdlib>

// Replaces libc's allocation functions in this program and in the libraries it loads; operator new calls them as well.
// Include it in one source, which defines:
bool before_allocation();  // false makes the allocation fail

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

inline void* none() { return errno = ENOMEM, nullptr; }

void* malloc(size_t size) { return before_allocation() ? __libc_malloc(size) : none(); }
void* calloc(size_t n, size_t size) { return before_allocation() ? __libc_calloc(n, size) : none(); }
void* realloc(void* p, size_t size) { return before_allocation() ? __libc_realloc(p, size) : none(); }
void* memalign(size_t alignment, size_t size) {
  return before_allocation() ? __libc_memalign(alignment, size) : none();
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, size_t alignment, size_t size) {
  *out = memalign(alignment, size);
  return *out != nullptr ? 0 : ENOMEM;
}
}
