/* An Arrow C stream of one batch for DataTest: int64 columns u and i, as many rows as the caller gives. */
#include <jni.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static struct {
  int64_t n, users[64], items[64];
  int is_read, n_released;
} source;

static void release_schema(struct ArrowSchema* schema) { schema->release = NULL; }
static void release_array(struct ArrowArray* array) { array->release = NULL; }

static int get_schema(struct ArrowArrayStream* stream, struct ArrowSchema* out) {
  static struct ArrowSchema users, items, *children[] = {&users, &items};
  const struct ArrowSchema column = {"l", "u", NULL, 0, 0, NULL, NULL, release_schema, NULL};
  (void)stream;
  users = items = column;
  items.name = "i";
  memset(out, 0, sizeof *out);
  out->format = "+s";
  out->name = "";
  out->n_children = 2;
  out->children = children;
  out->release = release_schema;
  return 0;
}

static int get_next(struct ArrowArrayStream* stream, struct ArrowArray* out) {
  static const void* buffers[2][2] = {{NULL, source.users}, {NULL, source.items}};
  static const void* no_nulls[1] = {NULL};
  static struct ArrowArray columns[2], *children[] = {&columns[0], &columns[1]};
  int i;
  (void)stream;
  memset(out, 0, sizeof *out);
  if (source.is_read) return 0; /* the end: a released array */
  source.is_read = 1;
  for (i = 0; i < 2; ++i) {
    memset(&columns[i], 0, sizeof columns[i]);
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
  ++source.n_released;
}

JNIEXPORT jlong JNICALL Java_io_recore_ArrowFixture_open(JNIEnv* env, jclass self, jlongArray users, jlongArray items) {
  static struct ArrowArrayStream stream;
  const struct ArrowArrayStream fresh = {get_schema, get_next, get_last_error, release_stream, NULL};
  (void)self;
  source.n = (*env)->GetArrayLength(env, users);
  source.is_read = 0;
  (*env)->GetLongArrayRegion(env, users, 0, (jsize)source.n, (jlong*)source.users);
  (*env)->GetLongArrayRegion(env, items, 0, (jsize)source.n, (jlong*)source.items);
  stream = fresh;
  return (jlong)(intptr_t)&stream;
}

JNIEXPORT jint JNICALL Java_io_recore_ArrowFixture_released(JNIEnv* env, jclass self) {
  (void)env;
  (void)self;
  return source.n_released;
}
