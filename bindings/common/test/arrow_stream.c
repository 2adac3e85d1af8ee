#include "arrow_stream.h"

#include <stddef.h>
#include <string.h>

/* https://arrow.apache.org/docs/format/CStreamInterface.html */
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

enum { kMaxRows = 64 };

static struct {
  int64_t values[2][kMaxRows], n, n_releases;
  int is_read;
} source;

static void release_schema(struct ArrowSchema* schema) { schema->release = NULL; }
static void release_array(struct ArrowArray* array) { array->release = NULL; }

static int get_schema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  static struct ArrowSchema columns[2], *children[] = {&columns[0], &columns[1]};
  int i;
  (void)stream;
  memset(out, 0, sizeof *out);
  memset(columns, 0, sizeof columns);
  for (i = 0; i < 2; ++i) {
    columns[i].format = "l";
    columns[i].name = i == 0 ? "user" : "item";
    columns[i].release = release_schema;
  }
  out->format = "+s";
  out->name = "";
  out->n_children = 2;
  out->children = children;
  out->release = release_schema;
  return 0;
}

static int get_next(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  static const void* buffers[2][2] = {{NULL, source.values[0]}, {NULL, source.values[1]}};
  static const void* no_nulls[1] = {NULL};
  static struct ArrowArray columns[2], *children[] = {&columns[0], &columns[1]};
  int i;
  (void)stream;
  memset(out, 0, sizeof *out);
  if (source.is_read) return 0; /* the end: a released array */
  source.is_read = 1;
  memset(columns, 0, sizeof columns);
  for (i = 0; i < 2; ++i) {
    columns[i].length = source.n;
    columns[i].n_buffers = 2;
    columns[i].buffers = buffers[i];
    columns[i].release = release_array;
  }
  out->length = source.n;
  out->n_buffers = 1;
  out->buffers = no_nulls;
  out->n_children = 2;
  out->children = children;
  out->release = release_array;
  return 0;
}

static const char* get_last_error(struct ArrowArrayStream* stream) {
  (void)stream;
  return NULL;
}

static void release_stream(struct ArrowArrayStream* stream) {
  stream->release = NULL;
  ++source.n_releases;
}

struct ArrowArrayStream* rec_test_arrow_stream(const int64_t* users, const int64_t* items, int64_t n) {
  static struct ArrowArrayStream stream;
  const struct ArrowArrayStream fresh = {get_schema, get_next, get_last_error, release_stream, NULL};
  source.n = n < kMaxRows ? n : kMaxRows;
  source.is_read = 0;
  memcpy(source.values[0], users, (size_t)source.n * sizeof *users);
  memcpy(source.values[1], items, (size_t)source.n * sizeof *items);
  stream = fresh;
  return &stream;
}

int64_t rec_test_arrow_releases(void) { return source.n_releases; }
