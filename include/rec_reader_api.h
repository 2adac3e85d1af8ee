/*
 * Readers: a shared library recore_read_FORMAT.so that gives the rows of files of one format as an Arrow C stream. The
 * library finds it where it finds model plugins, by the format of a data set, and never unloads it. Nothing of C++ crosses.
 */
#ifndef REC_READER_API_H
#define REC_READER_API_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REC_READER_ABI 1

struct ArrowArrayStream; /* https://arrow.apache.org/docs/format/CStreamInterface.html */

/** Whether a column is worth reading: 1 for one that may be a user, an item, a time, a weight, a label or an impression. */
typedef int32_t (*rec_reader_wants_fn)(void* context, const char* column);

typedef struct rec_reader_t {
  uint32_t struct_size;
  uint32_t abi;       /**< REC_READER_ABI */
  const char* format; /**< as in the name of the file: "parquet" */
  /**
   * Opens a file and fills the stream with its record batches; columns that `wants` refuses may be left out. The stream
   * keeps the file open until it is released. Its functions are called on one thread at a time.
   * @param message [n_message] for a failure, one sentence with a 0 at its end.
   * @return 0, or not 0 for a failure: the stream is then left as it was.
   */
  int32_t (*open)(const char* path, rec_reader_wants_fn wants, void* context, struct ArrowArrayStream* out_stream,
                  char* message, int64_t n_message);
} rec_reader_t;

/** The table of a reader, static: the one symbol that recore_read_FORMAT.so exports. No exception leaves it or the table. */
__attribute__((visibility("default"))) const rec_reader_t* rec_reader_entry(void);

#ifdef __cplusplus
}
#endif
#endif
