#include "bridge.h"

#include <stdlib.h>
#include <string.h>

/* ---- errors and texts ---- */

static rec_go_failure_t no_memory = {REC_OUT_OF_MEMORY, NULL};

rec_go_failure_t* rec_go_fail(rec_status_t status, rec_error_t* error) {
  rec_go_failure_t* failure;
  if (status == REC_OK) return NULL;
  failure = malloc(sizeof *failure);
  if (failure == NULL) {
    rec_error_destroy(error);
    return &no_memory;
  }
  failure->status = status;
  failure->error = error;
  return failure;
}

rec_go_failure_t* rec_go_failure(int64_t number) { return (rec_go_failure_t*)(intptr_t)number; }

void rec_go_failure_end(rec_go_failure_t* failure) {
  if (failure == &no_memory) return;
  rec_error_destroy(failure->error);
  free(failure);
}

const char* rec_go_text(uintptr_t text) { return rec_text_data((rec_text_t*)text); }
void rec_go_text_end(uintptr_t text) { rec_text_destroy((rec_text_t*)text); }

/* ---- ids ---- */

#define IDS(x) ids_of(&x##_ids, x##_type, x##_i64, x##_bytes, x##_offsets, n_##x)

static const rec_ids_t* ids_of(rec_ids_t* ids, int32_t type, const int64_t* i64, const char* bytes,
                               const int64_t* offsets, int64_t n) {
  if (type == 0) return NULL;
  memset(ids, 0, sizeof *ids);
  ids->struct_size = sizeof *ids;
  ids->type = type;
  ids->i64 = i64;
  ids->bytes = bytes;
  ids->offsets = offsets;
  ids->n = n;
  return ids;
}

rec_go_handle_t rec_go_dataset_create(REC_GO_IDS(users), REC_GO_IDS(items), const int64_t* times, const float* weights,
                                      const int32_t* parts, const float* labels, const int64_t* impressions,
                                      REC_GO_IDS(title_items), REC_GO_IDS(titles), int64_t memory_limit_bytes) {
  rec_ids_t users_ids, items_ids, title_items_ids, titles_ids;
  rec_columns_t columns;
  rec_error_t* error = NULL;
  rec_dataset_t* dataset = NULL;
  rec_status_t status = rec_columns_init(&columns, sizeof columns, &error);
  if (status == REC_OK) {
    columns.users = IDS(users);
    columns.items = IDS(items);
    columns.times = times;
    columns.weights = weights;
    columns.parts = parts;
    columns.labels = labels;
    columns.impressions = impressions;
    columns.title_items = IDS(title_items);
    columns.titles = IDS(titles);
    columns.memory_limit_bytes = memory_limit_bytes;
    status = rec_dataset_create_from_columns(&columns, &dataset, &error);
  }
  return (rec_go_handle_t){rec_go_fail(status, error), (uintptr_t)dataset};
}

/* ---- long calls ---- */

/* Written in Go, bridge.go. */
extern int32_t recoreGoEvent(rec_event_t* event, uintptr_t callback);
extern void recoreGoLog(int32_t level, char* message, uintptr_t callback);
extern void recoreGoLogEnd(uintptr_t callback);

static rec_status_t on_event(const rec_event_t* event, void* user_data) {
  return recoreGoEvent((rec_event_t*)event, (uintptr_t)user_data);
}
static void on_log(int32_t level, const char* message, void* user_data) {
  recoreGoLog(level, (char*)message, (uintptr_t)user_data);
}
static void on_log_end(void* user_data) { recoreGoLogEnd((uintptr_t)user_data); }

rec_go_handle_t rec_go_trainer_create(uintptr_t dataset, const char* model, const char* params, uintptr_t options,
                                      uintptr_t protocol) {
  rec_error_t* error = NULL;
  rec_trainer_t* trainer = NULL;
  rec_trainer_options_t* given = (rec_trainer_options_t*)options;
  rec_status_t status;
  given->protocol = (const rec_protocol_t*)protocol;
  status = rec_trainer_create((const rec_dataset_t*)dataset, model, params, given, &trainer, &error);
  given->protocol = NULL;
  return (rec_go_handle_t){rec_go_fail(status, error), (uintptr_t)trainer};
}

rec_go_failure_t* rec_go_trainer_run(uintptr_t trainer, uintptr_t callback, uintptr_t cancel) {
  rec_run_options_t options;
  rec_error_t* error = NULL;
  rec_status_t status = rec_run_options_init(&options, sizeof options, &error);
  if (status == REC_OK) {
    options.on_event = callback != 0 ? on_event : NULL;
    options.user_data = (void*)callback;
    options.cancel = (rec_cancel_t*)cancel;
    status = rec_trainer_run((rec_trainer_t*)trainer, &options, &error);
  }
  return rec_go_fail(status, error);
}

rec_go_handle_t rec_go_evaluate(uintptr_t model, uintptr_t dataset, const char* metrics, uintptr_t protocol,
                                int32_t threads, int32_t isolation, uintptr_t cancel) {
  rec_run_options_t options;
  rec_error_t* error = NULL;
  rec_report_t* report = NULL;
  rec_status_t status = rec_run_options_init(&options, sizeof options, &error);
  if (status == REC_OK) {
    options.threads = threads;
    options.isolation = isolation;
    options.cancel = (rec_cancel_t*)cancel;
    status = rec_model_evaluate((const rec_model_t*)model, (const rec_dataset_t*)dataset, metrics,
                                (const rec_protocol_t*)protocol, &options, &report, &error);
  }
  return (rec_go_handle_t){rec_go_fail(status, error), (uintptr_t)report};
}

rec_go_failure_t* rec_go_log_open(int32_t level, uintptr_t callback) {
  rec_error_t* error = NULL;
  const int on = callback != 0;
  const rec_status_t status =
      rec_log_set_sink(on ? on_log : NULL, level, (void*)callback, on ? on_log_end : NULL, &error);
  return rec_go_fail(status, error);
}

rec_go_failure_t* rec_go_log_poll(int64_t* out_dropped) {
  rec_error_t* error = NULL;
  const rec_status_t status = rec_log_poll(out_dropped, &error);
  return rec_go_fail(status, error);
}

/* ---- reports and models ---- */

rec_go_metric_t rec_go_report_metric(uintptr_t report, int64_t metric) {
  rec_error_t* error = NULL;
  rec_go_metric_t out = {NULL, NULL, 0};
  const rec_status_t status =
      rec_report_get_metric((const rec_report_t*)report, metric, &out.name, &out.mean, &error);
  out.failure = rec_go_fail(status, error);
  return out;
}

rec_go_rows_t rec_go_report_rows(uintptr_t report) {
  rec_error_t* error = NULL;
  rec_go_rows_t out = {NULL, NULL, NULL};
  rec_status_t status = rec_report_get_values((const rec_report_t*)report, &out.values, &error);
  if (status == REC_OK) status = rec_report_get_users((const rec_report_t*)report, &out.users, &error);
  out.failure = rec_go_fail(status, error);
  return out;
}

rec_go_ids_t rec_go_model_ids(uintptr_t model, int32_t what, const int64_t* rows, int64_t n_rows) {
  rec_ids_t ids;
  rec_text_t* owner = NULL;
  rec_error_t* error = NULL;
  const rec_model_t* from = (const rec_model_t*)model;
  rec_status_t status = rec_ids_init(&ids, sizeof ids, &error);
  if (status == REC_OK)
    status = what == REC_GO_ITEM_IDS   ? rec_model_item_ids(from, rows, n_rows, &ids, &owner, &error)
             : what == REC_GO_USER_IDS ? rec_model_user_ids(from, rows, n_rows, &ids, &owner, &error)
                                       : rec_model_item_titles(from, rows, n_rows, &ids, &owner, &error);
  return (rec_go_ids_t){rec_go_fail(status, error), ids.type, ids.i64, ids.bytes, ids.offsets, (uintptr_t)owner};
}

rec_go_failure_t* rec_go_model_rows(uintptr_t model, int32_t what, REC_GO_IDS(ids), int64_t* out_rows) {
  rec_ids_t ids_ids;
  rec_error_t* error = NULL;
  const rec_model_t* from = (const rec_model_t*)model;
  const rec_status_t status = what == REC_GO_USER_IDS ? rec_model_user_rows(from, IDS(ids), out_rows, &error)
                                                      : rec_model_item_rows(from, IDS(ids), out_rows, &error);
  return rec_go_fail(status, error);
}

/* DLPack 1.x, https://dmlc.github.io/dlpack/latest/c_api.html */
typedef struct DLManagedTensorVersioned {
  struct {
    uint32_t major, minor;
  } version;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned* self);
  uint64_t flags;
  struct {
    void* data;
    int32_t device_type, device_id;
    int32_t ndim;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t* shape;
    int64_t* strides;
    uint64_t byte_offset;
  } tensor;
} DLManagedTensorVersioned;

rec_go_vectors_t rec_go_model_vectors(uintptr_t model, int32_t what) {
  rec_error_t* error = NULL;
  DLManagedTensorVersioned* tensor = NULL;
  const rec_model_t* from = (const rec_model_t*)model;
  rec_go_vectors_t out = {NULL, NULL, NULL, 0, 0};
  const rec_status_t status = what == REC_GO_USER_IDS ? rec_model_user_vectors(from, &tensor, &error)
                                                      : rec_model_item_vectors(from, &tensor, &error);
  out.failure = rec_go_fail(status, error);
  if (tensor == NULL) return out;
  out.owner = tensor;
  out.data = (const float*)((const char*)tensor->tensor.data + tensor->tensor.byte_offset);
  out.n = tensor->tensor.shape[0];
  out.d = tensor->tensor.shape[1];
  return out;
}

void rec_go_vectors_end(void* owner) {
  DLManagedTensorVersioned* tensor = owner;
  if (tensor->deleter != NULL) tensor->deleter(tensor);
}

rec_go_handle_t rec_go_model_load_bytes(const char* data, int64_t n_data, int64_t memory_limit_bytes) {
  rec_load_options_t options;
  rec_error_t* error = NULL;
  rec_model_t* model = NULL;
  rec_status_t status = rec_load_options_init(&options, sizeof options, &error);
  options.memory_limit_bytes = memory_limit_bytes;
  if (status == REC_OK) status = rec_model_load_bytes(data, n_data, &options, &model, &error);
  return (rec_go_handle_t){rec_go_fail(status, error), (uintptr_t)model};
}

/* ---- serving ---- */

rec_go_failure_t* rec_go_top_k(uintptr_t recommender, int64_t k, REC_GO_IDS(users), REC_GO_IDS(history),
                               const int64_t* history_lists, const int64_t* history_times, const int64_t* request_times,
                               REC_GO_IDS(candidates), const int64_t* candidate_lists, const uint8_t* allow,
                               int64_t n_allow, const uint8_t* deny, int64_t n_deny, int64_t* out_rows,
                               float* out_scores, int32_t* out_status) {
  rec_ids_t users_ids, history_ids, candidates_ids;
  rec_request_t request;
  rec_error_t* error = NULL;
  rec_status_t status = rec_request_init(&request, sizeof request, &error);
  if (status == REC_OK) {
    request.k = k;
    request.users = IDS(users);
    request.history_items = IDS(history);
    request.history_offsets = history_lists;
    request.history_times = history_times;
    request.request_times = request_times;
    request.candidates = IDS(candidates);
    request.candidate_offsets = candidate_lists;
    request.allow_bits = allow;
    request.n_allow_bytes = n_allow;
    request.deny_bits = deny;
    request.n_deny_bytes = n_deny;
    status = rec_recommender_top_k((const rec_recommender_t*)recommender, &request, out_rows, out_scores, out_status,
                                   &error);
  }
  return rec_go_fail(status, error);
}

rec_go_failure_t* rec_go_score(uintptr_t recommender, REC_GO_IDS(users), REC_GO_IDS(history),
                               const int64_t* history_lists, const int64_t* history_times, const int64_t* request_times,
                               REC_GO_IDS(candidates), const int64_t* candidate_lists, float* out_scores,
                               int32_t* out_status) {
  rec_ids_t users_ids, history_ids, candidates_ids;
  rec_request_t request;
  rec_error_t* error = NULL;
  rec_status_t status = rec_request_init(&request, sizeof request, &error);
  if (status == REC_OK) {
    request.users = IDS(users);
    request.history_items = IDS(history);
    request.history_offsets = history_lists;
    request.history_times = history_times;
    request.request_times = request_times;
    request.candidates = IDS(candidates);
    request.candidate_offsets = candidate_lists;
    status = rec_recommender_score((const rec_recommender_t*)recommender, &request, out_scores, out_status, &error);
  }
  return rec_go_fail(status, error);
}

rec_go_failure_t* rec_go_similar(uintptr_t recommender, REC_GO_IDS(items), int64_t k, int64_t* out_rows,
                                 float* out_scores, int32_t* out_status) {
  rec_ids_t items_ids;
  rec_error_t* error = NULL;
  const rec_status_t status = rec_recommender_similar_items((const rec_recommender_t*)recommender, IDS(items), k,
                                                            out_rows, out_scores, out_status, &error);
  return rec_go_fail(status, error);
}
