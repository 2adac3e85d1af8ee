// Package arrowtest makes Arrow C streams for tests, which may not use cgo themselves.
package arrowtest

/*
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// https://arrow.apache.org/docs/format/CStreamInterface.html
struct ArrowSchema {
  const char *format, *name, *metadata;
  int64_t flags, n_children;
  struct ArrowSchema **children, *dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void** buffers;
  struct ArrowArray **children, *dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema*);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray*);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

static int64_t values[2][64];
static int64_t n_rows, n_releases;
static int is_read;

static struct ArrowSchema fields[2];
static struct ArrowSchema* field_pointers[2] = {&fields[0], &fields[1]};
static struct ArrowArray columns[2];
static struct ArrowArray* column_pointers[2] = {&columns[0], &columns[1]};
static const void* buffers[2][2] = {{NULL, values[0]}, {NULL, values[1]}};
static const void* no_buffers[1] = {NULL};

static void end_schema(struct ArrowSchema* s) { s->release = NULL; }
static void end_array(struct ArrowArray* a) { a->release = NULL; }
static int get_schema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  (void)stream;
  memset(out, 0, sizeof *out);
  for (int i = 0; i < 2; ++i)
    fields[i] = (struct ArrowSchema){.format = "l", .name = i == 0 ? "user" : "item", .release = end_schema};
  out->format = "+s";
  out->name = "";
  out->n_children = 2;
  out->children = field_pointers;
  out->release = end_schema;
  return 0;
}
static int get_next(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  (void)stream;
  memset(out, 0, sizeof *out); // release NULL: the end
  if (is_read) return 0;
  is_read = 1;
  for (int i = 0; i < 2; ++i)
    columns[i] = (struct ArrowArray){.length = n_rows, .n_buffers = 2, .buffers = buffers[i], .release = end_array};
  out->length = n_rows;
  out->n_buffers = 1;
  out->buffers = no_buffers;
  out->n_children = 2;
  out->children = column_pointers;
  out->release = end_array;
  return 0;
}
static const char* get_last_error(struct ArrowArrayStream* stream) { (void)stream; return NULL; }
static void end_stream(struct ArrowArrayStream* stream) {
  ++n_releases;
  stream->release = NULL;
}

static struct ArrowArrayStream stream;
static void* open_stream(int64_t n) {
  n_rows = n;
  is_read = 0;
  stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, end_stream, NULL};
  return &stream;
}
static void put(int column, int64_t row, int64_t value) { values[column][row] = value; }
static int64_t releases(void) { return n_releases; }
*/
import "C"

import "unsafe"

// Stream is one batch of the int64 columns user and item, at most 64 rows. There is one stream at a time.
func Stream(users, items []int64) unsafe.Pointer {
	for i := range users {
		C.put(0, C.int64_t(i), C.int64_t(users[i]))
		C.put(1, C.int64_t(i), C.int64_t(items[i]))
	}
	return C.open_stream(C.int64_t(len(users)))
}

// Releases counts the streams that were released.
func Releases() int { return int(C.releases()) }
