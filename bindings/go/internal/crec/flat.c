#include "flat.h"

/* ---- failures ---- */

rec_flat_failure_t rec_flat_failure(rec_status_t status, const rec_error_t* error) {
  rec_flat_failure_t failure = {status, rec_status_name(status), "", "", -1, -1};
  if (error == NULL) return failure;
  failure.message = rec_error_message(error);
  failure.argument = rec_error_argument(error);
  failure.file = rec_error_file(error);
  failure.line = rec_error_line(error);
  failure.byte_offset = rec_error_byte_offset(error);
  return failure;
}

/* ---- data, training and evaluation ---- */

/* One element for each id. What is NULL is for the library to judge. */
static int fits(const void* column, int64_t n, const rec_ids_t* ids) {
  return column == NULL || ids == NULL || n == ids->n;
}

rec_status_t rec_flat_dataset_create(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                     int64_t n_times, const float* weights, int64_t n_weights, const int32_t* parts,
                                     int64_t n_parts, const float* labels, int64_t n_labels, const int64_t* impressions,
                                     int64_t n_impressions, const rec_ids_t* title_items, const rec_ids_t* titles,
                                     int64_t memory_limit_bytes, rec_dataset_t** out_dataset, rec_error_t** out_error) {
  rec_columns_t columns;
  const rec_status_t status = rec_columns_init(&columns, sizeof columns, out_error);
  if (status != REC_OK) return status;
  if (!fits(times, n_times, users) || !fits(weights, n_weights, users) || !fits(parts, n_parts, users) ||
      !fits(labels, n_labels, users) || !fits(impressions, n_impressions, users))
    return REC_INVALID_ARGUMENT;
  columns.users = users;
  columns.items = items;
  columns.times = times;
  columns.weights = weights;
  columns.parts = parts;
  columns.labels = labels;
  columns.impressions = impressions;
  columns.title_items = title_items;
  columns.titles = titles;
  columns.memory_limit_bytes = memory_limit_bytes;
  return rec_dataset_create_from_columns(&columns, out_dataset, out_error);
}

rec_status_t rec_flat_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                     const rec_trainer_options_t* options, const rec_protocol_t* protocol,
                                     rec_trainer_t** out_trainer, rec_error_t** out_error) {
  rec_trainer_options_t all;
  const rec_status_t status = rec_trainer_options_init(&all, sizeof all, out_error);
  if (status != REC_OK) return status;
  if (options != NULL) all = *options;
  all.protocol = protocol;
  return rec_trainer_create(dataset, model, params_json, &all, out_trainer, out_error);
}

rec_status_t rec_flat_trainer_run(rec_trainer_t* trainer, rec_event_fn on_event, void* user_data, rec_cancel_t* cancel,
                                  rec_error_t** out_error) {
  rec_run_options_t options;
  const rec_status_t status = rec_run_options_init(&options, sizeof options, out_error);
  if (status != REC_OK) return status;
  options.on_event = on_event;
  options.user_data = user_data;
  options.cancel = cancel;
  return rec_trainer_run(trainer, &options, out_error);
}

rec_status_t rec_flat_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                     const rec_protocol_t* protocol, int32_t threads, int32_t isolation,
                                     rec_cancel_t* cancel, rec_report_t** out_report, rec_error_t** out_error) {
  rec_run_options_t options;
  const rec_status_t status = rec_run_options_init(&options, sizeof options, out_error);
  if (status != REC_OK) return status;
  options.threads = threads;
  options.isolation = isolation;
  options.cancel = cancel;
  return rec_model_evaluate(model, dataset, metrics, protocol, &options, out_report, out_error);
}

rec_status_t rec_flat_report_rows(const rec_report_t* report, rec_flat_rows_t* out_rows, rec_error_t** out_error) {
  rec_status_t status = rec_report_counts(report, &out_rows->n_metrics, &out_rows->n_rows, out_error);
  if (status == REC_OK) status = rec_report_get_values(report, &out_rows->values, out_error);
  if (status == REC_OK) status = rec_report_get_users(report, &out_rows->users, out_error);
  return status;
}

/* ---- serving ---- */

static int fits_lists(const int64_t* offsets, int64_t n_offsets, const rec_ids_t* users) {
  return fits(offsets, n_offsets - 1, users);
}

/* At least k elements for each id. */
static int has_room(const void* out, int64_t n_out, const rec_ids_t* ids, int64_t k) {
  return out == NULL || ids == NULL || k < 1 || ids->n < 1 || n_out / ids->n >= k;
}

static rec_status_t make_request(rec_request_t* request, const rec_ids_t* users, const rec_ids_t* history_items,
                                 const int64_t* history_offsets, int64_t n_history_offsets,
                                 const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                                 int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                                 int64_t n_candidate_offsets, rec_error_t** out_error) {
  const rec_status_t status = rec_request_init(request, sizeof *request, out_error);
  if (status != REC_OK) return status;
  if (!fits_lists(history_offsets, n_history_offsets, users) ||
      !fits_lists(candidate_offsets, n_candidate_offsets, users) ||
      !fits(history_times, n_history_times, history_items) || !fits(request_times, n_request_times, users))
    return REC_INVALID_ARGUMENT;
  request->users = users;
  request->history_items = history_items;
  request->history_offsets = history_offsets;
  request->history_times = history_times;
  request->request_times = request_times;
  request->candidates = candidates;
  request->candidate_offsets = candidate_offsets;
  return REC_OK;
}

rec_status_t rec_flat_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, const uint8_t* allow_bits, int64_t n_allow_bytes,
                            const uint8_t* deny_bits, int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows,
                            float* out_scores, int64_t n_out_scores, int32_t* out_row_status, int64_t n_out_row_status,
                            rec_error_t** out_error) {
  rec_request_t request;
  const rec_status_t status =
      make_request(&request, users, history_items, history_offsets, n_history_offsets, history_times, n_history_times,
                   request_times, n_request_times, candidates, candidate_offsets, n_candidate_offsets, out_error);
  if (status != REC_OK) return status;
  if (!has_room(out_rows, n_out_rows, users, k) || !has_room(out_scores, n_out_scores, users, k) ||
      !has_room(out_row_status, n_out_row_status, users, 1))
    return REC_INVALID_ARGUMENT;
  request.k = k;
  request.allow_bits = allow_bits;
  request.n_allow_bytes = n_allow_bytes;
  request.deny_bits = deny_bits;
  request.n_deny_bytes = n_deny_bytes;
  return rec_recommender_top_k(recommender, &request, out_rows, out_scores, out_row_status, out_error);
}

rec_status_t rec_flat_recommend(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                                int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error) {
  return rec_flat_top_k(recommender, k, users, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, NULL, 0,
                        out_rows, n_out_rows, out_scores, n_out_scores, out_row_status, n_out_row_status, out_error);
}

rec_status_t rec_flat_score(const rec_recommender_t* recommender, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, float* out_scores, int64_t n_out_scores,
                            int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error) {
  rec_request_t request;
  const rec_status_t status =
      make_request(&request, users, history_items, history_offsets, n_history_offsets, history_times, n_history_times,
                   request_times, n_request_times, candidates, candidate_offsets, n_candidate_offsets, out_error);
  if (status != REC_OK) return status;
  if (!has_room(out_row_status, n_out_row_status, users, 1)) return REC_INVALID_ARGUMENT;
  if (candidates != NULL && (candidate_offsets != NULL ? n_out_scores < candidates->n
                                                       : !has_room(out_scores, n_out_scores, users, candidates->n)))
    return REC_INVALID_ARGUMENT;
  return rec_recommender_score(recommender, &request, out_scores, out_row_status, out_error);
}

rec_status_t rec_flat_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                    int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                    int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error) {
  if (!has_room(out_rows, n_out_rows, items, k) || !has_room(out_scores, n_out_scores, items, k) ||
      !has_room(out_row_status, n_out_row_status, items, 1))
    return REC_INVALID_ARGUMENT;
  return rec_recommender_similar_items(recommender, items, k, out_rows, out_scores, out_row_status, out_error);
}

/* ---- vectors: DLPack 1.x, https://dmlc.github.io/dlpack/latest/c_api.html ---- */

struct DLManagedTensorVersioned {
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
};

rec_flat_matrix_t rec_flat_matrix(const struct DLManagedTensorVersioned* tensor) {
  rec_flat_matrix_t matrix;
  matrix.data = (const float*)((const char*)tensor->tensor.data + tensor->tensor.byte_offset);
  matrix.n = tensor->tensor.shape[0];
  matrix.d = tensor->tensor.shape[1];
  return matrix;
}

void rec_flat_matrix_end(struct DLManagedTensorVersioned* tensor) {
  if (tensor->deleter != NULL) tensor->deleter(tensor);
}
