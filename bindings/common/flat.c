#include "flat.h"

#include <string.h>

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

/* ---- data and reports ---- */

rec_status_t rec_flat_dataset_create(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                     int64_t n_times, const float* weights, int64_t n_weights, const int32_t* parts,
                                     int64_t n_parts, const float* labels, int64_t n_labels, const int64_t* impressions,
                                     int64_t n_impressions, const rec_ids_t* title_items, const rec_ids_t* titles,
                                     const rec_ids_t* more_users, const rec_ids_t* more_items, int32_t time_unit,
                                     int64_t memory_limit_bytes, const rec_run_options_t* run,
                                     rec_dataset_t** out_dataset, rec_error_t** out_error) {
  rec_columns_t columns;
  const rec_status_t status = rec_columns_init(&columns, sizeof columns, out_error);
  if (status != REC_OK) return status;
  columns.users = users;
  columns.items = items;
  columns.times = times;
  columns.n_times = n_times;
  columns.weights = weights;
  columns.n_weights = n_weights;
  columns.parts = parts;
  columns.n_parts = n_parts;
  columns.labels = labels;
  columns.n_labels = n_labels;
  columns.impressions = impressions;
  columns.n_impressions = n_impressions;
  columns.title_items = title_items;
  columns.titles = titles;
  columns.more_users = more_users;
  columns.more_items = more_items;
  columns.time_unit = time_unit;
  columns.memory_limit_bytes = memory_limit_bytes;
  return rec_dataset_create_from_columns(&columns, run, out_dataset, out_error);
}

rec_status_t rec_flat_lists_evaluate(const rec_ids_t* ranked, const int64_t* ranked_offsets, int64_t n_ranked_offsets,
                                     const rec_ids_t* truth, const int64_t* truth_offsets, int64_t n_truth_offsets,
                                     const float* gains, int64_t n_gains, const char* metrics,
                                     rec_report_t** out_report, rec_error_t** out_error) {
  rec_lists_t lists;
  const rec_status_t status = rec_lists_init(&lists, sizeof lists, out_error);
  if (status != REC_OK) return status;
  lists.ranked = ranked;
  lists.ranked_offsets = ranked_offsets;
  lists.n_ranked_offsets = n_ranked_offsets;
  lists.truth = truth;
  lists.truth_offsets = truth_offsets;
  lists.n_truth_offsets = n_truth_offsets;
  lists.gains = gains;
  lists.n_gains = n_gains;
  return rec_lists_evaluate(&lists, metrics, out_report, out_error);
}

rec_status_t rec_flat_report_rows(const rec_report_t* report, double* out_values, int64_t n_out_values, int64_t* out_users,
                                  int64_t n_out_users, int64_t* out_interactions, int64_t n_out_interactions,
                                  rec_error_t** out_error) {
  int64_t n_metrics, n_rows;
  const double* values;
  const int64_t *users, *interactions;
  rec_status_t status = rec_report_counts(report, &n_metrics, &n_rows, out_error);
  if (status == REC_OK) status = rec_report_get_values(report, &values, out_error);
  if (status == REC_OK) status = rec_report_get_users(report, &users, out_error);
  if (status == REC_OK) status = rec_report_get_interactions(report, &interactions, out_error);
  if (status != REC_OK) return status;
  if (n_out_values != n_metrics * n_rows || n_out_users != n_rows || n_out_interactions != n_rows)
    return REC_INVALID_ARGUMENT;
  memcpy(out_values, values, (size_t)n_out_values * sizeof *values);
  memcpy(out_users, users, (size_t)n_out_users * sizeof *users);
  memcpy(out_interactions, interactions, (size_t)n_out_interactions * sizeof *interactions);
  return REC_OK;
}

rec_status_t rec_flat_report_offsets(const rec_report_t* report, int64_t* out_offsets, int64_t n_out_offsets,
                                     rec_error_t** out_error) {
  int64_t n_rows;
  const int64_t* offsets;
  rec_status_t status = rec_report_counts(report, NULL, &n_rows, out_error);
  if (status == REC_OK) status = rec_report_get_lists(report, &offsets, NULL, NULL, NULL, out_error);
  if (status != REC_OK) return status;
  if (n_out_offsets != n_rows + 1) return REC_INVALID_ARGUMENT;
  memcpy(out_offsets, offsets, (size_t)n_out_offsets * sizeof *offsets);
  return REC_OK;
}

rec_status_t rec_flat_report_lists(const rec_report_t* report, int64_t* out_items, int64_t n_out_items, float* out_scores,
                                   int64_t n_out_scores, int32_t* out_relevant, int64_t n_out_relevant,
                                   rec_error_t** out_error) {
  int64_t n_rows;
  const int64_t *offsets, *items;
  const float* scores;
  const uint8_t* relevant;
  rec_status_t status = rec_report_counts(report, NULL, &n_rows, out_error);
  if (status == REC_OK) status = rec_report_get_lists(report, &offsets, &items, &scores, &relevant, out_error);
  if (status != REC_OK) return status;
  if (n_out_items != offsets[n_rows] || n_out_scores != offsets[n_rows] || n_out_relevant != offsets[n_rows])
    return REC_INVALID_ARGUMENT;
  if (n_out_items == 0) return REC_OK;
  memcpy(out_items, items, (size_t)n_out_items * sizeof *items);
  memcpy(out_scores, scores, (size_t)n_out_scores * sizeof *scores);
  for (int64_t i = 0; i < n_out_relevant; ++i) out_relevant[i] = relevant[i];
  return REC_OK;
}

/* ---- serving ---- */

static rec_status_t make_output(rec_output_t* output, int64_t* rows, int64_t n_rows, float* scores, int64_t n_scores,
                                int32_t* row_status, int64_t n_status, rec_error_t** out_error) {
  const rec_status_t status = rec_output_init(output, sizeof *output, out_error);
  if (status != REC_OK) return status;
  output->rows = rows;
  output->n_rows = n_rows;
  output->scores = scores;
  output->n_scores = n_scores;
  output->status = row_status;
  output->n_status = n_status;
  return REC_OK;
}

static rec_status_t make_request(rec_request_t* request, const rec_ids_t* users, const rec_ids_t* history_items,
                                 const int64_t* history_offsets, int64_t n_history_offsets,
                                 const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                                 int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                                 int64_t n_candidate_offsets, rec_error_t** out_error) {
  const rec_status_t status = rec_request_init(request, sizeof *request, out_error);
  if (status != REC_OK) return status;
  request->users = users;
  request->history_items = history_items;
  request->history_offsets = history_offsets;
  request->n_history_offsets = n_history_offsets;
  request->history_times = history_times;
  request->n_history_times = n_history_times;
  request->request_times = request_times;
  request->n_request_times = n_request_times;
  request->candidates = candidates;
  request->candidate_offsets = candidate_offsets;
  request->n_candidate_offsets = n_candidate_offsets;
  return REC_OK;
}

rec_status_t rec_flat_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, const uint8_t* allow_bits, int64_t n_allow_bytes,
                            const uint8_t* deny_bits, int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows,
                            float* out_scores, int64_t n_out_scores, int32_t* out_status, int64_t n_out_status,
                            rec_error_t** out_error) {
  rec_request_t request;
  rec_output_t output;
  rec_status_t status =
      make_request(&request, users, history_items, history_offsets, n_history_offsets, history_times, n_history_times,
                   request_times, n_request_times, candidates, candidate_offsets, n_candidate_offsets, out_error);
  if (status == REC_OK)
    status = make_output(&output, out_rows, n_out_rows, out_scores, n_out_scores, out_status, n_out_status, out_error);
  if (status != REC_OK) return status;
  request.k = k;
  request.allow_bits = allow_bits;
  request.n_allow_bytes = n_allow_bytes;
  request.deny_bits = deny_bits;
  request.n_deny_bytes = n_deny_bytes;
  return rec_recommender_top_k(recommender, &request, &output, out_error);
}

rec_status_t rec_flat_recommend(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                                int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                int32_t* out_status, int64_t n_out_status, rec_error_t** out_error) {
  return rec_flat_top_k(recommender, k, users, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, NULL, 0,
                        out_rows, n_out_rows, out_scores, n_out_scores, out_status, n_out_status, out_error);
}

rec_status_t rec_flat_score(const rec_recommender_t* recommender, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, float* out_scores, int64_t n_out_scores, int32_t* out_status,
                            int64_t n_out_status, rec_error_t** out_error) {
  rec_request_t request;
  rec_output_t output;
  rec_status_t status =
      make_request(&request, users, history_items, history_offsets, n_history_offsets, history_times, n_history_times,
                   request_times, n_request_times, candidates, candidate_offsets, n_candidate_offsets, out_error);
  if (status == REC_OK)
    status = make_output(&output, NULL, 0, out_scores, n_out_scores, out_status, n_out_status, out_error);
  return status == REC_OK ? rec_recommender_score(recommender, &request, &output, out_error) : status;
}

rec_status_t rec_flat_similar(const rec_recommender_t* recommender, int32_t of_users, const rec_ids_t* given, int64_t k,
                              const uint8_t* allow_bits, int64_t n_allow_bytes, const uint8_t* deny_bits,
                              int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows, float* out_scores,
                              int64_t n_out_scores, int32_t* out_status, int64_t n_out_status,
                              rec_error_t** out_error) {
  rec_output_t output;
  const rec_status_t status =
      make_output(&output, out_rows, n_out_rows, out_scores, n_out_scores, out_status, n_out_status, out_error);
  if (status != REC_OK) return status;
  return (of_users != 0 ? rec_recommender_similar_users : rec_recommender_similar_items)(
      recommender, given, k, allow_bits, n_allow_bytes, deny_bits, n_deny_bytes, &output, out_error);
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
