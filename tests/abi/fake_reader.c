/* A reader of Parquet files that breaks its interface in one way, by READER_ macros; see CMakeLists.txt. */
#include <stddef.h>
#include <string.h>

#include "rec_reader_api.h"

#ifndef READER_ABI
#define READER_ABI REC_READER_ABI
#endif
#ifndef READER_FORMAT
#define READER_FORMAT "parquet"
#endif

static int32_t fails(const char* path, rec_reader_wants_fn wants, void* context, struct ArrowArrayStream* out_stream,
                     char* message, int64_t n_message) {
  static const char text[] = "it wants ";
  const int32_t user = wants(context, "userId"), other = wants(context, "colour");
  (void)path, (void)out_stream;
  if (n_message < 20) return 2;
  memcpy(message, text, sizeof text);
  strcat(message, user == 1 && other == 0 ? "users" : "all");
  return 1;
}

const rec_reader_t* rec_reader_entry(void) {
#ifdef READER_NULL
  return NULL;
#else
  static const rec_reader_t reader = {sizeof(rec_reader_t), READER_ABI, READER_FORMAT, fails};
  return &reader;
#endif
}
