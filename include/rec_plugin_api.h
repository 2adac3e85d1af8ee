/**
 * Recore's plugin ABI: what a recommender model offers the library and what the library offers a model. A plugin needs
 * this header and a C compiler; it links nothing of the library. For C++ there is rec_plugin_cpp.h, compiled into the
 * plugin on top of this header.
 *
 * The library owns the epoch loop, shuffling, negative ids, evaluation, checkpoints, NaN checks, files and threads. The
 * plugin owns parameters, gradients, the optimiser step and scoring. It starts no thread, prints nothing, opens no file,
 * keeps no global state, and lets no C++ exception through a slot.
 *
 * The order of calls on one model:
 *   plan, create, then either   initialize (a new model)     or  set_tensor for every tensor (resumed or loaded)
 *   to train:  bind, { compute, apply } per batch; after each epoch get_tensor, freeze and get_table
 *   to serve:  bind (relations only), freeze, then encode / score from any number of threads at once
 *   destroy.  bind may come before or after set_tensor.
 * A model that is served by encode or score is another object than the one being trained: it is created and gets the
 * parameter tensors by set_tensor. Tables and item weights are copied as soon as freeze has returned.
 *
 * Each slot gets a rec_call_t, valid during that call; with it host->fail records an error text, host->should_stop tells
 * whether the caller has cancelled, host->parallel_for uses the library's threads. A model's slots are called by one
 * thread at a time, except those marked [concurrent].
 *
 * A slot that notices should_stop returns REC_CANCELLED. After that the model must be as it was before the call, as far as
 * its tensors tell: a checkpoint may be written and the same batch computed again. Only apply cannot be undone; let it
 * finish, and there should_stop is always false. After a cancel the host's kernels leave their work undone; the library
 * discards what initialize, bind, compute, score_live or freeze made of it.
 *
 * Both tables start with struct_size and the ABI version, and grow only at their end. A host calls a slot only if it lies
 * inside the plugin's struct_size and is not NULL; a plugin does the same with the host's.
 */
#ifndef REC_PLUGIN_API_H
#define REC_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rec_c_api.h" /* status codes and log levels */

#ifdef __cplusplus
extern "C" {
#endif

#define REC_PLUGIN_ABI_MAJOR 1
#define REC_PLUGIN_ABI_MINOR 0

/* ---- tensors, batches, data ----------------------------------------------------------------------------------- */

#define REC_DTYPE_F32 1
#define REC_DTYPE_F64 2
#define REC_DTYPE_I32 3
#define REC_DTYPE_I64 4
#define REC_DTYPE_U8 5

#define REC_DEVICE_CPU 1 /* DLPack's numbers */
#define REC_DEVICE_CUDA 2

#define REC_MAX_DIMS 4

/** A dense array. Row-major when strides are those of shape. */
typedef struct rec_tensor_view_t {
  void* data;
  int32_t dtype;       /**< REC_DTYPE_ */
  int32_t n_dims;      /**< 1 .. REC_MAX_DIMS */
  int32_t device_type; /**< REC_DEVICE_ */
  int32_t device_id;
  int64_t shape[REC_MAX_DIMS];
  int64_t strides[REC_MAX_DIMS]; /**< in elements */
} rec_tensor_view_t;

/* Columns of a batch, append-only. B rows, C candidates (the positive first), T history length. */
#define REC_COLUMN_USER 1           /**< int32 [B] */
#define REC_COLUMN_ITEM 2           /**< int32 [B, C] */
#define REC_COLUMN_LABEL 3          /**< float [B] */
#define REC_COLUMN_HISTORY 4        /**< int32 [B, T], oldest first, padded with -1 on the right */
#define REC_COLUMN_HISTORY_LENGTH 5 /**< int32 [B] */
#define REC_COLUMN_HISTORY_TIME 6   /**< int64 [B, T], seconds, beside the history */
#define REC_COLUMN_TIME 7           /**< int64 [B], seconds */
#define REC_COLUMN_LOG_Q 8 /**< float [B, C], log of the item's sampling probability; +inf: ignore it as a negative */
#define REC_COLUMN_SESSION_RESET 9 /**< int32 [B], 1 = the slot begins a session: start from a zero state */
#define REC_COLUMN_SLOT_KEEP 10    /**< int32 [B of the previous batch], 1 = the slot stays; slots keep their order */
#define REC_COLUMN_IMPRESSION_MASK 11 /**< uint8 [B, C], REC_SLOT_ of each item */
#define REC_COLUMN_WEIGHT 12          /**< float [B] */
#define REC_COLUMN_BASKET 13          /**< int32 [B, T] */
#define REC_COLUMN_SHARED_ITEM 14     /**< int32 [n_shared], negatives that all rows share; ids may repeat */
#define REC_COLUMN_FEATURE 1000       /**< + number of the feature in the schema */

#define REC_SLOT_NEGATIVE 0  /**< shown, not clicked */
#define REC_SLOT_POSITIVE 1  /**< clicked */
#define REC_SLOT_PADDING 255 /**< padding: repeats an item of the row; ignore it */

typedef struct rec_column_t {
  int32_t column_id; /**< REC_COLUMN_ */
  int32_t reserved;
  rec_tensor_view_t view;
} rec_column_t;

/** Rows of one training step, or queries to serve. The memory is the host's and valid during the call. */
typedef struct rec_batch_t {
  uint32_t struct_size;
  int32_t n_columns;
  const rec_column_t* columns; /**< [n_columns], those that the plan asked for */
  int64_t n_rows;
  int64_t epoch;     /**< from 0 */
  int64_t index;     /**< of the batch in its epoch, from 0 */
  int64_t first_row; /**< position of the first row in the epoch; use it to key random streams */
  int64_t n_epoch_batches;
} rec_batch_t;

/** Compressed rows: row r has columns[offsets[r] .. offsets[r + 1]). */
typedef struct rec_csr_t {
  const int64_t* offsets; /**< [n_rows + 1] */
  const int32_t* columns;
  int64_t n_rows;
  int64_t n_columns; /**< every column is below this */
} rec_csr_t;

#define REC_FEATURE_DENSE 1
#define REC_FEATURE_CATEGORICAL 2

/** One feature of every user or of every item. Passed in arrays, so this struct never grows. */
typedef struct rec_feature_t {
  const char* name;
  int32_t kind; /**< REC_FEATURE_ */
  int32_t reserved;
  int64_t width;         /**< dense: numbers per row, else 0 */
  int64_t vocabulary;    /**< categorical: values are 0 .. vocabulary - 1, else 0 */
  const float* dense;    /**< [n, width], 0 where unknown; NULL in a schema */
  const int32_t* values; /**< [n], 0 where unknown; NULL in a schema */
} rec_feature_t;

/** Sizes known before data are bound. The arrays are valid during the call. */
typedef struct rec_schema_t {
  uint32_t struct_size;
  int32_t has_times;
  int64_t n_users;
  int64_t n_items;
  int64_t n_interactions; /**< training interactions, duplicates included; 0 when a model file is opened */
  int32_t has_weights;
  int32_t n_relations;                /**< between items */
  const char* const* relation_names;  /**< [n_relations]; NULL when a model file is opened */
  const rec_feature_t* user_features; /**< [n_user_features]; empty when a model file is opened */
  int64_t n_user_features;
  const rec_feature_t* item_features; /**< [n_item_features]; empty when a model file is opened */
  int64_t n_item_features;
} rec_schema_t;

/** The training interactions, in 64-byte aligned host memory that lives until destroy or the next bind. */
typedef struct rec_dataset_view_t {
  uint32_t struct_size;
  int32_t reserved;
  rec_csr_t by_user;          /**< items of each user, oldest first, duplicates kept */
  rec_csr_t by_item;          /**< users of each item, ascending, duplicates kept */
  const int64_t* user_times;  /**< beside by_user.columns; NULL without times */
  const float* user_weights;  /**< beside by_user.columns; NULL without weights */
  rec_csr_t graph_users;      /**< distinct items of each user, ascending; filled if the plan asks for the graph */
  rec_csr_t graph_items;      /**< distinct users of each item, ascending */
  const rec_csr_t* relations; /**< [n_relations], the items that each item leads to, ascending; if the plan asks */
  int64_t n_relations;
  const rec_feature_t* user_features; /**< [n_user_features], those of the schema; if the plan asks for features */
  int64_t n_user_features;
  const rec_feature_t* item_features; /**< [n_item_features], likewise */
  int64_t n_item_features;
} rec_dataset_view_t;

/* ---- parameters ----------------------------------------------------------------------------------------------- */

#define REC_PARAM_INT 1
#define REC_PARAM_FLOAT 2
#define REC_PARAM_BOOL 3
#define REC_PARAM_CHOICE 4 /**< one of the words in choices */
#define REC_PARAM_LIST 5   /**< list of numbers, "[64, 32]" */
#define REC_PARAM_TEXT 6

/** One parameter of a model. Bounds are inclusive; min_value == max_value == 0 means unbounded. A model may declare
    a parameter of the training loop (`num_neg`, `batch_size`) to change its default; the loop's type and bounds hold. */
typedef struct rec_param_t {
  const char* name;
  int32_t type; /**< REC_PARAM_ */
  int32_t reserved;
  const char* default_value; /**< as text: "64", "0.001", "true", "softplus" */
  double min_value;
  double max_value;
  const char* choices; /**< "a|b|c" for REC_PARAM_CHOICE, else NULL */
  const char* doc;     /**< one line */
} rec_param_t;

/** Validated values of the model's and the training loop's parameters, read through the host's getters. */
typedef struct rec_params_t rec_params_t;

/* ---- the plan ------------------------------------------------------------------------------------------------- */

#define REC_CAP_TRAIN ((int64_t)1 << 0)      /**< compute, apply */
#define REC_CAP_USER_TABLE ((int64_t)1 << 1) /**< get_table(REC_TABLE_USER) */
#define REC_CAP_ITEM_TABLE ((int64_t)1 << 2) /**< get_table(REC_TABLE_ITEM); score = user row . item row */
#define REC_CAP_ENCODE ((int64_t)1 << 3)     /**< encode gives query vectors; score = query . row of ITEM_TABLE */
#define REC_CAP_SCORE ((int64_t)1 << 4)      /**< score(queries, candidates) */
#define REC_CAP_COLD_USER ((int64_t)1 << 5)  /**< answers an unknown user who comes with a history */
#define REC_CAP_INCREMENTAL ((int64_t)1 << 6) /**< for who reads rec_plugin_describe; the library does nothing with it */
#define REC_CAP_GPU ((int64_t)1 << 7)         /**< likewise; models are trained and served on the CPU */
#define REC_CAP_DETERMINISTIC ((int64_t)1 << 8) /**< same seed, same bits, any number of threads */
#define REC_CAP_ITEM_WEIGHTS ((int64_t)1 << 9)  /**< get_item_weights: an item-by-item matrix that scores histories */
#define REC_CAP_SCORE_LIVE ((int64_t)1 << 10) /**< score_live: the current parameters' scores, for dynamic negatives */
#define REC_CAP_GRADIENTS ((int64_t)1 << 11)  /**< gradients, between compute and apply */
#define REC_CAP_LISTS ((int64_t)1 << 12)      /**< plans REC_PLAN_LISTS when the loop's task is impression */
#define REC_CAP_LABELLED ((int64_t)1 << 13)   /**< plans REC_PLAN_LABELLED when the loop's task is ctr */
#define REC_CAP_VECTORS ((int64_t)1 << 14)    /**< of a model with SCORE: get_table gives a vector of each user and of each
                                                   item, to compare and not to score with; any thread, after freeze */

/* What a row of a training batch is. */
#define REC_PLAN_INTERACTIONS 0 /**< a training interaction; an epoch is all of them, shuffled */
#define REC_PLAN_ITEMS 1        /**< an item; an epoch is all of them, in order; compute's loss is not read */
#define REC_PLAN_SESSIONS 2 /**< a slot that walks a user's interactions: input HISTORY [B, 1], target ITEM [B, 1] */
#define REC_PLAN_LISTS 3    /**< an impression list: ITEM [B, max_pos + max_neg], clicked first, IMPRESSION_MASK */
#define REC_PLAN_LABELLED 4 /**< a labelled training interaction, clicked or not: ITEM [B, 1] and LABEL */
#define REC_PLAN_USERS 5    /**< a user; an epoch is all of them, in order */

/* Which items a row is trained against. */
#define REC_NEGATIVES_NONE 0    /**< item column [B, 1] */
#define REC_NEGATIVES_SAMPLED 1 /**< item column [B, 1 + num_neg] by the loop's sampler; [B, B] with sampler=in_batch. Drawn
                                     negatives are never items of the user's train part, and may repeat in a row */
#define REC_NEGATIVES_IN_BATCH 2 /**< item column [B, B]: the row's positive, then the next rows', wrapping around */
#define REC_NEGATIVES_SHARED 3   /**< n_shared items of the batch, P(i) ~ training count ^ shared_alpha */

#define REC_PLAN_MAX_COLUMNS 32

/** What a model needs for given parameters. The host zeroes it and sets struct_size. */
typedef struct rec_plan_t {
  uint32_t struct_size;
  int32_t rows;         /**< REC_PLAN_ */
  int32_t negatives;    /**< REC_NEGATIVES_ */
  int32_t wants_graph;  /**< 1: the view's graph is filled */
  int64_t capabilities; /**< a subset of the plugin's */
  int64_t max_epochs;   /**< 0 = as the user says */
  int64_t batch_size;   /**< 0 = as the user says */
  int64_t memory_bytes; /**< estimate of what the model will allocate, checked against the memory limit */
  int32_t n_columns;
  int32_t columns[REC_PLAN_MAX_COLUMNS]; /**< training columns wanted, REC_COLUMN_ */
  int32_t n_query_columns;
  int32_t query_columns[REC_PLAN_MAX_COLUMNS]; /**< columns that encode or score needs, REC_COLUMN_ */
  int64_t history_max;                         /**< keep the last history_max items of a history; 0 = all */
  int64_t min_history;                         /**< leave out training rows with fewer items before them */
  int64_t n_shared;                            /**< with REC_NEGATIVES_SHARED */
  double shared_alpha;
  int32_t wants_relations; /**< 1: the view has the relations; a view to serve has only these */
  int32_t wants_features;  /**< 1: the view has the features. A model file has none: tables must serve it */
  int64_t min_batch_size;  /**< a smaller batch_size is refused: 2 where the other rows are negatives */
} rec_plan_t;

/* ---- host services -------------------------------------------------------------------------------------------- */

/** The running call of a slot. */
typedef struct rec_call_t rec_call_t;

typedef void (*rec_range_fn)(void* context, int64_t begin, int64_t end);

#define REC_LOSS_BPR_SOFTPLUS 1 /**< mean of ln(1 + exp(s- - s+)) over rows and negatives */
#define REC_LOSS_BPR_LOG 2      /**< mean of -ln(1e-10 + sigmoid(s+ - s-)) */
#define REC_LOSS_BPR_MULTI 3    /**< softmax-weighted negatives, one term a row (ReChorus) */
#define REC_LOSS_BCE 4          /**< mean binary cross-entropy with logits; column 0 has label 1, others 0 */
#define REC_LOSS_SOFTMAX 5      /**< mean cross-entropy over the row's columns, target column 0 */

/* Losses over impression lists. w+ is the softmax of a row's clicked scores, w- that of its shown ones. */
#define REC_LIST_LOSS_BPR 1        /**< -ln sum_p w+ sum_n w- sigmoid(s_p - s_n) */
#define REC_LIST_LOSS_BPR_AFTER 2  /**< sum_p w+ sum_n w- softplus(s_n - s_p) */
#define REC_LIST_LOSS_BPR_BEFORE 3 /**< sum_p softplus(-w+ (s_p - sum_n w- s_n)), + ln 2 for every other slot */
#define REC_LIST_LOSS_BPR_SIMPLE 4 /**< sum_p sum_n softplus(s_n - s_p) */
#define REC_LIST_LOSS_LISTNET 5    /**< cross-entropy of softmax(label) and the softmax over all slots, padding too */
#define REC_LIST_LOSS_SOFTMAX_CE 6 /**< mean over p of -ln q_p, q = softmax over the valid slots */
#define REC_LIST_LOSS_ATTENTION_RANK 7 /**< -sum tau ln q - sum (1 - tau) ln(1 - q), tau = softmax(label) */
#define REC_LIST_LOSS_HARD 16          /**< added to one of the first four: w+ is the softmax of -s */

#define REC_LABEL_LOSS_BCE 1 /**< mean of -(y ln p + (1 - y) ln(1 - p)), p = sigmoid(s), logs floored at -100 */
#define REC_LABEL_LOSS_MSE 2 /**< mean of (p - y)^2 */

#define REC_MATMUL_TRANSPOSE_A 1
#define REC_MATMUL_TRANSPOSE_B 2
#define REC_MATMUL_ADD 4

/** Adam over a table [n_rows, d]. The arrays are the plugin's. */
typedef struct rec_adam_t {
  uint32_t struct_size;
  int32_t lazy;         /**< 1: rows that are not listed do not change; 0: dense Adam, missed steps are replayed */
  float* parameter;     /**< [n_rows, d] */
  float* first_moment;  /**< [n_rows, d] */
  float* second_moment; /**< [n_rows, d] */
  int64_t* last_step;   /**< [n_rows] the last step that each row has taken */
  int64_t n_rows;
  int64_t d;
  const float* steps; /**< [n_steps, 2], from host->adam_steps; a step beyond them uses the last */
  int64_t n_steps;    /**< at least 2; 32768 are enough for beta2 = 0.999, whose corrections are 1 from there on */
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay; /**< coupled: gradient += weight_decay * parameter */
} rec_adam_t;

/** accumulator += g^2; step = -learning_rate * g / (sqrt(accumulator) + epsilon); parameter += step. The arrays are the
    plugin's. */
typedef struct rec_adagrad_t {
  uint32_t struct_size;
  int32_t epsilon_inside; /**< 1: g / sqrt(accumulator + epsilon) */
  float* parameter;       /**< [n_rows, d] */
  float* accumulator;     /**< [n_rows, d] */
  float* velocity;        /**< [n_rows, d], nullable: velocity = momentum * velocity + step; parameter += velocity */
  int64_t d;
  double learning_rate;
  double epsilon;
  double weight_decay; /**< coupled */
  double momentum;
} rec_adagrad_t;

/**
 * One batch of augmented negative sampling: forward and backward of Zhao et al., "Augmented Negative Sampling for
 * Collaborative Filtering", RecSys 2023, sections 3.2 and 3.3. C = 1 + K candidates, the positive first. Vectors lie as
 * [node, n_hops, d] for the nodes that the batch touches; gates are the outputs of the two linear gates.
 */
typedef struct rec_augment_t {
  uint32_t struct_size;
  int32_t reserved;
  int64_t n_rows;             /**< B >= 1 */
  int64_t n_candidates;       /**< C >= 2 */
  int64_t n_hops;             /**< H >= 1 */
  int64_t d;                  /**< >= 1 */
  const int32_t* user_slots;  /**< [B] node of each row's user */
  const int32_t* item_slots;  /**< [B, C] node of each candidate */
  const float* users;         /**< [user nodes, H, d] */
  const float* user_gates;    /**< [user nodes, H, d] */
  const float* items;         /**< [item nodes, H, d] */
  const float* item_gates;    /**< [item nodes, H, d] */
  const float* margin_weight; /**< [d] of the margin model */
  const float* margin_bias;   /**< [1] */
  const float* noise;         /**< [B, K, H, d], uniform in [0, 1) */
  double eps;                 /**< weight of the augmentation gain in the choice of the negative */
  double gamma;               /**< weight of the auxiliary losses in the gradients */
  double noise_scale;         /**< c, length of the augmentation */
  double margin_eps;          /**< floor of the margin's denominator */
  float* d_users;             /**< [B, H, d] gradient for each row's user */
  float* d_user_gates;        /**< [B, H, d] */
  float* d_items;             /**< [B, C, H, d] gradient for each candidate */
  float* d_item_gates;        /**< [B, C, H, d], 0 for positives */
  float* d_margin_weight;     /**< [d] */
  float* d_margin_bias;       /**< [1] */
  int32_t* selected;          /**< [B, H] the chosen negative, 0 .. K - 1; the first on ties */
} rec_augment_t;

/** What the library offers to plugins, on any thread that is inside a slot. Kernels use the library's threads; they give the
    same bits for any number of threads and on every machine. */
typedef struct rec_host_t {
  uint32_t struct_size;
  int32_t abi_major;
  int32_t abi_minor;
  int32_t reserved;

  /** A log line, "event key=value". */
  void (*log)(int32_t level, const char* message);
  /** Records the text of a failure and returns status, so that a slot can `return host->fail(call, ...)`. */
  rec_status_t (*fail)(rec_call_t* call, rec_status_t status, const char* message);
  /** True if the caller has cancelled: return REC_CANCELLED soon. */
  bool (*should_stop)(rec_call_t* call);
  /** Runs body over [0, n) in chunks, which depend on n and chunk only. body must not throw. */
  void (*parallel_for)(rec_call_t* call, int64_t n, int64_t chunk, rec_range_fn body, void* context);

  /** The value of a declared parameter; asking for an undeclared one fails the slot. */
  int64_t (*param_int)(const rec_params_t* params, const char* name);
  double (*param_float)(const rec_params_t* params, const char* name);
  bool (*param_bool)(const rec_params_t* params, const char* name);
  /** The text of a choice or text parameter; lives as long as params. */
  const char* (*param_text)(const rec_params_t* params, const char* name);
  /** The number of elements of a list; the first max_values of them are written to out_values. */
  int64_t (*param_list)(const rec_params_t* params, const char* name, double* out_values, int64_t max_values);

  /** Uniform numbers in [low, high) and normal numbers: a function of (seed, stream, epoch, row) only. The plugin numbers
      its streams from 0. */
  void (*random_uniform)(int64_t seed, int32_t stream, int64_t epoch, int64_t row, float low, float high, float* out,
                         int64_t n);
  void (*random_normal)(int64_t seed, int32_t stream, int64_t epoch, int64_t row, float mean, float deviation,
                        float* out, int64_t n);

  /**
   * y[r] = row_scale[r] * sum over c in row r of column_scale[c] * x[c]  +  addend_scale * addend[r]
   * @param rows nullable, [n_rows_listed]: only these rows of y are written. Scales and addend are nullable.
   * @param x [csr->n_columns, d]. @param y [csr->n_rows, d], not x.
   */
  void (*propagate)(rec_call_t* call, const rec_csr_t* csr, const float* row_scale, const float* column_scale,
                    const float* x, int64_t d, const float* addend, float addend_scale, float* y, const int32_t* rows,
                    int64_t n_rows_listed);
  /** y[r] = sum over entries e of row r of weights[e] * x[columns[e]]; added onto y when accumulate. */
  void (*weighted_rows)(rec_call_t* call, const rec_csr_t* csr, const float* weights, const float* x, int64_t d,
                        bool accumulate, float* y);
  /** scores[b, c] = user_table[users[b]] . item_table[items[b, c]], one chain of fused multiply-adds. */
  void (*pair_scores)(rec_call_t* call, const int32_t* users, const int32_t* items, int64_t n_rows, int64_t n_columns,
                      const float* user_table, const float* item_table, int64_t d, float* scores);
  /** One of REC_LOSS_ over scores [n_rows, n_columns]; dscores is the gradient of *out_loss. */
  rec_status_t (*loss)(rec_call_t* call, int32_t loss, const float* scores, int64_t n_rows, int64_t n_columns,
                       double* out_loss, float* dscores);
  /** Step sizes and bias corrections of steps 0 .. n_steps at a constant learning rate. @param out [n_steps + 1, 2] */
  void (*adam_steps)(double learning_rate, double beta1, double beta2, int64_t n_steps, float* out);
  /**
   * Step `step` (from 1) of Adam.
   * @param rows      [n_rows_listed], distinct; NULL: every row.
   * @param gradients [n_rows_listed, d]; NULL: zero, so the rows only catch up with `step`.
   */
  rec_status_t (*adam)(rec_call_t* call, const rec_adam_t* adam, int64_t step, const int32_t* rows,
                       int64_t n_rows_listed, const float* gradients);
  /** parameter[rows] -= learning_rate * (gradients + weight_decay * parameter). */
  void (*sgd)(rec_call_t* call, float* parameter, int64_t d, const int32_t* rows, int64_t n_rows_listed,
              const float* gradients, double learning_rate, double weight_decay);
  /** One step of Adagrad of the listed rows (distinct; NULL: every row); the others do not change. */
  void (*adagrad)(rec_call_t* call, const rec_adagrad_t* adagrad, const int32_t* rows, int64_t n_rows_listed,
                  const float* gradients);
  /** c[i, j] -= sum over p of a[i, p] * b[p, j] in float64; leading dimensions ldc, lda, ldb. */
  void (*rank_update)(rec_call_t* call, double* c, int64_t ldc, const double* a, int64_t lda, const double* b,
                      int64_t ldb, int64_t m, int64_t n, int64_t k);
  /**
   * c [m, n] = op(a) op(b), or c += it with REC_MATMUL_ADD; each element one chain of fused multiply-adds over
   * ascending k. a is [m, k], or [k, m] with REC_MATMUL_TRANSPOSE_A; b is [k, n], or [n, k] with REC_MATMUL_TRANSPOSE_B.
   */
  rec_status_t (*matmul)(rec_call_t* call, int32_t flags, int64_t m, int64_t n, int64_t k, const float* a,
                         const float* b, float* c);
  /** y[i] = exp(x[i]), 1 / (1 + exp(-x[i])), tanh(x[i]); the same bits on every machine; y may be x. */
  void (*exp)(const float* x, int64_t n, float* y);
  void (*sigmoid)(const float* x, int64_t n, float* y);
  void (*tanh)(const float* x, int64_t n, float* y);
  /**
   * One of REC_LIST_LOSS_, the mean over the rows that have a clicked and a shown item; dscores is the gradient of
   * *out_loss, 0 in other rows. @param mask [n_rows, n_columns], REC_SLOT_.
   */
  rec_status_t (*list_loss)(rec_call_t* call, int32_t loss, const float* scores, const uint8_t* mask, int64_t n_rows,
                            int64_t n_columns, double* out_loss, float* dscores);
  /** One of REC_LABEL_LOSS_ over scores and labels [n_rows]. */
  rec_status_t (*label_loss)(rec_call_t* call, int32_t loss, const float* scores, const float* labels, int64_t n_rows,
                             double* out_loss, float* dscores);
  /**
   * Solves n_systems small symmetric positive definite systems a[s] x = b[s] by Cholesky.
   * @param dtype REC_DTYPE_F32 or REC_DTYPE_F64, of a and b.
   * @param a [n_systems, d, d]; of each only the upper triangle is read, and overwritten.
   * @param b [n_systems, d], overwritten with x.
   * @return OK; NUMERIC if a system is not positive definite, naming the first; a and b are unspecified then.
   */
  rec_status_t (*solve)(rec_call_t* call, int32_t dtype, int64_t n_systems, int64_t d, void* a, void* b);
  /** Augmented negative sampling. @param out_losses [4] means: BPR, contrast, distance, orthogonality. */
  rec_status_t (*augment)(rec_call_t* call, const rec_augment_t* job, double* out_losses);
} rec_host_t;

/* ---- the plugin ----------------------------------------------------------------------------------------------- */

/** The plugin's model object. */
typedef struct rec_plugin_model_t rec_plugin_model_t;

#define REC_TENSOR_PARAMETER 1 /**< part of the model: saved with it */
#define REC_TENSOR_OPTIMIZER 2 /**< needed to go on training */
#define REC_TENSOR_STATE 3     /**< any other state that resuming needs */

/** A named tensor of a model. Names are unique and consist of letters, digits, '_' and '.'; they do not begin with users.,
    items., seen., history., item_title., relations., serving., best., last. or sampler., which files use. A PARAMETER is
    F32 or F64. The library checks what it read from a file before set_tensor: floats are finite, integers within min and
    max. */
typedef struct rec_tensor_info_t {
  const char* name;
  int32_t dtype; /**< REC_DTYPE_ */
  int32_t kind;  /**< REC_TENSOR_ */
  int32_t n_dims;
  int32_t reserved;
  int64_t shape[REC_MAX_DIMS];
  int64_t min, max; /**< of an element of an integer tensor, inclusive; a file with another value is refused */
} rec_tensor_info_t;

#define REC_TABLE_USER 1 /**< [n_users, d], or [1, d] when one row serves every user, known or not */
#define REC_TABLE_ITEM 2 /**< [n_items, d] */

/** The plugin's table; static. */
typedef struct rec_plugin_t {
  uint32_t struct_size;
  int32_t abi_major;      /**< REC_PLUGIN_ABI_MAJOR it was compiled with */
  int32_t abi_minor;      /**< REC_PLUGIN_ABI_MINOR it was compiled with */
  int32_t min_host_minor; /**< lowest minor of a host that it works with */
  const char* name;       /**< of the model; the file is librecore_<name>.so */
  const char* version;    /**< of the plugin, "1.0.0" */
  const char* doc;        /**< what the model is for, one line */
  const char* paper;      /**< citation, or "" */
  int32_t model_version;  /**< of its tensors; increase it when their meaning changes */
  int32_t reserved;
  int64_t capabilities; /**< all that any parameters may give */
  const rec_param_t* params;
  int64_t n_params;

  /** Once, after the host has checked versions and capabilities. */
  rec_status_t (*init)(rec_call_t* call, const rec_host_t* host);
  /** What these parameters need. Returns UNSUPPORTED and a sentence for parameters that do not go together. */
  rec_status_t (*plan)(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema, rec_plan_t* out_plan);
  rec_status_t (*create)(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                         rec_plugin_model_t** out_model);
  void (*destroy)(rec_plugin_model_t* model);
  /** Starts every parameter at random, from seed. */
  rec_status_t (*initialize)(rec_call_t* call, rec_plugin_model_t* model, int64_t seed);
  rec_status_t (*bind)(rec_call_t* call, rec_plugin_model_t* model, const rec_dataset_view_t* view);

  /** Forward and backward of one batch. *out_loss is the batch's mean loss; training stops with NUMERIC unless it is finite.
      With REC_PLAN_ITEMS it is not read. Changes no tensor: it may be cancelled and called again. */
  rec_status_t (*compute)(rec_call_t* call, rec_plugin_model_t* model, const rec_batch_t* batch, double* out_loss);
  /** The optimiser's step with the gradients of the last compute. Not to be cancelled. */
  rec_status_t (*apply)(rec_call_t* call, rec_plugin_model_t* model);
  /** The gradient of parameter tensor i as a dense view; lives until apply. */
  rec_status_t (*gradients)(rec_call_t* call, rec_plugin_model_t* model, int64_t i, rec_tensor_view_t* out_view);
  /** Scores [B, C] of the batch's items with the current parameters. */
  rec_status_t (*score_live)(rec_call_t* call, rec_plugin_model_t* model, const rec_batch_t* batch, float* out_scores);

  int64_t (*tensor_count)(const rec_plugin_model_t* model);
  rec_status_t (*tensor_info)(rec_call_t* call, const rec_plugin_model_t* model, int64_t i,
                              rec_tensor_info_t* out_info);
  /** Copies tensor i to host memory of its size. */
  rec_status_t (*get_tensor)(rec_call_t* call, rec_plugin_model_t* model, int64_t i, void* out_data);
  rec_status_t (*set_tensor)(rec_call_t* call, rec_plugin_model_t* model, int64_t i, const void* data);
  /** The current name of a tensor saved by an older model_version, NULL if it no longer exists. Optional. */
  const char* (*tensor_name_of)(int32_t saved_model_version, const char* saved_name);

  /** Makes what serving needs from the current parameters. */
  rec_status_t (*freeze)(rec_call_t* call, rec_plugin_model_t* model);
  /** A float32 table on the CPU. It is copied right after freeze: the next compute or freeze may overwrite it. */
  rec_status_t (*get_table)(rec_call_t* call, const rec_plugin_model_t* model, int32_t table,
                            rec_tensor_view_t* out_view);
  /** Row h has the items i that item h gives weight to, ascending: score(i) = sum of weight(h, i) over the items h of the
      history, each once. Copied right after freeze, like tables. */
  rec_status_t (*get_item_weights)(rec_call_t* call, const rec_plugin_model_t* model, rec_csr_t* out_csr,
                                   const float** out_weights);
  /** Query vectors [B, d], d as in the item table. USER is the user's row, or -1 for an unknown user (only with
      REC_CAP_COLD_USER). HISTORY is what the caller gives with the query, else the items of the user's training
      interactions: the last history_max, oldest first, repetitions kept; both may be empty. With USER_TABLE as well, encode
      still answers every query; the user table is stored in the model file and not read. Numbers must be finite, and at
      most 1e15 in size, as those of tables and item weights. [concurrent] */
  rec_status_t (*encode)(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries,
                         float* out_vectors);
  /** Scores [B, C] of the queries' item column; users and histories as for encode. Finite numbers. [concurrent] */
  rec_status_t (*score)(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries,
                        float* out_scores);
  /** After initialize, before training, for each saved model to start from: copies what it can use of the n parameter
      tensors, and counts them. Optional: by default tensors of the same name, type and shape are copied. */
  rec_status_t (*warm_start)(rec_call_t* call, rec_plugin_model_t* model, const rec_tensor_info_t* infos,
                             const void* const* data, int64_t n, int64_t* out_taken);
} rec_plugin_t;

/* ---- identity and entry --------------------------------------------------------------------------------------- */

#define REC_PLUGIN_MAGIC 0x52454350 /* "RECP" */

/** What the host reads from the file's note before it runs any code of the file. */
typedef struct rec_plugin_note_t {
  uint32_t name_size, description_size, type; /**< ELF note header: 8, the rest of this struct, 1 */
  char owner[8];                              /**< "Recore" */
  uint32_t magic;                             /**< REC_PLUGIN_MAGIC, in the plugin's byte order */
  int32_t abi_major;
  int32_t abi_minor;
  int32_t min_host_minor;
  int32_t pointer_bits;
  char model[64];
  char version[32];
  char runtime[48]; /**< "" or "libtorch": a library of which a process can hold only one */
  char doc[192];    /**< one line about the model */
} rec_plugin_note_t;

#if defined(_WIN32)
#define REC_PLUGIN_EXPORT __declspec(dllexport)
#else
#define REC_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
#define REC_PLUGIN_EXTERN_C extern "C"
#else
#define REC_PLUGIN_EXTERN_C
#endif

/**
 * A plugin's identity, written once at the top of its source:
 *   REC_PLUGIN_NOTE(lightgcn, "1.0.0", 0, "", "linear propagation of id embeddings over the interaction graph");
 * min_minor is the lowest REC_PLUGIN_ABI_MINOR of a host that the plugin can work with. Defines the note that the host
 * reads from the file, and REC_PLUGIN_IDENTITY, the first fields of the plugin's table.
 */
#define REC_PLUGIN_NOTE(model_name, version_text, min_minor, runtime_text, doc_text)                            \
  enum { rec_plugin_min_host_minor = (min_minor) };                                                             \
  __attribute__((section(".note.recore"), used, aligned(4))) static const rec_plugin_note_t rec_plugin_note = { \
      8,                                                                                                        \
      (uint32_t)(sizeof(rec_plugin_note_t) - 20),                                                               \
      1,                                                                                                        \
      "Recore",                                                                                                 \
      REC_PLUGIN_MAGIC,                                                                                         \
      REC_PLUGIN_ABI_MAJOR,                                                                                     \
      REC_PLUGIN_ABI_MINOR,                                                                                     \
      rec_plugin_min_host_minor,                                                                                \
      (int32_t)(8 * sizeof(void*)),                                                                             \
      #model_name,                                                                                              \
      version_text,                                                                                             \
      runtime_text,                                                                                             \
      doc_text}

/** struct_size to doc of a rec_plugin_t: static const rec_plugin_t table = {REC_PLUGIN_IDENTITY, "paper", ...}; */
#define REC_PLUGIN_IDENTITY                                                                                           \
  sizeof(rec_plugin_t), REC_PLUGIN_ABI_MAJOR, REC_PLUGIN_ABI_MINOR, rec_plugin_min_host_minor, rec_plugin_note.model, \
      rec_plugin_note.version, rec_plugin_note.doc

/** The one symbol of a plugin: REC_PLUGIN_ENTRY(&table). It only gives the static table; work starts in init. */
#define REC_PLUGIN_ENTRY(table_pointer)                                                                \
  REC_PLUGIN_EXTERN_C REC_PLUGIN_EXPORT const rec_plugin_t* rec_plugin_entry(const rec_host_t* host);  \
  REC_PLUGIN_EXTERN_C REC_PLUGIN_EXPORT const rec_plugin_t* rec_plugin_entry(const rec_host_t* host) { \
    (void)host;                                                                                        \
    return table_pointer;                                                                              \
  }

#ifdef __cplusplus
}
#endif

#endif
