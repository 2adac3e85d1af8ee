/* Plugins that break the contract, one file per EVIL_ macro; the host must report it and survive. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rec_plugin_api.h"

#ifdef EVIL_MAJOR /* as if compiled with another header */
#undef REC_PLUGIN_ABI_MAJOR
#define REC_PLUGIN_ABI_MAJOR EVIL_MAJOR
#endif
#ifndef EVIL_MIN_HOST_MINOR
#define EVIL_MIN_HOST_MINOR 0
#endif
#ifndef EVIL_RUNTIME
#define EVIL_RUNTIME ""
#endif
#define NOTE_OF(name) REC_PLUGIN_NOTE(name, "1.0.0", EVIL_MIN_HOST_MINOR, EVIL_RUNTIME, "breaks the contract")
NOTE_OF(EVIL_NAME);

static const rec_host_t* host;
static float table_values[64];

static rec_status_t init(rec_call_t* call, const rec_host_t* given) {
  host = given;
#ifdef EVIL_INIT_FAILS
  return host->fail(call, REC_UNSUPPORTED, "this machine is not good enough");
#else
  (void)call;
  return REC_OK;
#endif
}

static rec_status_t plan(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema, rec_plan_t* out) {
  (void)call, (void)schema, (void)params;
  out->rows = REC_PLAN_INTERACTIONS;
  out->capabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE;
#ifdef SCORES_TOO
  out->capabilities |= REC_CAP_SCORE;
#endif
  out->columns[out->n_columns++] = REC_COLUMN_USER;
#ifdef EVIL_UNDECLARED_PARAM
  host->param_int(params, "undeclared");
#endif
#ifdef EVIL_COLUMN
  out->columns[out->n_columns++] = REC_COLUMN_BASKET;
#endif
#ifdef EVIL_LOG_Q
  out->negatives = REC_NEGATIVES_SAMPLED;
  out->columns[out->n_columns++] = REC_COLUMN_LOG_Q;
#endif
#ifdef EVIL_NO_SERVING
  out->capabilities = REC_CAP_TRAIN;
#endif
#ifdef EVIL_WEIGHTS
  out->capabilities = REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS;
#endif
#ifdef EVIL_FEATURES
  out->wants_features = 1;
  out->capabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE;
#endif
#ifdef EVIL_ENCODES
  out->capabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE;
#endif
#ifdef EVIL_GREEDY
  out->memory_bytes = (int64_t)1 << 50;
#endif
  return REC_OK;
}
static rec_status_t create(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                           rec_plugin_model_t** out) {
  (void)call, (void)params, (void)schema;
  *out = (rec_plugin_model_t*)(void*)table_values;
  return REC_OK;
}
static void destroy(rec_plugin_model_t* model) { (void)model; }
static rec_status_t initialize(rec_call_t* call, rec_plugin_model_t* model, int64_t seed) {
  (void)call, (void)model, (void)seed;
#ifdef EVIL_HANG
  for (;;) pause();
#endif
#ifdef EVIL_LINES
  for (int i = 0; i < EVIL_LINES; ++i) host->log(REC_LOG_WARNING, "evil n=1");
#endif
  return REC_OK;
}
static rec_status_t bind(rec_call_t* call, rec_plugin_model_t* model, const rec_dataset_view_t* view) {
  (void)call, (void)model, (void)view;
  return REC_OK;
}
static rec_status_t compute(rec_call_t* call, rec_plugin_model_t* model, const rec_batch_t* batch, double* loss) {
  (void)call, (void)model, (void)batch;
  *loss = 0;
#ifdef EVIL_SILENT_FAILURE
  return REC_NUMERIC;
#endif
#ifdef EVIL_STATUS
  return 4711;
#endif
#ifdef EVIL_SEGFAULT
  *(volatile int*)8 = 1;
#endif
#ifdef EVIL_ABORT
  puts("to standard output");
  fflush(stdout); /* otherwise a sanitizer flushes it, at the end */
  fputs("a line before\nthe plugin's last words\n", stderr);
  abort();
#endif
#ifdef EVIL_EXIT
  exit(3);
#endif
#ifdef EVIL_SENDS /* to its host, as only the worker process may */
  static const char message[] = EVIL_SENDS;
  if (write(3, message, sizeof message - 1) < 0) exit(4);
  for (;;) pause();
#endif
#ifdef EVIL_DEAF /* reads nothing, while a process that it has started sends events: the start of training, all else 0 */
  static const char event[] =
      "\x81\xa5"
      "event"
      "\x8b\xa4"
      "kind\1\xa5"
      "epoch\0\xa8"
      "n_epochs\0\xa5"
      "batch\0\xa9"
      "n_batches\0"
      "\xa4"
      "loss\0\xad"
      "train_seconds\0\xac"
      "eval_seconds\0"
      "\xac"
      "metric_names\x90\xad"
      "metric_values\x90\xa7"
      "is_best\xc2";
  if (fork() == 0)
    while (write(3, event, sizeof event - 1) > 0) continue;
  raise(SIGSTOP);
#endif
#ifdef EVIL_NESTED
  static char nested[60000];
  memset(nested, '\x91', sizeof nested); /* MessagePack: an array in an array in an array */
  if (write(3, nested, sizeof nested) < 0) exit(4);
  for (;;) pause();
#endif
#ifdef EVIL_HELPER /* holds the worker's socket, which then never closes */
  if (fork() == 0)
    for (;;) pause();
  _exit(3);
#endif
#ifdef EVIL_GROUP /* leaves the group of processes that its host would kill, and never answers */
  if (setpgid(0, getpgid(getppid())) != 0) exit(4);
  for (;;) pause();
#endif
#ifdef EVIL_FLOOD
  for (;;) host->log(REC_LOG_WARNING, "evil n=1");
#endif
  return REC_OK;
}
static rec_status_t apply(rec_call_t* call, rec_plugin_model_t* model) {
  (void)call, (void)model;
  return REC_OK;
}
static int64_t tensor_count(const rec_plugin_model_t* model) {
  (void)model;
#ifdef EVIL_TENSORS
  return 1;
#else
  return 0;
#endif
}
static rec_status_t tensor_info(rec_call_t* call, const rec_plugin_model_t* model, int64_t i, rec_tensor_info_t* out) {
  (void)call, (void)model, (void)i;
#ifdef EVIL_TENSOR_NAME
  out->name = EVIL_TENSOR_NAME;
#else
  out->name = "huge";
#endif
  out->dtype = REC_DTYPE_F32;
  out->kind = REC_TENSOR_PARAMETER;
  out->n_dims = 2;
  out->shape[0] = out->shape[1] = (int64_t)1 << 40;
  return REC_OK;
}
static rec_status_t get_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, void* out) {
  (void)call, (void)model, (void)i, (void)out;
  return REC_OK;
}
static rec_status_t set_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, const void* data) {
  (void)call, (void)model, (void)i, (void)data;
  return REC_OK;
}
static rec_status_t freeze(rec_call_t* call, rec_plugin_model_t* model) {
  (void)call, (void)model;
  return REC_OK;
}
static rec_status_t get_table(rec_call_t* call, const rec_plugin_model_t* model, int32_t which,
                              rec_tensor_view_t* out) {
  (void)call, (void)model;
  memset(out, 0, sizeof *out);
  out->data = table_values;
  out->dtype = REC_DTYPE_F32;
  out->n_dims = 2;
  out->device_type = REC_DEVICE_CPU;
  out->shape[0] = which == REC_TABLE_USER ? 1 : 2;
  out->shape[1] = out->strides[0] = out->strides[1] = 1;
#ifdef EVIL_TABLE
  out->shape[0] = 3; /* there are two items */
#endif
#ifdef EVIL_WIDE
  out->shape[1] = out->strides[0] = which == REC_TABLE_USER ? 1 : 2;
#endif
#ifdef EVIL_NAN
  memset(table_values, 0xff, sizeof table_values);
#endif
  return REC_OK;
}

#ifdef EVIL_WEIGHTS /* rows without their columns */
static rec_status_t item_weights(rec_call_t* call, const rec_plugin_model_t* model, rec_csr_t* out,
                                 const float** weights) {
  static int64_t offsets[64];
  (void)call, (void)model;
  for (int i = 1; i < 64; ++i) offsets[i] = 1;
  out->offsets = offsets;
  out->n_rows = out->n_columns = 2;
  *weights = table_values;
  return REC_OK;
}
#define EVIL_CAPABILITIES (REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS)
#define encode NULL
#else
#define item_weights NULL
#endif
#ifdef EVIL_FEATURES
#define EVIL_CAPABILITIES (REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE)
static rec_status_t encode(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries, float* out) {
  (void)call, (void)model, (void)queries, (void)out;
  return REC_OK;
}
#elif defined(EVIL_ENCODES) /* vectors with this number */
#define EVIL_CAPABILITIES (REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE)
static rec_status_t encode(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries, float* out) {
  (void)call, (void)model, (void)queries;
  out[0] = EVIL_ENCODES;
  return REC_OK;
}
#elif defined(SCORES_TOO) /* not evil: tables come first */
#define EVIL_CAPABILITIES (REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_SCORE)
#define encode NULL
static rec_status_t score(rec_call_t* call, const rec_plugin_model_t* model, const rec_batch_t* queries, float* out) {
  (void)model, (void)queries, (void)out;
  return host->fail(call, REC_INTERNAL, "not asked");
}
#elif !defined(EVIL_WEIGHTS)
#define EVIL_CAPABILITIES (REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE)
#define encode NULL
#endif
#ifndef SCORES_TOO
#define score NULL
#endif

static const rec_plugin_t table = {
    REC_PLUGIN_IDENTITY,
    "",
    1,
    0,
    EVIL_CAPABILITIES,
    NULL,
    0,
    init,
    plan,
#ifdef EVIL_MISSING_SLOT
    NULL,
#else
    create,
#endif
    destroy,
    initialize,
    bind,
    compute,
    apply,
    NULL,
    NULL,
    tensor_count,
    tensor_info,
    get_tensor,
    set_tensor,
    NULL,
    freeze,
    get_table,
    item_weights,
    encode,
    score,
};

#if defined(EVIL_NULL_TABLE)
REC_PLUGIN_ENTRY(NULL)
#elif defined(OLD_TABLE) /* not evil: compiled when the table ended before warm_start, with other memory after it */
static const rec_plugin_t* old_table(void) {
  static rec_plugin_t old;
  old = table;
  old.struct_size = offsetof(rec_plugin_t, warm_start);
  memset((char*)&old + old.struct_size, 0xee, sizeof old - old.struct_size);
  return &old;
}
REC_PLUGIN_ENTRY(old_table())
#elif defined(EVIL_OTHER_MINOR) || defined(EVIL_OTHER_VERSION)
static const rec_plugin_t* other_table(void) {
  static rec_plugin_t other;
  other = table;
#ifdef EVIL_OTHER_MINOR
  other.min_host_minor = EVIL_OTHER_MINOR;
#else
  other.version = EVIL_OTHER_VERSION;
#endif
  return &other;
}
REC_PLUGIN_ENTRY(other_table())
#else
#ifdef EVIL_CRASH
__attribute__((constructor)) static void crash(void) { *(volatile int*)8 = 1; }
#endif
REC_PLUGIN_ENTRY(&table)
#endif
