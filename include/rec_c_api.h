/**
 * Recore: datasets, training, evaluation and top-k serving of recommender models, behind a stable C ABI.
 *
 * Conventions, said once:
 *  - Every function that can fail returns rec_status_t and takes a trailing, nullable rec_error_t** that receives the
 *    reason; end it with rec_error_destroy. On failure out-handles are NULL and output buffers are unspecified.
 *  - Verbs: create/load give the caller a handle, ended by the matching _destroy (accepts NULL; a second call does
 *    nothing); get/view lend memory of the named owner; copy fills the caller's buffer; take moves the argument in.
 *    Domain verbs: split, run, evaluate, save, describe, top_k, score, similar_items, request (of a cancel token).
 *  - Handles are looked up, never dereferenced: a closed handle, or one of another kind, is REC_BAD_STATE. Closing a
 *    handle while another thread uses it is safe; the object ends when its last use does.
 *  - Structs start with struct_size; fill them with their _init function, which takes the caller's sizeof. A zero field
 *    means its default. Structs only grow at their end.
 *  - Matrices are row-major: element (i, j) of x is x[i * n_columns + j]. Rows (of users and of items) are internal,
 *    from 0, numbered by first appearance; REC_NO_ROW (-1) means none.
 *  - Text is UTF-8, NUL-terminated; user and item ids are int64 or bytes with a length. Times are UTC epoch seconds.
 *  - Pointers are non-null unless marked nullable. "Threads: any" means no restriction; "Threads: readers" means
 *    concurrently with other readers of the same handle; "Threads: exclusive" means one call at a time for a handle.
 *  - No function prints, exits, installs a signal handler or changes the locale. After fork() the child gets
 *    REC_BAD_STATE from every call.
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

/** Version of the library, as "1.0.0"; static text. Threads: any. @since 1.0 */
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
#define REC_INVALID_DATA 7      /**< a row or cell of the caller's data, with file and line where they are known */
#define REC_OUT_OF_MEMORY 8
#define REC_LIMIT 9             /**< a stated limit would be passed, memory_limit_bytes for one */
#define REC_NUMERIC 10          /**< NaN or infinity where a number must be */
#define REC_DEVICE 11           /**< no such device, or it failed */
#define REC_BUSY 12
#define REC_DENIED 13           /**< refused for safety, or by the operating system's permissions */
#define REC_ABI_MISMATCH 14     /**< plugin of another ABI or architecture */
#define REC_PLUGIN_FAILED 15    /**< a plugin broke its contract or reported a failure of its own */
#define REC_CANCELLED 16
#define REC_INTERNAL 17         /**< a defect of the library */

/** Name of a status, "INVALID_ARGUMENT"; "UNKNOWN" for another number. Static text. Threads: any. @since 1.0 */
REC_API const char* rec_status_name(rec_status_t status);

/** Why a call failed. Immutable. */
typedef struct rec_error_t rec_error_t;

/** Status of the failed call; REC_BAD_STATE for a closed handle. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_error_code(const rec_error_t* error);
/** The whole sentence; lives until the error is destroyed. Never NULL. Threads: readers. @since 1.0 */
REC_API const char* rec_error_message(const rec_error_t* error);
/** Name of the argument, parameter or column at fault, or "". Threads: readers. @since 1.0 */
REC_API const char* rec_error_argument(const rec_error_t* error);
/** File at fault, or "". Threads: readers. @since 1.0 */
REC_API const char* rec_error_file(const rec_error_t* error);
/** Line in that file, from 1, or -1. Threads: readers. @since 1.0 */
REC_API int64_t rec_error_line(const rec_error_t* error);
/** Byte offset in that file, or -1. Threads: readers. @since 1.0 */
REC_API int64_t rec_error_byte_offset(const rec_error_t* error);
/** Ends an error; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_error_destroy(rec_error_t* error);

/* ---- texts, cancel tokens, logs ------------------------------------------------------------------------------- */

/** A text of the library's making, most often JSON; its length is not known before the call. Immutable. */
typedef struct rec_text_t rec_text_t;

/** NUL-terminated bytes, owned by the text; NULL for a closed handle. Threads: readers. @since 1.0 */
REC_API const char* rec_text_data(const rec_text_t* text);
/** Ends a text; NULL is accepted. Threads: any. @since 1.0 */
REC_API void rec_text_destroy(rec_text_t* text);

/** Stops a long call from another thread. One token may serve several calls; once requested it stays so. */
typedef struct rec_cancel_t rec_cancel_t;

/** @param out_cancel a token that nobody has requested yet. Threads: any. @since 1.0 */
REC_API rec_status_t rec_cancel_create(rec_cancel_t** out_cancel, rec_error_t** out_error);
/**
 * Asks every call that holds the token to return REC_CANCELLED within 200 ms; a trainer with a checkpoint_path writes its
 * checkpoint first. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_cancel_request(rec_cancel_t* cancel, rec_error_t** out_error);
/** Ends a token; calls that hold it go on. Threads: any. @since 1.0 */
REC_API void rec_cancel_destroy(rec_cancel_t* cancel);

#define REC_LOG_DEBUG 1
#define REC_LOG_INFO 2
#define REC_LOG_WARNING 3
#define REC_LOG_ERROR 4

/**
 * One log line: "event key=value ...". Runs on a thread that is inside a library call (long calls, rec_log_poll), never
 * on a library thread; may call nothing of this library.
 */
typedef void (*rec_log_fn)(int32_t level, const char* message, void* user_data);
/** Ends user_data when the library lets go of it. */
typedef void (*rec_destroy_fn)(void* user_data);

/**
 * Sets where log lines go; without a sink they are dropped.
 * @param sink    nullable: no more lines.
 * @param level   lowest REC_LOG_ level wanted.
 * @param destroy nullable; called with user_data when another sink replaces this one.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_log_set_sink(rec_log_fn sink, int32_t level, void* user_data, rec_destroy_fn destroy,
                                      rec_error_t** out_error);
/** Delivers waiting lines on this thread; out_dropped (nullable) counts those lost to a full queue. @since 1.0 */
REC_API rec_status_t rec_log_poll(int64_t* out_dropped, rec_error_t** out_error);

/* ---- ids ------------------------------------------------------------------------------------------------------ */

#define REC_ID_AUTO 0   /**< options only: int64 when the first id is a decimal int64, else bytes */
#define REC_ID_INT64 1
#define REC_ID_BYTES 2
#define REC_ID_ROW 3    /**< requests only: i64 holds internal rows of the model at hand */

/** A list of ids. int64 (every value is legal) or byte strings (any bytes, NUL and invalid UTF-8 included). */
typedef struct rec_ids_t {
  uint32_t struct_size;
  int32_t type;           /**< REC_ID_ */
  const int64_t* i64;     /**< [n] for REC_ID_INT64 and REC_ID_ROW */
  const char* bytes;      /**< REC_ID_BYTES: id i is bytes[offsets[i] .. offsets[i + 1]) */
  const int64_t* offsets; /**< [n + 1] for REC_ID_BYTES */
  int64_t n;
} rec_ids_t;

#define REC_NO_ROW ((int64_t)-1)

/** Fills ids with zeros and its size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_ids_init(rec_ids_t* ids, uint32_t struct_size, rec_error_t** out_error);

/* ---- datasets ------------------------------------------------------------------------------------------------- */

/**
 * Interactions with their ids, the part (train, valid, test) of each, and item titles. Immutable after creation. Rows may
 * carry a label: then only clicked rows (label 1) are training positives, seen items, histories and what user and event
 * rows of an evaluation look for. Labelled rows of one user, part and impression key are one impression list.
 */
typedef struct rec_dataset_t rec_dataset_t;

#define REC_PART_TRAIN 0
#define REC_PART_VALID 1
#define REC_PART_TEST 2

#define REC_BAD_ROW_ERROR 0 /**< the first bad row of a file ends the call */
#define REC_BAD_ROW_SKIP 1  /**< bad rows are left out and counted, up to max_bad_rows */

/** How a file or folder is read. */
typedef struct rec_dataset_options_t {
  uint32_t struct_size;
  int32_t user_id_type;        /**< REC_ID_AUTO, _INT64 or _BYTES */
  int32_t item_id_type;
  int32_t bad_rows;            /**< REC_BAD_ROW_ */
  const char* format;          /**< nullable = "auto"; csv, tsv, lightgcn, recbole, rechorus, movielens, gru4rec,
                                    two_tower */
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
  const char* impression_key;  /**< nullable: what tells the lists of a user apart in labelled data: "time", or a column;
                                    by default the time, or impression_id where there is no time (in RecBole files
                                    before the time); "" = no lists */
} rec_dataset_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_dataset_options_init(rec_dataset_options_t* options, uint32_t struct_size,
                                              rec_error_t** out_error);

/**
 * Reads a data set. Files that already are split (RecBole .train/.valid/.test.inter, ReChorus train/dev/test.csv,
 * LightGCN train/valid/test.txt) keep their parts; anything else is all train until rec_dataset_split.
 *
 * @param path     file, or folder of one of the formats; .gz is read as text.
 * @param options  nullable.
 * @param cancel   nullable.
 * @return OK, NOT_FOUND, IO, INVALID_DATA (file and line), LIMIT, UNSUPPORTED (a format that cannot be told), CANCELLED.
 * Threads: any.  Cost: one pass over the file; about 24 bytes an interaction.  @since 1.0
 */
REC_API rec_status_t rec_dataset_load(const char* path, const rec_dataset_options_t* options, rec_cancel_t* cancel,
                                      rec_dataset_t** out_dataset, rec_error_t** out_error);

/** Interactions in the caller's memory, copied during the call. */
typedef struct rec_columns_t {
  uint32_t struct_size;
  int32_t reserved;
  const rec_ids_t* users;       /**< [n] */
  const rec_ids_t* items;       /**< [n], same n */
  const int64_t* times;         /**< [n], nullable */
  const float* weights;         /**< [n], nullable, finite */
  const int32_t* parts;         /**< [n], nullable, REC_PART_; without it all is train */
  const rec_ids_t* title_items; /**< nullable: items that have a title */
  const rec_ids_t* titles;      /**< as many REC_ID_BYTES titles, UTF-8 */
  int64_t memory_limit_bytes;   /**< 0 = none */
  const float* labels;          /**< [n], nullable; 1 = clicked, 0 = shown only */
  const int64_t* impressions;   /**< [n], nullable, with labels: rows of one user, part and number are one impression
                                     list; NULL = times */
} rec_columns_t;

/** Zero columns of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_columns_init(rec_columns_t* columns, uint32_t struct_size, rec_error_t** out_error);

/**
 * A data set from the caller's columns.
 * @return OK, INVALID_ARGUMENT (lengths that differ, offsets that fall), INVALID_DATA (a weight that is not finite, a
 *         part or label that is none; the message has the row), LIMIT.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_dataset_create_from_columns(const rec_columns_t* columns, rec_dataset_t** out_dataset,
                                                     rec_error_t** out_error);

struct ArrowArrayStream; /* Arrow C stream interface, https://arrow.apache.org/docs/format/CStreamInterface.html */

/**
 * A data set from an Arrow stream of record batches, by options->user_column and so on. Id columns are integers, or
 * (large) strings or binaries, without nulls; times are integers or timestamps; weights and labels are numbers.
 *
 * @param stream  taken: released by this call, success or not; get_next runs on the calling thread.
 * @param options nullable; path-only fields are ignored.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_dataset_create_from_arrow(struct ArrowArrayStream* stream, const rec_dataset_options_t* options,
                                                   rec_dataset_t** out_dataset, rec_error_t** out_error);

#define REC_SPLIT_RATIO 1         /**< by user, shuffled: ratios of each user's interactions */
#define REC_SPLIT_LEAVE_ONE_OUT 2 /**< by user in time order: last to test, last but one to valid */
#define REC_SPLIT_TEMPORAL 3      /**< over all interactions in time order, by ratios */
#define REC_SPLIT_SESSION 4       /**< whole users (sessions) by the time of their last event, by ratios */
#define REC_SPLIT_RATIO_GLOBAL 5  /**< shuffled over all interactions, whoever they are of */

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
 * The same interactions with parts given anew. Counts per user are those of RecBole (ratio) and its leave-one-out.
 * @param options nullable. @return OK, INVALID_ARGUMENT (ratios), INVALID_DATA (times wanted, none there; a user with one
 *        interaction under leave-one-out stays in train and is counted in the description).
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_split(const rec_dataset_t* dataset, const rec_split_options_t* options,
                                       rec_dataset_t** out_dataset, rec_error_t** out_error);
/**
 * Writes DIR/<DIR's name>.{train,valid,test}.inter and .item, RecBole benchmark files, .byte_ids if byte ids look like
 * numbers, and .no_lists if labelled rows with times are in no lists. What was saved there before is replaced. They hold rows,
 * labels, lists and titles; candidates, relations, features, and users and items without rows are left out, and a warning in
 * the log names them. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_save(const rec_dataset_t* dataset, const char* directory, rec_error_t** out_error);
/**
 * Counts as JSON: n_users, n_items, n_interactions, n_train, n_valid, n_test, n_duplicates, density, time range, labels,
 * impression lists, id types, format, source, skipped rows, quantiles of interactions per user and per item.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_dataset_describe(const rec_dataset_t* dataset, rec_text_t** out_json, rec_error_t** out_error);
/** Ends a data set; trainers that use it keep it alive. Threads: any. @since 1.0 */
REC_API void rec_dataset_destroy(rec_dataset_t* dataset);

/* ---- plugins -------------------------------------------------------------------------------------------------- */

/**
 * Loads one plugin file. Otherwise plugins are found as librecore_<model>.so in REC_PLUGIN_PATH (read once, at the first
 * look-up), then beside the library in recore/plugins/. A plugin is never unloaded. A second load of a file does nothing.
 * @return OK, NOT_FOUND, DENIED (world-writable), ABI_MISMATCH, UNSUPPORTED (another LibTorch is mapped), PLUGIN_FAILED.
 * Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_load(const char* path, rec_error_t** out_error);
/** Adds a folder that is searched before the others. Threads: any. @since 1.0 */
REC_API rec_status_t rec_plugin_add_folder(const char* path, rec_error_t** out_error);
/**
 * Every model that can be found, as a JSON list of {name, version, path, doc, error}; a file that is refused has the
 * reason in error. One over LibTorch is named but not loaded, so its doc says no more than that. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_list(rec_text_t** out_json, rec_error_t** out_error);
/**
 * One model: {name, version, doc, paper, capabilities, parameters: [{name, type, default, min, max, choices, doc, owner}]};
 * parameters of the training loop (epochs, batch_size, ...) have owner "core". A plugin over LibTorch that is not loaded yet
 * is asked in a worker process. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_plugin_describe(const char* model, rec_text_t** out_json, rec_error_t** out_error);

/* ---- training ------------------------------------------------------------------------------------------------- */

/** What ranks what, and which items are candidates, in an evaluation. */
#define REC_ROWS_USER 0  /**< a row is a user with all its items of the part */
#define REC_ROWS_EVENT 1 /**< a row is one interaction of the part, with the history before it in time; without one it is a
                              miss of a model trained on histories only */
#define REC_ROWS_LIST 2  /**< a row is an impression list with a clicked and a shown item, ranked by itself: items the
                              model does not know come last; the list of an unknown user is a miss, and one without a
                              history before it of a model trained on histories only */
#define REC_ROWS_LABEL 3 /**< a row is a labelled interaction: prediction sigmoid(score), label 0 or 1; a row of an
                              unknown user or item is left out, and without a history for a model trained on
                              histories only */

#define REC_CANDIDATES_FULL 0    /**< all items but the masked ones */
#define REC_CANDIDATES_GIVEN 1   /**< the lists that came with the data set (neg_items), or candidate_rows */
#define REC_CANDIDATES_UNIFORM 2 /**< n_candidates drawn uniformly per positive, outside all the user's items */
#define REC_CANDIDATES_POPULAR 3 /**< the same, by training count */

/** Items that no ranking holds unless they are the row's positives. Given candidates are ranked as they are, one that is
    listed twice as two. */
#define REC_MASK_KNOWN 0 /**< items the user had before the part: train for valid; train and valid for test */
#define REC_MASK_NONE 1
#define REC_MASK_TRAIN 2 /**< items of the train part only */

#define REC_TIES_LOWER_ROW 0      /**< equal scores rank by lower item row */
#define REC_TIES_AGAINST_TARGET 1 /**< every tie counts against the positive (ReChorus) */

typedef struct rec_protocol_t {
  uint32_t struct_size;
  int32_t part;         /**< REC_PART_TEST or _VALID; 0 = test */
  int32_t rows;         /**< REC_ROWS_ */
  int32_t candidates;   /**< REC_CANDIDATES_ */
  int32_t mask;         /**< REC_MASK_ */
  int32_t ties;         /**< REC_TIES_ */
  int64_t n_candidates; /**< sampled candidates per positive; 0 = 99 */
  int64_t seed;         /**< of sampled candidates */
  int64_t max_pos;      /**< clicked items of an impression list that count, the first ones; 0 = 20 */
  int64_t max_neg;      /**< shown ones; 0 = 20. Other slots are part of a metric's name: "rechorus.hr@5[list10+40]" */
} rec_protocol_t;

/** Zero protocol of this size: full ranking of the test part by user. Threads: any. @since 1.0 */
REC_API rec_status_t rec_protocol_init(rec_protocol_t* protocol, uint32_t struct_size, rec_error_t** out_error);

#define REC_EVENT_START 1      /**< before the first batch; epoch and batch are the start cursor */
#define REC_EVENT_PROGRESS 2   /**< within an epoch, at most every 100 ms */
#define REC_EVENT_EPOCH 3      /**< an epoch and its evaluation are done */
#define REC_EVENT_CHECKPOINT 4 /**< a checkpoint is on disk */

/** What a long call reports; lives for the duration of the callback. */
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
  const char* const* metric_names;  /**< [n_metrics], epoch events with an evaluation */
  const double* metric_values;      /**< [n_metrics] */
  int64_t n_metrics;
  int32_t is_best;                  /**< 1 when this epoch is the best so far */
  int32_t reserved;
} rec_event_t;

/**
 * Progress of a long call, on the thread that made the call. Any status but OK stops the work; the call then returns
 * that status. May use any function but those on the running handle.
 */
typedef rec_status_t (*rec_event_fn)(const rec_event_t* event, void* user_data);

/** Where a plugin runs. A worker process has its own runtime, such as LibTorch, and its crash is an error of the call. */
#define REC_ISOLATION_AUTO 0       /**< a plugin over LibTorch in a worker, any other in this process */
#define REC_ISOLATION_IN_PROCESS 1
#define REC_ISOLATION_PROCESS 2    /**< in a recore-worker, found in recore/ beside the library, or by REC_WORKER_PATH */

typedef struct rec_run_options_t {
  uint32_t struct_size;
  int32_t threads;       /**< of an evaluation; 0 = as many as there are. Training has a parameter of this name */
  rec_event_fn on_event; /**< nullable */
  void* user_data;
  rec_cancel_t* cancel;  /**< nullable */
  int32_t isolation;     /**< REC_ISOLATION_, of an evaluation; training has it in the trainer's options */
  int32_t reserved;
} rec_run_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_run_options_init(rec_run_options_t* options, uint32_t struct_size, rec_error_t** out_error);

/** One model in training over one data set. */
typedef struct rec_trainer_t rec_trainer_t;

typedef struct rec_trainer_options_t {
  uint32_t struct_size;
  int32_t resume;                   /**< 1: go on from checkpoint_path when there is one */
  const char* checkpoint_path;      /**< nullable: no checkpoints; the previous one is kept at PATH.prev */
  double checkpoint_seconds;        /**< least time between two; 0 = 30 */
  int64_t checkpoint_batches;       /**< > 0: also after every so many batches */
  const char* metrics;              /**< nullable = those of the task ("ndcg@20,recall@20", "rechorus.ndcg@5,...",
                                         "rechorus.auc,..."); evaluated on valid after each eval_every epochs */
  const char* main_metric;          /**< nullable: the first of metrics; decides the best epoch and patience */
  const rec_protocol_t* protocol;   /**< nullable: full ranking; its part is ignored; REC_ROWS_USER is the rows of the
                                         task (lists, labelled rows) when the first metric is of those */
  int64_t memory_limit_bytes;       /**< 0 = none; core and plugin's estimate together */
  int32_t isolation;                /**< REC_ISOLATION_ */
  int32_t reserved;
} rec_trainer_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_trainer_options_init(rec_trainer_options_t* options, uint32_t struct_size,
                                              rec_error_t** out_error);
/**
 * A trainer, checked but not started.
 *
 * @param model       name of a model, see rec_plugin_list.
 * @param params_json nullable: a flat JSON object of the model's and the loop's parameters; see rec_plugin_describe.
 * @param options     nullable.
 * @return OK, NOT_FOUND (unknown model; the nearest is named; no recore-worker where isolation wants one),
 *         INVALID_ARGUMENT (parameter unknown or out of range), UNSUPPORTED (parameters that do not go together; another
 *         LibTorch is in this process, which REC_ISOLATION_PROCESS does not mind), INVALID_DATA (no training
 *         interaction), DEVICE, LIMIT, CORRUPT_DATA or INVALID_ARGUMENT (a checkpoint that is damaged, or of another run).
 * Threads: readers of dataset. @since 1.0
 */
REC_API rec_status_t rec_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                        const rec_trainer_options_t* options, rec_trainer_t** out_trainer,
                                        rec_error_t** out_error);
/**
 * Trains until the last epoch, until patience runs out, or until stopped. May be called again after it was stopped.
 *
 * @param options nullable.
 * @return OK, CANCELLED (the last finished epoch can be had), NUMERIC (loss not finite; epoch and batch in the message,
 *         the last checkpoint is kept), PLUGIN_FAILED (the worker process that died is one such, its signal in the
 *         message; the trainer is of no more use, its checkpoint is), IO, or the status of on_event.
 * Threads: exclusive.  Works on a library thread; the caller delivers events.  @since 1.0
 */
REC_API rec_status_t rec_trainer_run(rec_trainer_t* trainer, const rec_run_options_t* options, rec_error_t** out_error);

#define REC_MODEL_BEST 0 /**< the epoch with the best main metric; the last one when nothing was evaluated */
#define REC_MODEL_LAST 1 /**< the last finished epoch */

/** A trained model.  @return OK, BAD_STATE (no epoch is finished). Threads: exclusive. @since 1.0 */
typedef struct rec_model_t rec_model_t;
REC_API rec_status_t rec_trainer_get_model(rec_trainer_t* trainer, int32_t which, rec_model_t** out_model,
                                           rec_error_t** out_error);
/**
 * Starts from a saved model instead of at random: takes the parameters that the model in training can use, such as those of
 * a NeuMF path trained alone. Before the first run; may be called for several models.
 *
 * @param model of the same users and items, in the same order: trained on the same data set.
 * @return OK, INVALID_ARGUMENT (other users or items, or nothing of use), BAD_STATE (training has begun).
 * Threads: exclusive. @since 1.0
 */
REC_API rec_status_t rec_trainer_warm_start(rec_trainer_t* trainer, const rec_model_t* model, rec_error_t** out_error);
/** Ends a trainer. Threads: any. @since 1.0 */
REC_API void rec_trainer_destroy(rec_trainer_t* trainer);

/* ---- models --------------------------------------------------------------------------------------------------- */

typedef struct rec_save_options_t {
  uint32_t struct_size;
  int32_t no_user_data; /**< 1: leave out seen items and histories */
} rec_save_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_save_options_init(rec_save_options_t* options, uint32_t struct_size, rec_error_t** out_error);
/**
 * Writes one .rec file (safetensors layout): temporary file, fsync, rename; an older file stays whole until then.
 * @param options nullable. @return OK, IO (nothing is left behind), NOT_FOUND (no such folder), DENIED.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_save(const rec_model_t* model, const char* path, const rec_save_options_t* options,
                                    rec_error_t** out_error);

typedef struct rec_load_options_t {
  uint32_t struct_size;
  int32_t reserved;
  int64_t memory_limit_bytes; /**< 0 = none; the file, and what a plugin that serves it says it will allocate */
} rec_load_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_load_options_init(rec_load_options_t* options, uint32_t struct_size, rec_error_t** out_error);
/**
 * Opens a model file. The file is data: it names a model, never code, and every byte is checked.
 * @param options nullable. @return OK, NOT_FOUND, IO, CORRUPT_DATA (with the byte offset), UNSUPPORTED (another version),
 *        LIMIT. Threads: any. @since 1.0
 */
REC_API rec_status_t rec_model_load(const char* path, const rec_load_options_t* options, rec_model_t** out_model,
                                    rec_error_t** out_error);
/** The same from memory, which is copied. @since 1.0 */
REC_API rec_status_t rec_model_load_bytes(const void* data, int64_t n_data, const rec_load_options_t* options,
                                          rec_model_t** out_model, rec_error_t** out_error);
/** Model, version, parameters, counts, metrics, data and split hashes, sections, tensors; JSON. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_describe(const rec_model_t* model, rec_text_t** out_json, rec_error_t** out_error);

/** @param out_n_users, out_n_items nullable. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_counts(const rec_model_t* model, int64_t* out_n_users, int64_t* out_n_items,
                                      rec_error_t** out_error);
/**
 * Ids of item rows. REC_NO_ROW gives 0, or an empty string.
 * @param rows    [n_rows].
 * @param out_ids its type, and pointers into memory that lives as long as out_owner. @param out_owner end it with
 *                rec_text_destroy.
 * @return OK, INVALID_ARGUMENT (a row that is not there). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_item_ids(const rec_model_t* model, const int64_t* rows, int64_t n_rows,
                                        rec_ids_t* out_ids, rec_text_t** out_owner, rec_error_t** out_error);
/** Ids of user rows; as rec_model_item_ids. @since 1.0 */
REC_API rec_status_t rec_model_user_ids(const rec_model_t* model, const int64_t* rows, int64_t n_rows,
                                        rec_ids_t* out_ids, rec_text_t** out_owner, rec_error_t** out_error);
/** Titles of item rows (REC_ID_BYTES), empty where there is none; as rec_model_item_ids. @since 1.0 */
REC_API rec_status_t rec_model_item_titles(const rec_model_t* model, const int64_t* rows, int64_t n_rows,
                                           rec_ids_t* out_titles, rec_text_t** out_owner, rec_error_t** out_error);
/** @param out_rows [ids->n], REC_NO_ROW for an unknown id. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_item_rows(const rec_model_t* model, const rec_ids_t* ids, int64_t* out_rows,
                                         rec_error_t** out_error);
/** @param out_rows [ids->n], REC_NO_ROW for an unknown id. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_model_user_rows(const rec_model_t* model, const rec_ids_t* ids, int64_t* out_rows,
                                         rec_error_t** out_error);

struct DLManagedTensorVersioned; /* DLPack 1.x */

/**
 * Item vectors [n_items, d], float32, read-only on the CPU, as versioned DLPack; keeps the model alive until deleted.
 * @return OK, UNSUPPORTED (a model without item vectors). Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_item_vectors(const rec_model_t* model, struct DLManagedTensorVersioned** out_tensor,
                                            rec_error_t** out_error);
/** User vectors [n_users, d], or [1, d] when one vector serves every user; as rec_model_item_vectors. @since 1.0 */
REC_API rec_status_t rec_model_user_vectors(const rec_model_t* model, struct DLManagedTensorVersioned** out_tensor,
                                            rec_error_t** out_error);
/** Ends a model; recommenders and DLPack views keep what they need. Threads: any. @since 1.0 */
REC_API void rec_model_destroy(rec_model_t* model);

/* ---- evaluation ----------------------------------------------------------------------------------------------- */

/** Metrics of one evaluation with their per-row values. Immutable. */
typedef struct rec_report_t rec_report_t;

/**
 * Evaluates a model on a part of a data set. Ids are matched, so the data set need not be the one it was trained on.
 *
 * @param metrics  "ndcg@20,recall@20": recall, precision, ndcg, map, mrr, hit, f1 at k; gauc; rechorus.hr@k,
 *                 rechorus.ndcg@k; spark.{precision,recall,map,ndcg}@k; gru4rec.{recall,mrr}@k. For REC_ROWS_LIST:
 *                 rechorus.{hr,ndcg,map}@k. For REC_ROWS_LABEL: auc, logloss, mae, rmse, mse,
 *                 rechorus.{acc,auc,f1_score,log_loss}; auc goes by scores, the others by predictions.
 * @param protocol nullable: full ranking of the test part, known items masked.
 * @param options  nullable: cancel and progress.
 * @return OK, INVALID_ARGUMENT (unknown metric; the nearest is named; one of other rows, which are named), INVALID_DATA
 *         (an empty part, no labels or lists where rows want them, auc of a single class), CANCELLED, PLUGIN_FAILED.
 * Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                        const rec_protocol_t* protocol, const rec_run_options_t* options,
                                        rec_report_t** out_report, rec_error_t** out_error);
/** Number of metrics and of rows. Threads: readers. @since 1.0 */
REC_API rec_status_t rec_report_counts(const rec_report_t* report, int64_t* out_n_metrics, int64_t* out_n_rows,
                                       rec_error_t** out_error);
/**
 * One metric. @param metric 0 .. n_metrics - 1. @param out_name its full name, "hit@10[uni99]"; owned by the report.
 * @param out_mean over the rows where it is defined. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_report_get_metric(const rec_report_t* report, int64_t metric, const char** out_name,
                                           double* out_mean, rec_error_t** out_error);
/**
 * @param out_values [n_metrics, n_rows], NaN where a metric is undefined for the row: auc, rmse and f1_score have a mean,
 *                   but no value of a row; owned by the report. @since 1.0
 */
REC_API rec_status_t rec_report_get_values(const rec_report_t* report, const double** out_values,
                                           rec_error_t** out_error);
/** @param out_users [n_rows], the model's user row of each row (REC_NO_ROW: unknown to it); owned by the report. @since 1.0 */
REC_API rec_status_t rec_report_get_users(const rec_report_t* report, const int64_t** out_users,
                                          rec_error_t** out_error);
/** Ends a report. Threads: any. @since 1.0 */
REC_API void rec_report_destroy(rec_report_t* report);

/* ---- serving -------------------------------------------------------------------------------------------------- */

/** A model made ready to answer; any number of threads may ask at once. */
typedef struct rec_recommender_t rec_recommender_t;

typedef struct rec_recommender_options_t {
  uint32_t struct_size;
  int32_t exclude_seen; /**< 1: leave out what the user had in training; the model file knows */
  int64_t max_k;        /**< 0 = 1000 */
  int32_t n_callers;    /**< scratch slots; more callers wait; 0 = 64 */
  int32_t strict;       /**< 1: one unanswerable row fails the call */
} rec_recommender_options_t;

/** Zero options of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_recommender_options_init(rec_recommender_options_t* options, uint32_t struct_size,
                                                  rec_error_t** out_error);
/** @param options nullable. @return OK, UNSUPPORTED (exclude_seen of a model saved without user data). @since 1.0 */
REC_API rec_status_t rec_recommender_create(const rec_model_t* model, const rec_recommender_options_t* options,
                                            rec_recommender_t** out_recommender, rec_error_t** out_error);

/** Who asks, and for what. One answer row per user; REC_NO_ROW as a REC_ID_ROW is somebody known by a history alone. */
typedef struct rec_request_t {
  uint32_t struct_size;
  int32_t reserved;
  int64_t k;                        /**< items wanted, 1 .. max_k; ignored by rec_recommender_score */
  const rec_ids_t* users;           /**< [n] */
  const rec_ids_t* history_items;   /**< nullable: instead of what the model file knows, unless it is empty */
  const int64_t* history_offsets;   /**< [n + 1] */
  const int64_t* history_times;     /**< [n_history], nullable; for models that look at times */
  const int64_t* request_times;     /**< [n], nullable; likewise */
  const rec_ids_t* candidates;      /**< nullable: rank or score only these */
  const int64_t* candidate_offsets; /**< [n + 1]; nullable: the same candidates for every user */
  const uint8_t* allow_bits;        /**< nullable: bit i % 8 of byte i / 8 is 1 when item row i may be returned */
  int64_t n_allow_bytes;            /**< >= (n_items + 7) / 8 */
  const uint8_t* deny_bits;         /**< nullable: 1 = may not be returned */
  int64_t n_deny_bytes;
} rec_request_t;

/** Zero request of this size. Threads: any. @since 1.0 */
REC_API rec_status_t rec_request_init(rec_request_t* request, uint32_t struct_size, rec_error_t** out_error);
/**
 * Top-k items for each user of the request, best first; equal scores by lower row. What is excluded is left out before
 * the selection, so k means k.
 *
 * @param out_rows       [n, k], item rows, padded with REC_NO_ROW; rec_model_item_ids turns rows into ids.
 * @param out_scores     [n, k], nullable, padded with -INFINITY; comparable within one row only.
 * @param out_row_status [n], nullable; NOT_FOUND for an unknown user without a history.
 * @return OK, INVALID_ARGUMENT (k < 1, k > max_k, null arrays), BAD_STATE.
 * Threads: readers.  Cost: one scan of n_items per user; runs on the calling thread.  @since 1.0
 */
REC_API rec_status_t rec_recommender_top_k(const rec_recommender_t* recommender, const rec_request_t* request,
                                           int64_t* out_rows, float* out_scores, rec_status_t* out_row_status,
                                           rec_error_t** out_error);
/**
 * Scores of given candidates. @param out_scores [number of candidates over all users], in the order given; -INFINITY for
 * an unknown item. @param out_row_status [n], nullable. Threads: readers. @since 1.0
 */
REC_API rec_status_t rec_recommender_score(const rec_recommender_t* recommender, const rec_request_t* request,
                                           float* out_scores, rec_status_t* out_row_status, rec_error_t** out_error);
/**
 * Items most like each given item by cosine of their vectors (or by item-to-item weight), itself left out.
 * @param out_rows [items->n, k], padded with REC_NO_ROW. @param out_scores [items->n, k], nullable.
 * @param out_row_status [items->n], nullable; NOT_FOUND for an unknown item. @return OK, UNSUPPORTED. Threads: readers.
 * @since 1.0
 */
REC_API rec_status_t rec_recommender_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items,
                                                   int64_t k, int64_t* out_rows, float* out_scores,
                                                   rec_status_t* out_row_status, rec_error_t** out_error);
/** Ends a recommender; calls in flight finish first. Threads: any. @since 1.0 */
REC_API void rec_recommender_destroy(rec_recommender_t* recommender);

#ifdef __cplusplus
}
#endif

#endif
