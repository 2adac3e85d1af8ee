/**
 * Recore: datasets, training, evaluation and top-k serving of recommender models, behind a stable C ABI.
 *
 * Conventions for the whole header:
 *  - Every function that can fail returns rec_status_t and takes a trailing, nullable rec_error_t** that receives the
 *    reason; release it with rec_error_destroy. On failure out-handles are NULL and the contents of output buffers are
 *    unspecified.
 *  - Verbs: create and load return a handle that the caller owns and ends with the matching _destroy (which accepts NULL,
 *    and does nothing the second time). get returns memory that belongs to the named owner. copy fills the caller's
 *    buffer. take transfers ownership of the argument to the library.
 *    Domain verbs: split, run, evaluate, save, describe, top_k, score, similar_items, request (of a cancel token), ask, report
 *    and tell (of a tuner).
 *  - Handles are looked up, never dereferenced: a closed handle, or a handle of another kind, is REC_BAD_STATE. Closing a
 *    handle while another thread uses it is safe: the object lives until its last use ends.
 *  - Structs start with struct_size; initialise them with their _init function, which takes the caller's sizeof. A field
 *    that is zero has its default value. Structs only grow at the end, and a client compiled with a shorter or a longer
 *    version of a struct works.
 *  - An array is followed by its number of elements: xs, n_xs. An array that is NULL is not given, whatever its count.
 *    Matrices are row-major: element (i, j) of x is x[i * n_columns + j].
 *  - Rows of users and of items are the library's own numbers, from 0 in order of first appearance; REC_NO_ROW (-1) means
 *    no row.
 *  - Text is UTF-8 and NUL-terminated; user and item ids are int64 or byte strings with a length. Times are UTC seconds
 *    since 1970.
 *  - Pointers must not be NULL unless the description says nullable.
 *  - "Threads: any" means without restriction; "Threads: readers" means concurrently with other readers of the same
 *    handle; "Threads: exclusive" means one call at a time on the same handle.
 *  - A call that takes rec_run_options_t may run for long: it can be cancelled and reports progress, see there.
 *  - No function prints, exits, installs a signal handler or changes the locale.
 *  - A process may fork() before its first call, and each child then uses the library on its own. After fork() in a process
 *    that has used the library, every call in the child returns REC_BAD_STATE and a destroy function does nothing. Calls of
 *    rec_log_set_sink, rec_plugin_add_folder, the _init functions and those that return no status do not count. _Fork() and
 *    clone() are not noticed.
 *  - A callback may end its thread by pthread_exit(): the call ends first, as if it had been cancelled.
 */
#ifndef REC_C_API_H
#define REC_C_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#  ifdef REC_BUILDING_LIBRARY
#    define REC_API __declspec(dllexport)
#  else
#    define REC_API __declspec(dllimport)
#  endif
#else
#  define REC_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- versions ------------------------------------------------------------------------------------------------- */

#define REC_API_VERSION_MAJOR 1
#define REC_API_VERSION_MINOR 0

/** Major * 1000 + minor of the library that is loaded. Threads: any. @since 1.0 */
REC_API int32_t rec_api_version(void);

/** Version of the library, such as "1.0.0"; static text. Threads: any. @since 1.0 */
REC_API const char* rec_version_string(void);

/* ---- status and errors ---------------------------------------------------------------------------------------- */

/** One of the REC_ status codes. Treat a code you do not know as REC_INTERNAL. */
typedef int32_t rec_status_t;

#define REC_OK 0
#define REC_INVALID_ARGUMENT 1  /**< an argument of the call; the error names it */
#define REC_NOT_FOUND 2         /**< a file, model name, plugin or id that is not there */
#define REC_UNSUPPORTED 3       /**< understood, but not offered: by this model, this build or this file version */
#define REC_BAD_STATE 4         /**< closed or foreign handle, wrong order of calls, forked child */
#define REC_IO 5                /**< the operating system failed to read or write */
#define REC_CORRUPT_DATA 6      /**< a model file or checkpoint that is damaged */
#define REC_INVALID_DATA 7      /**< a row or cell of the caller's data; the error has file and line if they are known */
#define REC_OUT_OF_MEMORY 8
#define REC_LIMIT 9             /**< a stated limit would be exceeded, such as memory_limit_bytes */
#define REC_NUMERIC 10          /**< NaN or infinity where a number must be */
#define REC_DEVICE 11           /**< no such device, or it failed */
#define REC_BUSY 12             /**< another call on the same object is running */
#define REC_DENIED 13           /**< refused for safety, or by the operating system's permissions */
#define REC_ABI_MISMATCH 14     /**< plugin of another ABI or architecture */
#define REC_PLUGIN_FAILED 15    /**< a plugin broke its contract or reported a failure */
#define REC_CANCELLED 16
#define REC_INTERNAL 17         /**< a defect of the library */

/** Name of a status, such as "INVALID_ARGUMENT"; "UNKNOWN" for any other number. Static text. Threads: any. @since 1.0 */
REC_API const char* rec_status_name(rec_status_t status);

/** Why a call failed. Immutable. */
typedef struct rec_error_t rec_error_t;

/** Status of the failed call; REC_BAD_STATE for a closed handle. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_error_code(const rec_error_t* error);
/** The message; valid until the error is destroyed. Never NULL. Threads: readers. @since 1.0 */
REC_API const char* rec_error_message(const rec_error_t* error);
/** Name of the argument, parameter or column at fault, or "". Threads: readers. @since 1.0 */
REC_API const char* rec_error_argument(const rec_error_t* error);
/** File at fault, or "". Threads: readers. @since 1.0 */
REC_API const char* rec_error_file(const rec_error_t* error);
/** Line in that file, from 1, or -1. Threads: readers. @since 1.0 */
REC_API int64_t rec_error_line(const rec_error_t* error);
/** Byte offset in that file, or -1. Threads: readers. @since 1.0 */
REC_API int64_t rec_error_byte_offset(const rec_error_t* error);
/** Releases an error; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_error_destroy(rec_error_t* error);

/* ---- texts, cancel tokens, logs ------------------------------------------------------------------------------- */

/** A text made by the library, most often JSON, whose length is not known before the call. Immutable. */
typedef struct rec_text_t rec_text_t;

/** NUL-terminated bytes, valid until the text is destroyed; NULL for a closed handle. Threads: readers. @since 1.0 */
REC_API const char* rec_text_data(const rec_text_t* text);
/** Releases a text; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_text_destroy(rec_text_t* text);

/** Stops long calls from another thread. A token may be given to several calls; a request cannot be taken back. */
typedef struct rec_cancel_t rec_cancel_t;

/** A token without a request. Threads: any. @since 1.0 */
REC_API rec_status_t rec_cancel_create(rec_cancel_t** out_cancel, rec_error_t** out_error);
/**
 * Asks every call that holds the token to return REC_CANCELLED within 200 ms; a trainer with a checkpoint_path writes its
 * checkpoint first. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_cancel_request(rec_cancel_t* cancel, rec_error_t** out_error);
/** Releases a token; calls that use it go on. NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_cancel_destroy(rec_cancel_t* cancel);

#define REC_LOG_DEBUG 1
#define REC_LOG_INFO 2
#define REC_LOG_WARNING 3
#define REC_LOG_ERROR 4

/**
 * One log line: "event key=value ...". Called on a thread that is inside a library call (a long call or rec_log_poll),
 * never on a thread of the library. It must not call the library.
 */
typedef void (*rec_log_fn)(int32_t level, const char* message, void* user_data);
/** Releases user_data when the library no longer needs it. */
typedef void (*rec_destroy_fn)(void* user_data);

/**
 * Sets where log lines go; without a sink they are dropped. Waits until no other thread is in the old sink, so that the
 * old sink is not called afterwards; a sink must not wait for a thread that sets another.
 * @param sink    nullable: no more lines.
 * @param level   the lowest REC_LOG_ level that is delivered.
 * @param destroy nullable; called with user_data when another sink replaces this one.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_log_set_sink(rec_log_fn sink, int32_t level, void* user_data, rec_destroy_fn destroy,
                                      rec_error_t** out_error);
/**
 * Delivers waiting lines on this thread.
 * @param out_dropped nullable; how many lines were lost to a full queue since the last call. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_log_poll(int64_t* out_dropped, rec_error_t** out_error);

#define REC_OBJECT_ANY 0
#define REC_OBJECT_ERROR 1
#define REC_OBJECT_TEXT 2
#define REC_OBJECT_CANCEL 3
#define REC_OBJECT_DATASET 4
#define REC_OBJECT_TRAINER 5
#define REC_OBJECT_MODEL 6
#define REC_OBJECT_REPORT 7
#define REC_OBJECT_RECOMMENDER 8
#define REC_OBJECT_TUNER 9

/**
 * Number of handles of this process that are not destroyed yet. Leak checkers cannot see a handle that was never
 * destroyed, since the library keeps the objects in a table: this count shows it.
 * @param kind REC_OBJECT_; REC_OBJECT_ANY counts all kinds. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_live_objects(int32_t kind, int64_t* out_n, rec_error_t** out_error);

/* ---- long calls ----------------------------------------------------------------------------------------------- */

#define REC_EVENT_START 1      /**< training, before the first batch; epoch and batch say where it starts */
#define REC_EVENT_PROGRESS 2   /**< training, within an epoch, at most every 100 ms */
#define REC_EVENT_EPOCH 3      /**< training: an epoch and its evaluation are done */
#define REC_EVENT_CHECKPOINT 4 /**< training: a checkpoint is on disk */
#define REC_EVENT_TICK 5       /**< every long call, before it begins and at least every 50 ms; only kind and done are set */

/** What a long call reports; valid during the callback. */
typedef struct rec_event_t {
  uint32_t struct_size;
  int32_t kind;                     /**< REC_EVENT_ */
  int64_t epoch;                    /**< from 1 */
  int64_t n_epochs;
  int64_t batch;                    /**< batches done in this epoch */
  int64_t n_batches;
  double loss;                      /**< mean batch loss of the epoch so far; NaN for a model without a loss */
  double train_seconds;             /**< of this epoch */
  double eval_seconds;
  const char* const* metric_names;  /**< [n_metrics], of an epoch that was evaluated */
  const double* metric_values;      /**< [n_metrics] */
  int64_t n_metrics;
  int32_t is_best;                  /**< 1 when this epoch is the best so far */
  int32_t reserved;
  double done;                      /**< share of the call's work that is done, 0 to 1; NaN while it is unknown */
} rec_event_t;

/**
 * Progress of a long call, on the thread that made the call. Any status but REC_OK stops the work, and the call then
 * returns that status. It may use any function except on the objects that the call changes (the running trainer).
 */
typedef rec_status_t (*rec_event_fn)(const rec_event_t* event, void* user_data);

/** Where a plugin runs. A worker process has its own runtime, such as LibTorch, and its crash is an error of the call. */
#define REC_ISOLATION_AUTO 0       /**< a plugin over LibTorch in a worker, any other in this process */
#define REC_ISOLATION_IN_PROCESS 1
#define REC_ISOLATION_PROCESS 2    /**< in a recore-worker, found in recore/ beside the library, or by REC_WORKER_PATH */

/**
 * How a long call runs. The work is done on a thread of the library; the calling thread waits, and delivers events and log
 * lines. A call stops within 200 ms after its token is requested or its callback returns a status.
 */
typedef struct rec_run_options_t {
  uint32_t struct_size;
  int32_t threads;       /**< of an evaluation, or of reading a large file; 0 = one for each core. Training has a parameter of this name */
  rec_event_fn on_event; /**< nullable */
  void* user_data;
  rec_cancel_t* cancel;  /**< nullable */
  int32_t isolation;     /**< REC_ISOLATION_, of an evaluation; training has it in the trainer's options */
  int32_t reserved;
} rec_run_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_run_options_init(rec_run_options_t* options, uint32_t struct_size, rec_error_t** out_error);

/* ---- ids ------------------------------------------------------------------------------------------------------ */

#define REC_ID_AUTO 0   /**< options only: int64 when every id is a decimal int64, else bytes */
#define REC_ID_INT64 1
#define REC_ID_BYTES 2
#define REC_ID_ROW 3    /**< requests only: i64 holds rows of the model */

/** A list of n ids: int64 (every value is allowed) or byte strings (any bytes, including NUL and invalid UTF-8). */
typedef struct rec_ids_t {
  uint32_t struct_size;
  int32_t type;           /**< REC_ID_ */
  const int64_t* i64;     /**< [n] for REC_ID_INT64 and REC_ID_ROW */
  const char* bytes;      /**< REC_ID_BYTES: id i is bytes[offsets[i] .. offsets[i + 1]) */
  int64_t n_bytes;
  const int64_t* offsets; /**< [n + 1] for REC_ID_BYTES */
  int64_t n;
} rec_ids_t;

#define REC_NO_ROW ((int64_t)-1)

/** Zero ids of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_ids_init(rec_ids_t* ids, uint32_t struct_size, rec_error_t** out_error);

/* ---- datasets ------------------------------------------------------------------------------------------------- */

/**
 * Interactions with their ids, the part (train, valid, test) of each, and item titles. Immutable after creation. Rows may
 * have a label: then only clicked rows (label 1) count as training positives, seen items, histories, and targets of user
 * and event rows in an evaluation. Labelled rows with the same user, part and impression key form one impression list.
 */
typedef struct rec_dataset_t rec_dataset_t;

#define REC_PART_TRAIN 0
#define REC_PART_VALID 1
#define REC_PART_TEST 2

#define REC_BAD_ROW_ERROR 0 /**< the first bad row of a file ends the call */
#define REC_BAD_ROW_SKIP 1  /**< bad rows are skipped and counted, up to max_bad_rows */

#define REC_HEADER_AUTO 0 /**< the first line of a CSV or TSV file is a header if it has the usual
                               names or given ones, or neither a number nor a date */
#define REC_HEADER_YES 1
#define REC_HEADER_NO 2   /**< columns are named by their position: "1", "2", ... */

#define REC_QUOTES_AUTO 0 /**< as in CSV, but in tab-separated files only where a quoted cell ends in its line */
#define REC_QUOTES_CSV 1  /**< RFC 4180: a quoted cell may hold separators and line ends */
#define REC_QUOTES_NONE 2 /**< a quote is a character */

#define REC_TIME_AUTO 0 /**< by the size of most numbers: seconds below 10^11, milliseconds below 10^14, and so on */
#define REC_TIME_SECONDS 1
#define REC_TIME_MILLISECONDS 2
#define REC_TIME_MICROSECONDS 3
#define REC_TIME_NANOSECONDS 4

/**
 * How a file or folder is read. What is not given is found from the data: rec_dataset_describe shows what was found
 * (read_as), and where the data could mean something else (notes), which is also logged with REC_LOG_WARNING.
 */
typedef struct rec_dataset_options_t {
  uint32_t struct_size;
  int32_t user_id_type;        /**< REC_ID_AUTO, _INT64 or _BYTES */
  int32_t item_id_type;
  int32_t bad_rows;            /**< REC_BAD_ROW_ */
  const char* format;          /**< nullable = "auto"; csv, tsv, lightgcn, recbole, rechorus, movielens, gru4rec,
                                    two_tower; parquet, where its reader is found */
  const char* user_column;     /**< nullable: found by its usual names */
  const char* item_column;
  const char* time_column;     /**< nullable: used when there is one; "" = ignore times */
  const char* weight_column;   /**< nullable: a rating column, when there is one; "" = ignore */
  const char* separator;       /**< nullable: detected; one byte */
  double min_weight;           /**< rows below are left out when has_min_weight is 1 */
  int32_t has_min_weight;
  int32_t reserved;
  int64_t max_bad_rows;        /**< 0 = 1000 */
  int64_t memory_limit_bytes;  /**< 0 = none */
  const char* label_column;    /**< nullable: "label", when there is one; "" = ignore. 1 = clicked, 0 = shown only */
  const char* impression_key;  /**< nullable: what separates the impression lists of a user: "time", or a column;
                                    by default impression_id or impression, else the time (in ReChorus folders the time
                                    comes first); "" = no lists */
  int32_t header;              /**< REC_HEADER_, of CSV and TSV files */
  int32_t quotes;              /**< REC_QUOTES_, of CSV and TSV files */
  int32_t time_unit;           /**< REC_TIME_, of times that are numbers */
  int32_t part;                /**< REC_PART_ of every row, with has_part; for formats that have no parts */
  int32_t has_part;
  int32_t reserved2;
  const char* time_format;     /**< nullable = ISO 8601; of dates, from %Y %m %d %H %M %S %y %b %a %I %p %z */
  const char* missing;         /**< nullable = "NA,N/A,#N/A,<NA>,NaN,nan,null,NULL,None,\\N": words for a missing
                                    id, separated by commas; rows with one are left out and counted */
  const char* valid_path;      /**< nullable: a file of the same format, whose rows are REC_PART_VALID */
  const char* test_path;       /**< nullable: likewise, REC_PART_TEST */
} rec_dataset_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_dataset_options_init(rec_dataset_options_t* options, uint32_t struct_size,
                                              rec_error_t** out_error);

/**
 * Reads a data set. Files that are already split (RecBole .train/.valid/.test.inter, ReChorus train/dev/test.csv,
 * LightGCN train/valid/test.txt) keep their parts; in any other file every row is train, unless the options give parts,
 * until rec_dataset_split.
 *
 * @param path     file, or folder of one of the formats; .gz is decompressed.
 * @param options  nullable.
 * @param run      nullable.
 * @return OK, NOT_FOUND, IO, DENIED, INVALID_DATA (file and line), LIMIT, UNSUPPORTED (the format cannot be determined),
 *         CANCELLED.
 * Threads: any.  Cost: one pass over the file; about 24 bytes an interaction.  @since 1.0
 */
REC_API rec_status_t rec_dataset_load(const char* path, const rec_dataset_options_t* options,
                                      const rec_run_options_t* run, rec_dataset_t** out_dataset,
                                      rec_error_t** out_error);

/** n interactions in the caller's memory, copied during the call. Every column that is given has n elements. */
typedef struct rec_columns_t {
  uint32_t struct_size;
  int32_t reserved;
  const rec_ids_t* users;       /**< [n] */
  const rec_ids_t* items;       /**< [n] */
  const int64_t* times;         /**< [n], nullable; since 1970, in time_unit. What is below a second decides the order of a
                                     user's rows, and is not kept otherwise */
  int64_t n_times;
  const float* weights;         /**< [n], nullable, finite */
  int64_t n_weights;
  const int32_t* parts;         /**< [n], nullable, REC_PART_; without it every row is train */
  int64_t n_parts;
  const float* labels;          /**< [n], nullable; 1 = clicked, 0 = shown only */
  int64_t n_labels;
  const int64_t* impressions;   /**< [n], nullable, with labels: rows of one user and part with the same number form one
                                     impression list; NULL = the times separate the lists */
  int64_t n_impressions;
  const rec_ids_t* title_items; /**< [n_titles], nullable: items that have a title */
  const rec_ids_t* titles;      /**< [n_titles] of REC_ID_BYTES, UTF-8 */
  int64_t memory_limit_bytes;   /**< 0 = no limit */
  int32_t time_unit;            /**< REC_TIME_ */
  int32_t reserved2;
  const rec_ids_t* more_users;  /**< nullable: ids, of the type of users, that the data set has with or without rows */
  const rec_ids_t* more_items;  /**< likewise of items */
} rec_columns_t;

/** Zero columns of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_columns_init(rec_columns_t* columns, uint32_t struct_size, rec_error_t** out_error);

/**
 * A data set from the caller's columns.
 * @param run nullable.
 * @return OK, INVALID_ARGUMENT (a length differs from that of users, offsets decrease), INVALID_DATA (a weight is not
 *         finite, a part or label is not one of its values; the message has the row), LIMIT, CANCELLED.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_dataset_create_from_columns(const rec_columns_t* columns, const rec_run_options_t* run,
                                                     rec_dataset_t** out_dataset, rec_error_t** out_error);

struct ArrowArrayStream; /* Arrow C stream interface, https://arrow.apache.org/docs/format/CStreamInterface.html */

/**
 * A data set from an Arrow stream of record batches, by options->user_column and so on. Id columns are integers, or
 * (large) strings or binaries, without nulls; times are numbers, timestamps or texts; weights and labels are numbers.
 *
 * @param stream  taken: released by this call, whether it succeeds or not. Its functions are called on the calling
 *                thread; there is no tick while one of them runs.
 * @param options nullable; fields that only concern files are ignored.
 * @param run     nullable.
 * @return OK, INVALID_ARGUMENT, INVALID_DATA (with the row), IO (the stream failed), LIMIT, CANCELLED.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_dataset_create_from_arrow(struct ArrowArrayStream* stream, const rec_dataset_options_t* options,
                                                   const rec_run_options_t* run, rec_dataset_t** out_dataset,
                                                   rec_error_t** out_error);

/**
 * The rows of a data set as an Arrow stream, in the order of the data set: user_id and item_id (int64; strings, or binaries
 * where an id is not UTF-8), the columns that it has of time (int64 seconds), weight and label (float) and impression
 * (int32), and part ("train", "valid" or "test").
 * @param out_stream filled; it keeps the data set alive, and the caller releases it. Its functions may be called on any
 *                   thread, one at a time.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_export_arrow(const rec_dataset_t* dataset, struct ArrowArrayStream* out_stream,
                                              rec_error_t** out_error);

#define REC_SPLIT_RATIO 1         /**< by user, shuffled: ratios of each user's interactions */
#define REC_SPLIT_LEAVE_ONE_OUT 2 /**< by user in time order: last to test, last but one to valid */
#define REC_SPLIT_TEMPORAL 3      /**< over all interactions in time order, by ratios */
#define REC_SPLIT_SESSION 4       /**< whole users (sessions) by the time of their last event, by ratios */
#define REC_SPLIT_RATIO_GLOBAL 5  /**< shuffled across all users */

typedef struct rec_split_options_t {
  uint32_t struct_size;
  int32_t kind;        /**< REC_SPLIT_; 0 = REC_SPLIT_RATIO */
  double train_ratio;  /**< the three sum to 1; all 0 = 0.8, 0.1, 0.1 */
  double valid_ratio;
  double test_ratio;
  int64_t seed;
} rec_split_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_split_options_init(rec_split_options_t* options, uint32_t struct_size,
                                            rec_error_t** out_error);
/**
 * A copy of the data set with new parts. The numbers of interactions per user and part are those of RecBole's ratio and
 * leave-one-out splits. A user with a single interaction stays in train under leave-one-out; the description counts them.
 * @param options nullable.
 * @param run     nullable.
 * @return OK, INVALID_ARGUMENT (ratios), INVALID_DATA (the split needs times and the data set has none), CANCELLED.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_split(const rec_dataset_t* dataset, const rec_split_options_t* options,
                                       const rec_run_options_t* run, rec_dataset_t** out_dataset,
                                       rec_error_t** out_error);
/**
 * Writes the RecBole benchmark files DIR/<name of DIR>.{train,valid,test}.inter and .item, and two empty marker files when
 * they are needed: .byte_ids if byte ids look like numbers or missing ones, .no_lists if labelled rows with times form no lists. Files of
 * an earlier save are replaced. Rows, labels, lists and titles are saved; candidates, relations, features, and users and
 * items without rows are not, and a warning in the log names them.
 * @param run nullable. @return OK, IO, DENIED, CANCELLED (files of this save are removed). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_save(const rec_dataset_t* dataset, const char* directory, const rec_run_options_t* run,
                                      rec_error_t** out_error);
/**
 * Counts as JSON: n_users, n_items, n_interactions, n_train, n_valid, n_test, n_duplicates, density, time range, labels,
 * impression lists, id types, format, source, skipped rows, quantiles of interactions per user and per item.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_describe(const rec_dataset_t* dataset, rec_text_t** out_json, rec_error_t** out_error);
/**
 * Numbers of users, items and interactions. @param out_n_users, out_n_items, out_n_interactions nullable.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_counts(const rec_dataset_t* dataset, int64_t* out_n_users, int64_t* out_n_items,
                                        int64_t* out_n_interactions, rec_error_t** out_error);
/** Ids of the data set's users and items by row, from 0 in order of first appearance; as rec_model_item_ids. @since 1.0 */
REC_API rec_status_t rec_dataset_user_ids(const rec_dataset_t* dataset, const int64_t* rows, int64_t n_rows,
                                          rec_ids_t* out_ids, rec_text_t** out_owner, rec_error_t** out_error);
REC_API rec_status_t rec_dataset_item_ids(const rec_dataset_t* dataset, const int64_t* rows, int64_t n_rows,
                                          rec_ids_t* out_ids, rec_text_t** out_owner, rec_error_t** out_error);
/** Releases a data set; trainers that use it keep it alive. NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_dataset_destroy(rec_dataset_t* dataset);

/* ---- plugins -------------------------------------------------------------------------------------------------- */

/**
 * Loads one plugin file. Plugins that are not loaded this way are found as librecore_<model>.so in REC_PLUGIN_PATH
 * (absolute folders separated by ':', read once, at the first look-up), then beside the library in recore/plugins/. A
 * plugin is never unloaded. Loading the same file again does nothing.
 * @return OK, NOT_FOUND, IO, DENIED (the file or a folder above it may be written by everybody and is not a sticky folder,
 *         or belongs to a user other than root, this user and the owner of the library), ABI_MISMATCH, UNSUPPORTED (another
 *         LibTorch is in this process), BAD_STATE (its model is loaded from another file), PLUGIN_FAILED.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_load(const char* path, rec_error_t** out_error);
/**
 * Adds a folder that is searched before all others. Its files are checked when they are used; one that is refused hides
 * those of its name in later folders. @return OK, NOT_FOUND. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_add_folder(const char* path, rec_error_t** out_error);
/**
 * Every model that can be found, as a JSON list of {name, version, path, doc, error}; error has the reason why a file is
 * refused. It is read from the files: no plugin is loaded for it. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_list(rec_text_t** out_json, rec_error_t** out_error);
/**
 * One model: {name, version, doc, paper, capabilities, parameters: [{name, type, default, min, max, choices, doc, owner}]};
 * parameters of the training loop (epochs, batch_size, ...) have owner "core". A plugin over LibTorch that is not loaded yet
 * is described by a worker process. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_describe(const char* model, rec_text_t** out_json, rec_error_t** out_error);

/* ---- training ------------------------------------------------------------------------------------------------- */

/** The rows of an evaluation, and the items that are ranked in each. */
#define REC_ROWS_USER 0  /**< a row is a user with all its items of the part */
#define REC_ROWS_EVENT 1 /**< a row is one interaction of the part, with the user's earlier interactions as history; without
                              a history, a model that requires one scores a miss */
#define REC_ROWS_LIST 2  /**< a row is an impression list with clicked and shown items, which are ranked among themselves;
                              items that the model does not know come last. The list of an unknown user scores a miss, as
                              does one without a history for a model that requires one */
#define REC_ROWS_LABEL 3 /**< a row is a labelled interaction: prediction sigmoid(score), label 0 or 1. Rows of unknown users
                              and items are left out, as are rows without a history for a model that requires one */

#define REC_CANDIDATES_FULL 0    /**< all items but the masked ones */
#define REC_CANDIDATES_GIVEN 1   /**< the lists that came with the data set (neg_items), or candidate_rows */
#define REC_CANDIDATES_UNIFORM 2 /**< n_candidates drawn uniformly per positive, outside all the user's items */
#define REC_CANDIDATES_POPULAR 3 /**< the same, by training count */

/** Items that are left out of every ranking unless they are the row's positives. Of a user of whom the data set has nothing
    before the part, they are what the model file has. Given candidates are not masked, and one
    that is listed twice is ranked twice. */
#define REC_MASK_KNOWN 0 /**< items the user had before the part: train for valid; train and valid for test */
#define REC_MASK_NONE 1
#define REC_MASK_TRAIN 2 /**< items of the train part only */

#define REC_TIES_LOWER_ROW 0      /**< equal scores rank by lower item row */
#define REC_TIES_AGAINST_TARGET 1 /**< every tie counts against the positive (ReChorus) */

/** What a model may know of the user of a row, whichever way it is served; tables of user vectors know what they were
    trained on in any case. A history that is not the default is part of a metric's name: "recall@20[before]". */
#define REC_HISTORY_DEFAULT 0  /**< TRAINING for REC_ROWS_USER, BEFORE for other rows */
#define REC_HISTORY_TRAINING 1 /**< what training knew: the user's train part, or what the model file has when the data
                                    set has no train part of the user */
#define REC_HISTORY_BEFORE 2   /**< what happened before the row: for REC_ROWS_USER the parts before it, for other rows
                                    the user's interactions that are earlier in time, in its part or in a part before.
                                    After a split that ignores time this knows less of a user than TRAINING does */

typedef struct rec_protocol_t {
  uint32_t struct_size;
  int32_t part;         /**< REC_PART_TEST or _VALID; 0 = test */
  int32_t rows;         /**< REC_ROWS_ */
  int32_t candidates;   /**< REC_CANDIDATES_ */
  int32_t mask;         /**< REC_MASK_ */
  int32_t ties;         /**< REC_TIES_ */
  int64_t n_candidates; /**< sampled candidates per positive; 0 = 99 */
  int64_t seed;         /**< of sampled candidates and users */
  int64_t max_pos;      /**< how many clicked items of an impression list count, the first ones; 0 = 20 */
  int64_t max_neg;      /**< how many shown ones; 0 = 20. Other numbers are part of a metric's name:
                             "rechorus.hr@5[list10+40]" */
  int32_t history;      /**< REC_HISTORY_ */
  int32_t skip_first;   /**< 1: events of items without a training row are left out, and of the others the first of a user,
                             which nothing came before, is no row, as in the GRU4Rec authors' evaluation of sessions; for
                             REC_ROWS_EVENT: "gru4rec.recall@20[skip_first]" */
  int64_t n_users;      /**< > 0: of the users with rows, so many are measured, drawn by seed, the same in each evaluation;
                             for REC_ROWS_USER and _EVENT: "recall@20[users1000]" */
  int64_t keep_lists;   /**< > 0: the report keeps the first so many items that each row ranked, rec_report_get_lists; not
                             for training */
} rec_protocol_t;

/** Zero protocol of this size: full ranking of the test part by user. Threads: any. @since 1.0 */
REC_API rec_status_t rec_protocol_init(rec_protocol_t* protocol, uint32_t struct_size, rec_error_t** out_error);

/** One model in training over one data set. */
typedef struct rec_trainer_t rec_trainer_t;

typedef struct rec_trainer_options_t {
  uint32_t struct_size;
  int32_t resume;                   /**< 1: continue from checkpoint_path if the file exists */
  const char* checkpoint_path;      /**< nullable or "": no checkpoints. The previous one is kept at PATH.prev. Both stay when
                                         the training has ended, and without resume they are written over */
  double checkpoint_seconds;        /**< least time between two checkpoints; 0 = 30 */
  int64_t checkpoint_batches;       /**< > 0: also after each so many batches of an epoch */
  const char* metrics;              /**< nullable = those of the task ("ndcg@20,recall@20", "rechorus.ndcg@5,...",
                                         "rechorus.auc,..."); evaluated on valid after each eval_every epochs */
  const char* main_metric;          /**< nullable: the first of metrics; decides the best epoch and patience */
  const rec_protocol_t* protocol;   /**< nullable: full ranking. Its part is ignored. REC_ROWS_USER means the rows of the
                                         task (lists, labelled rows) when the first metric is defined for those */
  int64_t memory_limit_bytes;       /**< 0 = none; core, plugin's estimate and the checkpoint that is read, together */
  int32_t isolation;                /**< REC_ISOLATION_ */
  int32_t reserved;
} rec_trainer_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_trainer_options_init(rec_trainer_options_t* options, uint32_t struct_size,
                                              rec_error_t** out_error);
/**
 * A trainer whose data, model and parameters are checked; training has not started.
 *
 * @param model       name of a model, see rec_plugin_list.
 * @param params_json nullable: a flat JSON object of the model's and the loop's parameters; see rec_plugin_describe.
 * @param options     nullable.
 * @param run         nullable.
 * @return OK, NOT_FOUND (unknown model, the message suggests the nearest name; no recore-worker where isolation needs
 *         one), INVALID_ARGUMENT (parameter unknown or out of range; a checkpoint of another run), UNSUPPORTED (the
 *         parameters exclude each other; another LibTorch is in this process and isolation is REC_ISOLATION_IN_PROCESS),
 *         INVALID_DATA (no training interaction), DEVICE, LIMIT, CORRUPT_DATA (a damaged checkpoint), CANCELLED.
 * Threads: readers of dataset. @since 1.0
 */
REC_API rec_status_t rec_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                        const rec_trainer_options_t* options, const rec_run_options_t* run,
                                        rec_trainer_t** out_trainer, rec_error_t** out_error);
/**
 * Checks what rec_trainer_create would check of these arguments, as far as that is possible without data: the model's name,
 * its parameters, the metrics. It costs no more than loading the plugin, so it can come before hours of reading data.
 *
 * @param params_json, options nullable.
 * @return OK, NOT_FOUND, INVALID_ARGUMENT, UNSUPPORTED, DEVICE, as rec_trainer_create.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_trainer_check(const char* model, const char* params_json,
                                       const rec_trainer_options_t* options, rec_error_t** out_error);
/**
 * Trains until the last epoch, until patience runs out, or until stopped. May be called again after it was stopped.
 *
 * @param run nullable.
 * @return OK, CANCELLED (the last finished epoch is available), NUMERIC (the loss is not finite; the message has epoch and
 *         batch, the last checkpoint is kept), PLUGIN_FAILED (also when the worker process died; the message has its
 *         signal, and training can only go on from the checkpoint, in a new trainer), IO, or the status that on_event
 *         returned.
 * Threads: exclusive. @since 1.0
 */
REC_API rec_status_t rec_trainer_run(rec_trainer_t* trainer, const rec_run_options_t* run, rec_error_t** out_error);

#define REC_MODEL_BEST 0 /**< the epoch with the best main metric; the last one when nothing was evaluated */
#define REC_MODEL_LAST 1 /**< the last finished epoch */
#define REC_MODEL_INITIAL 2 /**< what training starts from; only before the first epoch */

/** A trained model. Immutable. */
typedef struct rec_model_t rec_model_t;

/**
 * The model of a finished epoch, which the caller owns.
 * @param which REC_MODEL_.
 * @param run   nullable.
 * @return OK, BAD_STATE (no epoch is finished; for REC_MODEL_INITIAL, training has begun), CANCELLED. Threads: exclusive. @since 1.0
 */
REC_API rec_status_t rec_trainer_create_model(rec_trainer_t* trainer, int32_t which, const rec_run_options_t* run,
                                              rec_model_t** out_model, rec_error_t** out_error);
/**
 * Starts from a saved model instead of random parameters: copies the parameters that the model in training can use, such
 * as those of one path of NeuMF. To be called before the first run, for one or more models.
 *
 * @param model has the same users and items in the same order: it was trained on the same data set.
 * @return OK, INVALID_ARGUMENT (other users or items, or no parameter that can be used), BAD_STATE (training has begun).
 * Threads: exclusive. @since 1.0
 */
REC_API rec_status_t rec_trainer_warm_start(rec_trainer_t* trainer, const rec_model_t* model, rec_error_t** out_error);
/** Releases a trainer; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_trainer_destroy(rec_trainer_t* trainer);

/* ---- models --------------------------------------------------------------------------------------------------- */

typedef struct rec_save_options_t {
  uint32_t struct_size;
  int32_t no_user_data; /**< 1: leave out seen items and histories */
} rec_save_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_save_options_init(rec_save_options_t* options, uint32_t struct_size, rec_error_t** out_error);
/**
 * Writes one .rec file (safetensors layout): to a temporary file, then fsync and rename, so an older file stays intact until
 * the new one is complete.
 * @param options nullable.
 * @param run     nullable.
 * @return OK, IO, NOT_FOUND (no such folder), DENIED, CANCELLED; after a failure no temporary file remains.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_save(const rec_model_t* model, const char* path, const rec_save_options_t* options,
                                    const rec_run_options_t* run, rec_error_t** out_error);

typedef struct rec_load_options_t {
  uint32_t struct_size;
  int32_t reserved;
  int64_t memory_limit_bytes; /**< covers the file, copies of its ids and histories, its item table as it is served, and the
                                  plugin's estimate when a plugin serves it; 0 = 256 MiB plus 8 times the size of the file */
} rec_load_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_load_options_init(rec_load_options_t* options, uint32_t struct_size, rec_error_t** out_error);
/**
 * Opens a model file. The file is data: it names a model, never code, and every byte is checked.
 * @param options nullable; give a memory_limit_bytes for files that come from elsewhere.
 * @param run     nullable.
 * @return OK, NOT_FOUND (no file; or, with the argument model, no plugin that it needs), IO, DENIED, INVALID_ARGUMENT (not a
 *         regular file, or a checkpoint), CORRUPT_DATA (with the byte offset, if there is one), UNSUPPORTED (another version), LIMIT,
 *         OUT_OF_MEMORY, CANCELLED; when the model needs its plugin to be served, also what loading that returns.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_model_load(const char* path, const rec_load_options_t* options, const rec_run_options_t* run,
                                    rec_model_t** out_model, rec_error_t** out_error);
/**
 * The same from the bytes of a file, which are copied.
 * @param data [n_data]. @param options nullable. @param run nullable. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_model_load_bytes(const void* data, int64_t n_data, const rec_load_options_t* options,
                                          const rec_run_options_t* run, rec_model_t** out_model,
                                          rec_error_t** out_error);
/** Model, version, parameters, counts, metrics, data and split hashes, sections, tensors; JSON. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_describe(const rec_model_t* model, rec_text_t** out_json, rec_error_t** out_error);

/** Numbers of users and items. @param out_n_users, out_n_items nullable. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_counts(const rec_model_t* model, int64_t* out_n_users, int64_t* out_n_items,
                                      rec_error_t** out_error);
/**
 * Ids of item rows. REC_NO_ROW gives 0, or an empty string.
 * @param rows      [n_rows].
 * @param out_ids   initialised by rec_ids_init; receives n_rows ids in memory that belongs to out_owner.
 * @param out_owner owned by the caller; end it with rec_text_destroy when the ids are no longer needed.
 * @return OK, INVALID_ARGUMENT (a row out of range). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_item_ids(const rec_model_t* model, const int64_t* rows, int64_t n_rows,
                                        rec_ids_t* out_ids, rec_text_t** out_owner, rec_error_t** out_error);
/** Ids of user rows; as rec_model_item_ids. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_user_ids(const rec_model_t* model, const int64_t* rows, int64_t n_rows,
                                        rec_ids_t* out_ids, rec_text_t** out_owner, rec_error_t** out_error);
/** Titles of item rows as REC_ID_BYTES, empty for an item without one; as rec_model_item_ids. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_item_titles(const rec_model_t* model, const int64_t* rows, int64_t n_rows,
                                           rec_ids_t* out_titles, rec_text_t** out_owner, rec_error_t** out_error);
/**
 * Rows of item ids. @param out_rows [n_out_rows >= ids->n], REC_NO_ROW for an unknown id. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_item_rows(const rec_model_t* model, const rec_ids_t* ids, int64_t* out_rows,
                                         int64_t n_out_rows, rec_error_t** out_error);
/**
 * Rows of user ids. @param out_rows [n_out_rows >= ids->n], REC_NO_ROW for an unknown id. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_user_rows(const rec_model_t* model, const rec_ids_t* ids, int64_t* out_rows,
                                         int64_t n_out_rows, rec_error_t** out_error);

struct DLManagedTensorVersioned; /* DLPack 1.x */

/**
 * Item vectors [n_items, d], float32, read-only on the CPU, as versioned DLPack; the tensor keeps the model alive.
 * @return OK, UNSUPPORTED (a model without item vectors). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_item_vectors(const rec_model_t* model, struct DLManagedTensorVersioned** out_tensor,
                                            rec_error_t** out_error);
/**
 * User vectors [n_users, d], or [1, d] when one vector serves every user; as rec_model_item_vectors.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_user_vectors(const rec_model_t* model, struct DLManagedTensorVersioned** out_tensor,
                                            rec_error_t** out_error);
/** Releases a model; recommenders and DLPack tensors keep what they need. NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_model_destroy(rec_model_t* model);

/* ---- evaluation ----------------------------------------------------------------------------------------------- */

/** Metrics of one evaluation with their per-row values. Immutable. */
typedef struct rec_report_t rec_report_t;

/**
 * Evaluates a model on a part of a data set. Ids are matched, so the data set need not be the one it was trained on.
 *
 * @param metrics  "ndcg@20,recall@20": recall, precision, ndcg, map, mrr, hit, f1, rbp at k; gauc; rechorus.hr@k,
 *                 rechorus.ndcg@k; spark.{precision,recall,map,ndcg}@k; gru4rec.{recall,mrr}@k. For REC_ROWS_LIST:
 *                 rechorus.{hr,ndcg,map}@k. For REC_ROWS_LABEL: auc, logloss, mae, rmse, mse,
 *                 rechorus.{acc,auc,f1_score,log_loss}; auc goes by scores, the others by predictions.
 * @param protocol nullable: full ranking of the test part, known items masked.
 * @param run      nullable.
 * @return OK, INVALID_ARGUMENT (unknown metric; the nearest is named; one of other rows, which are named), INVALID_DATA
 *         (an empty part, no labels or lists where rows want them, auc of a single class), CANCELLED, PLUGIN_FAILED.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                        const rec_protocol_t* protocol, const rec_run_options_t* run,
                                        rec_report_t** out_report, rec_error_t** out_error);

/** Ranked lists from anywhere, and the items that each should have had. Ids are only compared with each other. */
typedef struct rec_lists_t {
  uint32_t struct_size;
  int32_t reserved;
  const rec_ids_t* ranked;       /**< the lists of all rows one after the other, each best first, no item twice in one */
  const int64_t* ranked_offsets; /**< [n_rows + 1]: row r has ranked[ranked_offsets[r] ..) */
  int64_t n_ranked_offsets;
  const rec_ids_t* truth;        /**< the relevant items of all rows */
  const int64_t* truth_offsets;  /**< [n_rows + 1] */
  int64_t n_truth_offsets;
  const float* gains;            /**< [truth->n], nullable = 1: how relevant each is, finite and >= 0, for ndcg; an item of
                                      gain 0 is not relevant */
  int64_t n_gains;
} rec_lists_t;

/** Zero lists of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_lists_init(rec_lists_t* lists, uint32_t struct_size, rec_error_t** out_error);
/**
 * Metrics of lists without a model.
 * @param metrics recall, precision, ndcg, map, mrr, hit, f1, rbp and spark.* at k.
 * @return OK, INVALID_ARGUMENT (a length, offsets, a metric that lists do not give), INVALID_DATA (no rows, an item twice in
 *         a list, a gain below 0). The report's users are the numbers of the rows. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_lists_evaluate(const rec_lists_t* lists, const char* metrics, rec_report_t** out_report,
                                        rec_error_t** out_error);

/** Numbers of metrics and of rows. @param out_n_metrics, out_n_rows nullable. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_report_counts(const rec_report_t* report, int64_t* out_n_metrics, int64_t* out_n_rows,
                                       rec_error_t** out_error);
/**
 * One metric. @param metric 0 .. n_metrics - 1. @param out_name its full name, "hit@10[uni99]"; owned by the report.
 * @param out_mean over the rows where it is defined. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_metric(const rec_report_t* report, int64_t metric, const char** out_name,
                                           double* out_mean, rec_error_t** out_error);
/**
 * How much a mean would vary with other users, in one standard deviation: sqrt(C / (C - 1) * sum over users of
 * (sum over the user's rows of (value - mean))^2) / n_rows, for C users. Users that the model does not know count row by row.
 * @param metric 0 .. n_metrics - 1. @param out_standard_error NaN for one user, and for auc, rmse and f1_score.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_standard_error(const rec_report_t* report, int64_t metric,
                                                   double* out_standard_error, rec_error_t** out_error);
/**
 * The value of every metric in every row.
 * @param out_values [n_metrics, n_rows], owned by the report; NaN where a metric is undefined for the row: auc, rmse and
 *                   f1_score have a mean but no value of a single row. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_values(const rec_report_t* report, const double** out_values,
                                           rec_error_t** out_error);
/**
 * The user of every row.
 * @param out_users [n_rows], owned by the report: the model's user row, REC_NO_ROW for a user that the model does not know.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_users(const rec_report_t* report, const int64_t** out_users,
                                          rec_error_t** out_error);
/**
 * The row of the data set that every row of the report is (events, labelled rows), or begins with (users, impression lists).
 * @param out_interactions [n_rows], owned by the report, in 0 .. n_interactions - 1; of rec_lists_evaluate, the row itself.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_interactions(const rec_report_t* report, const int64_t** out_interactions,
                                                 rec_error_t** out_error);
/**
 * What every row ranked, best first, when the protocol had keep_lists. Items that the model does not know are not in a list,
 * nor are masked ones; a row that the model cannot rank has an empty one. Labelled rows are lists of one item.
 * Each is owned by the report and nullable.
 * @param out_offsets  [n_rows + 1]: row r has the items out_items[out_offsets[r] .. out_offsets[r + 1]).
 * @param out_items    the model's item rows. @param out_scores beside them. @param out_relevant beside them, 1 for an item that
 *                     the row should have had: of the part, clicked, labelled 1.
 * @return OK, BAD_STATE (the evaluation kept no lists). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_lists(const rec_report_t* report, const int64_t** out_offsets,
                                          const int64_t** out_items, const float** out_scores,
                                          const uint8_t** out_relevant, rec_error_t** out_error);
/** Releases a report; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_report_destroy(rec_report_t* report);

/* ---- serving -------------------------------------------------------------------------------------------------- */

/**
 * A model prepared for answering requests from any number of threads at once. Items that no training row has are not
 * recommended and are similar to nothing, as a model that knows items by their rows can say nothing of them; they are scored
 * where a request has them among its candidates. An evaluation ranks them last. rec_model_describe counts them:
 * n_untrained_items. A model of features, or one that was started from another, has none.
 */
typedef struct rec_recommender_t rec_recommender_t;

typedef struct rec_recommender_options_t {
  uint32_t struct_size;
  int32_t exclude_seen; /**< 1: leave out what the user had, as the model file records it: in train, valid and test */
  int64_t max_k;        /**< 0 = 1000 */
  int32_t n_callers;    /**< calls that run at the same time, each with its own scratch memory; more wait; 0 = 64 */
  int32_t strict;       /**< 1: one user who cannot be answered, or unknown user or item of similar_, fails the call */
} rec_recommender_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_recommender_options_init(rec_recommender_options_t* options, uint32_t struct_size,
                                                  rec_error_t** out_error);
/**
 * A recommender over a model, which it keeps alive.
 * @param options nullable.
 * @return OK, INVALID_ARGUMENT, UNSUPPORTED (exclude_seen with a model saved without user data); a model over LibTorch loads
 *         its plugin here, so also what that returns, and CORRUPT_DATA.
 * Threads: readers of model. @since 1.0
 */
REC_API rec_status_t rec_recommender_create(const rec_model_t* model, const rec_recommender_options_t* options,
                                            rec_recommender_t** out_recommender, rec_error_t** out_error);

/**
 * The model of a recommender, to map its rows to ids: another handle, to be destroyed too. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_recommender_model(const rec_recommender_t* recommender, rec_model_t** out_model,
                                           rec_error_t** out_error);

/** n users and what is asked for each. A user given as REC_ID_ROW with REC_NO_ROW is known by a history alone. */
typedef struct rec_request_t {
  uint32_t struct_size;
  int32_t reserved;
  int64_t k;                        /**< items wanted, 1 .. max_k; rec_recommender_score ignores it */
  const rec_ids_t* users;           /**< [n] */
  const rec_ids_t* history_items;   /**< [n_history], nullable: replaces what the model file knows of a user, unless the
                                         user's history is empty */
  const int64_t* history_offsets;   /**< [n + 1], with history_items: user i has history_items[offsets[i] ..
                                         offsets[i + 1]), oldest first */
  int64_t n_history_offsets;
  const int64_t* history_times;     /**< [n_history], nullable; for models that use times */
  int64_t n_history_times;
  const int64_t* request_times;     /**< [n], nullable: when each answer is wanted; for models that use times */
  int64_t n_request_times;
  const rec_ids_t* candidates;      /**< nullable: rank or score only these */
  const int64_t* candidate_offsets; /**< [n + 1]; NULL: every user has the same candidates */
  int64_t n_candidate_offsets;
  const uint8_t* allow_bits;        /**< nullable: bit i % 8 of byte i / 8 is 1 when item row i may be returned */
  int64_t n_allow_bytes;            /**< at least (n_items + 7) / 8 */
  const uint8_t* deny_bits;         /**< nullable: the bit is 1 when the item must not be returned */
  int64_t n_deny_bytes;             /**< at least (n_items + 7) / 8 */
} rec_request_t;

/** Zero request of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_request_init(rec_request_t* request, uint32_t struct_size, rec_error_t** out_error);

/** The caller's buffers for an answer. Each has at least as many elements as the call states; nothing beyond is written. */
typedef struct rec_output_t {
  uint32_t struct_size;
  int32_t reserved;
  int64_t* rows;        /**< item rows; rec_model_item_ids turns them into ids */
  int64_t n_rows;
  float* scores;        /**< comparable within one row of the answer only */
  int64_t n_scores;
  rec_status_t* status; /**< of each row of the answer */
  int64_t n_status;
} rec_output_t;

/** Zero output of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_output_init(rec_output_t* output, uint32_t struct_size, rec_error_t** out_error);
/**
 * The k best items for each of the n users of the request, best first; of equal scores the lower row comes first. Items that
 * are excluded are left out before the selection, so a row has k items as long as there are k.
 *
 * @param output rows [n, k], padded with REC_NO_ROW; scores [n, k], nullable, padded with -INFINITY; status [n], nullable:
 *               NOT_FOUND for an unknown user without a history.
 * @return OK, INVALID_ARGUMENT (k < 1, k > max_k, a count that does not fit), BAD_STATE.
 * Threads: readers.  Cost: one scan of n_items per user; runs on the calling thread.  @since 1.0
 */
REC_API rec_status_t rec_recommender_top_k(const rec_recommender_t* recommender, const rec_request_t* request,
                                           const rec_output_t* output, rec_error_t** out_error);
/**
 * Scores of the request's candidates.
 * @param output scores [number of candidates over all users], in the order of the candidates; -INFINITY for an unknown
 *               item; status [n], nullable. rows is not used.
 * @return as rec_recommender_top_k. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_recommender_score(const rec_recommender_t* recommender, const rec_request_t* request,
                                           const rec_output_t* output, rec_error_t** out_error);
/**
 * The k items most similar to each of the n given items, without the item itself: by cosine of their vectors, or by the
 * weight that they give to the item (its neighbours in itemknn).
 * @param allow_bits, deny_bits as in rec_request_t, nullable.
 * @param output rows [n, k], padded with REC_NO_ROW; scores [n, k], nullable; status [n], nullable: NOT_FOUND for an
 *               unknown item.
 * @return OK, INVALID_ARGUMENT, UNSUPPORTED (a model without item vectors and weights). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_recommender_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items,
                                                   int64_t k, const uint8_t* allow_bits, int64_t n_allow_bytes,
                                                   const uint8_t* deny_bits, int64_t n_deny_bytes,
                                                   const rec_output_t* output, rec_error_t** out_error);
/**
 * The k users most similar to each of the n given users, without the user itself: by cosine of their vectors. The vectors
 * are prepared in the first call, which allocates them once more.
 * @param allow_bits, deny_bits over user rows, nullable.
 * @param output as for items; rows are user rows, which rec_model_user_ids turns into ids.
 * @return as rec_recommender_similar_items; UNSUPPORTED for a model without user vectors. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_recommender_similar_users(const rec_recommender_t* recommender, const rec_ids_t* users,
                                                   int64_t k, const uint8_t* allow_bits, int64_t n_allow_bytes,
                                                   const uint8_t* deny_bits, int64_t n_deny_bytes,
                                                   const rec_output_t* output, rec_error_t** out_error);
/** Releases a recommender; calls that are running finish first. NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_recommender_destroy(rec_recommender_t* recommender);

/* ---- tuning --------------------------------------------------------------------------------------------------- */

/**
 * A search for good parameters. It proposes trials; the caller runs each, with a trainer or anything else, and tells how it
 * went. Trials are numbered from 0, and trial i is in round i / parallel. What a trial gets, and whether it is pruned, depends
 * on the seed and on the results of earlier rounds only: the table is the same in whichever order the trials of a round end.
 */
typedef struct rec_tuner_t rec_tuner_t;

#define REC_SAMPLER_TPE 0    /**< tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011): the first 10 trials and
                                  those of their rounds are random; then, of 24 candidates drawn like the best 15 % of the
                                  trials, what is likelier among those than among the others */
#define REC_SAMPLER_RANDOM 1
#define REC_SAMPLER_GRID 2   /**< every combination in order, the last parameter fastest; no ranges of floats */

#define REC_PRUNER_NONE 0
#define REC_PRUNER_MEDIAN 1  /**< a trial ends when its best value so far is worse than the median, over at least 5 complete
                                  trials, of the mean of their values up to the epoch (Golovin et al., KDD 2017) */
#define REC_PRUNER_HALVING 2 /**< successive halving (Jamieson and Talwalkar, AISTATS 2016): a trial ends at the epochs
                                  min_epochs * 3^j unless it is among the best third of the trials that were measured there */

#define REC_TRIAL_RUNNING 0
#define REC_TRIAL_COMPLETE 1
#define REC_TRIAL_PRUNED 2
#define REC_TRIAL_FAILED 3

typedef struct rec_tuner_options_t {
  uint32_t struct_size;
  int32_t sampler;          /**< REC_SAMPLER_ */
  int32_t pruner;           /**< REC_PRUNER_ */
  int32_t minimize;         /**< 1: less is better; 0: more is */
  int64_t seed;
  int64_t n_trials;         /**< 0 = 50; of a grid, all combinations */
  int64_t parallel;         /**< how many trials run at a time, which is the size of a round; 0 = 1 */
  int64_t min_epochs;       /**< no trial is pruned before this epoch; 0 = 1 */
  const char* journal_path; /**< nullable or "": none. A file to which all that happens is appended before the call returns; if
                                 it is there already, the search goes on where it stopped, and trials that had not ended are
                                 asked for again from their beginning. One process may have it open at a time */
} rec_tuner_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_tuner_options_init(rec_tuner_options_t* options, uint32_t struct_size, rec_error_t** out_error);
/**
 * A search that has not begun, or the one of the journal.
 * @param space_json {"emb_size": [16, 32, 64], "lr": {"low": 1e-4, "high": 1e-1, "log": true}, "n_layers": {"low": 1,
 *                   "high": 3}}: of each parameter a list of choices, or a range with both ends in it; one whose ends are
 *                   whole numbers gives whole numbers. Floats are given with six digits.
 * @param options    nullable.
 * @return OK, INVALID_ARGUMENT (the space or an option; a journal of another search, with what differs), UNSUPPORTED (a grid
 *         over floats), BUSY (the journal is open elsewhere), CORRUPT_DATA (the journal, with its line), IO, DENIED,
 *         NOT_FOUND, LIMIT. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_tuner_create(const char* space_json, const rec_tuner_options_t* options, rec_tuner_t** out_tuner,
                                      rec_error_t** out_error);
/**
 * The next trial.
 * @param out_trial its number; -1 when there are no more.
 * @param out_json  its parameters, an object; "null" when there are no more.
 * @return OK, BAD_STATE (the trial is of the next round, and not all of this one have ended), IO. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_tuner_ask(rec_tuner_t* tuner, int64_t* out_trial, rec_text_t** out_json, rec_error_t** out_error);
/**
 * The value of a running trial after an epoch.
 * @param epoch     from 1, and later than the last one.
 * @param out_prune nullable: 1 when the trial should end, and be told as REC_TRIAL_PRUNED.
 * @return OK, INVALID_ARGUMENT (no such trial, an earlier epoch, a value that is not finite), BAD_STATE (the trial is not
 *         running), IO. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_tuner_report(rec_tuner_t* tuner, int64_t trial, int64_t epoch, double value, int32_t* out_prune,
                                      rec_error_t** out_error);
/**
 * The end of a running trial.
 * @param state   REC_TRIAL_COMPLETE, _PRUNED or _FAILED.
 * @param value   of a complete trial, finite; others have the best of their reported values.
 * @param message nullable: why it failed, for the table.
 * @return as rec_tuner_report. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_tuner_tell(rec_tuner_t* tuner, int64_t trial, int32_t state, double value, const char* message,
                                    rec_error_t** out_error);
/**
 * The table: {space, sampler, pruner, minimize, seed, n_trials, parallel, min_epochs, best, trials: [{trial, parameters, state,
 * value, values: [[epoch, value], ...], message}]}, as JSON. Trials are in order of their numbers; state is "running",
 * "complete", "pruned" or "failed"; best is the number of the best complete one, the first of equals, or null.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_tuner_describe(const rec_tuner_t* tuner, rec_text_t** out_json, rec_error_t** out_error);
/** Releases a tuner and its journal; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_tuner_destroy(rec_tuner_t* tuner);

#ifdef __cplusplus
}
#endif

#endif
