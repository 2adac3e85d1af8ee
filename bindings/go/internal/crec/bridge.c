#include "bridge.h"

#include <stdlib.h>
#include <string.h>

/* ---- errors and texts ---- */

static rec_go_failure_t no_memory;

rec_go_failure_t* rec_go_fail(rec_status_t status, rec_error_t* const* error) {
  rec_go_failure_t* failure;
  if (status == REC_OK) return NULL;
  failure = malloc(sizeof *failure);
  if (failure == NULL) {
    rec_error_destroy(*error);
    no_memory.what = rec_flat_failure(REC_OUT_OF_MEMORY, NULL);
    return &no_memory;
  }
  failure->what = rec_flat_failure(status, *error);
  failure->error = *error;
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

#define IDS(x) ids_of(&x##_ids, x##_type, x##_i64, x##_bytes, n_##x##_bytes, x##_offsets, n_##x)

static const rec_ids_t* ids_of(rec_ids_t* ids, int32_t type, const int64_t* i64, const char* bytes,
                               int64_t n_bytes, const int64_t* offsets, int64_t n) {
  if (type == 0) return NULL;
  memset(ids, 0, sizeof *ids);
  ids->struct_size = sizeof *ids;
  ids->type = type;
  ids->i64 = i64;
  ids->bytes = bytes;
  ids->n_bytes = n_bytes;
  ids->offsets = offsets;
  ids->n = n;
  return ids;
}

rec_go_handle_t rec_go_dataset_create(REC_GO_IDS(users), REC_GO_IDS(items), REC_GO_LIST(int64_t, times),
                                      REC_GO_LIST(float, weights), REC_GO_LIST(int32_t, parts),
                                      REC_GO_LIST(float, labels), REC_GO_LIST(int64_t, impressions),
                                      REC_GO_IDS(title_items), REC_GO_IDS(titles), REC_GO_IDS(more_users),
                                      REC_GO_IDS(more_items), int32_t time_unit, int64_t memory_limit_bytes,
                                      uintptr_t run) {
  rec_ids_t users_ids, items_ids, title_items_ids, titles_ids, more_users_ids, more_items_ids;
  rec_error_t* error = NULL;
  rec_dataset_t* dataset = NULL;
  const rec_status_t status = rec_flat_dataset_create(
      IDS(users), IDS(items), times, n_times, weights, n_weights, parts, n_parts, labels, n_labels, impressions,
      n_impressions, IDS(title_items), IDS(titles), IDS(more_users), IDS(more_items), time_unit, memory_limit_bytes,
      (const rec_run_options_t*)run, &dataset, &error);
  return (rec_go_handle_t){rec_go_fail(status, &error), (uintptr_t)dataset};
}

rec_go_handle_t rec_go_lists_evaluate(REC_GO_IDS(ranked), REC_GO_LIST(int64_t, ranked_lists), REC_GO_IDS(truth),
                                      REC_GO_LIST(int64_t, truth_lists), REC_GO_LIST(float, gains),
                                      const char* metrics) {
  rec_ids_t ranked_ids, truth_ids;
  rec_error_t* error = NULL;
  rec_report_t* report = NULL;
  const rec_status_t status =
      rec_flat_lists_evaluate(IDS(ranked), ranked_lists, n_ranked_lists, IDS(truth), truth_lists, n_truth_lists,
                              gains, n_gains, metrics, &report, &error);
  return (rec_go_handle_t){rec_go_fail(status, &error), (uintptr_t)report};
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

uintptr_t rec_go_run_create(uintptr_t callback, uintptr_t cancel, int32_t threads, int32_t isolation) {
  rec_run_options_t* run = malloc(sizeof *run);
  if (run == NULL) return 0;
  rec_run_options_init(run, sizeof *run, NULL);
  run->on_event = callback != 0 ? on_event : NULL;
  run->user_data = (void*)callback;
  run->cancel = (rec_cancel_t*)cancel;
  run->threads = threads;
  run->isolation = isolation;
  return (uintptr_t)run;
}

void rec_go_run_end(uintptr_t run) { free((void*)run); }

rec_go_failure_t* rec_go_log_open(int32_t level, uintptr_t callback) {
  rec_error_t* error = NULL;
  const int on = callback != 0;
  return rec_go_fail(rec_log_set_sink(on ? on_log : NULL, level, (void*)callback, on ? on_log_end : NULL, &error),
                     &error);
}

rec_go_failure_t* rec_go_log_poll(int64_t* out_dropped) {
  rec_error_t* error = NULL;
  return rec_go_fail(rec_log_poll(out_dropped, &error), &error);
}

/* ---- reports and models ---- */

rec_go_metric_t rec_go_report_metric(uintptr_t report, int64_t metric) {
  rec_error_t* error = NULL;
  rec_go_metric_t out = {NULL, NULL, 0, 0};
  const rec_report_t* of = (const rec_report_t*)report;
  rec_status_t status = rec_report_get_metric(of, metric, &out.name, &out.mean, &error);
  if (status == REC_OK) status = rec_report_get_standard_error(of, metric, &out.standard_error, &error);
  out.failure = rec_go_fail(status, &error);
  return out;
}

rec_go_failure_t* rec_go_report_rows(uintptr_t report, REC_GO_OUT(double, values), REC_GO_OUT(int64_t, users),
                                     REC_GO_OUT(int64_t, interactions)) {
  rec_error_t* error = NULL;
  return rec_go_fail(rec_flat_report_rows((const rec_report_t*)report, values, n_values, users, n_users, interactions,
                                          n_interactions, &error),
                     &error);
}

rec_go_failure_t* rec_go_report_offsets(uintptr_t report, REC_GO_OUT(int64_t, offsets)) {
  rec_error_t* error = NULL;
  return rec_go_fail(rec_flat_report_offsets((const rec_report_t*)report, offsets, n_offsets, &error), &error);
}

rec_go_failure_t* rec_go_report_lists(uintptr_t report, REC_GO_OUT(int64_t, items), REC_GO_OUT(float, scores),
                                      REC_GO_OUT(int32_t, relevant)) {
  rec_error_t* error = NULL;
  return rec_go_fail(rec_flat_report_lists((const rec_report_t*)report, items, n_items, scores, n_scores, relevant,
                                           n_relevant, &error),
                     &error);
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
  return (rec_go_ids_t){rec_go_fail(status, &error), ids.type, ids.i64, ids.bytes, ids.offsets, (uintptr_t)owner};
}

rec_go_ids_t rec_go_dataset_ids(uintptr_t dataset, int32_t what, const int64_t* rows, int64_t n_rows) {
  rec_ids_t ids;
  rec_text_t* owner = NULL;
  rec_error_t* error = NULL;
  const rec_dataset_t* from = (const rec_dataset_t*)dataset;
  rec_status_t status = rec_ids_init(&ids, sizeof ids, &error);
  if (status == REC_OK)
    status = what == REC_GO_ITEM_IDS ? rec_dataset_item_ids(from, rows, n_rows, &ids, &owner, &error)
                                     : rec_dataset_user_ids(from, rows, n_rows, &ids, &owner, &error);
  return (rec_go_ids_t){rec_go_fail(status, &error), ids.type, ids.i64, ids.bytes, ids.offsets, (uintptr_t)owner};
}

rec_go_failure_t* rec_go_model_rows(uintptr_t model, int32_t what, REC_GO_IDS(ids), REC_GO_OUT(int64_t, rows)) {
  rec_ids_t ids_ids;
  rec_error_t* error = NULL;
  const rec_model_t* from = (const rec_model_t*)model;
  return rec_go_fail(what == REC_GO_USER_IDS ? rec_model_user_rows(from, IDS(ids), rows, n_rows, &error)
                                             : rec_model_item_rows(from, IDS(ids), rows, n_rows, &error),
                     &error);
}

rec_go_vectors_t rec_go_model_vectors(uintptr_t model, int32_t what) {
  rec_error_t* error = NULL;
  const rec_model_t* from = (const rec_model_t*)model;
  rec_go_vectors_t out = {NULL, NULL, {NULL, 0, 0}};
  out.failure = rec_go_fail(what == REC_GO_USER_IDS ? rec_model_user_vectors(from, &out.owner, &error)
                                                    : rec_model_item_vectors(from, &out.owner, &error),
                            &error);
  if (out.owner != NULL) out.matrix = rec_flat_matrix(out.owner);
  return out;
}

rec_go_handle_t rec_go_model_load_bytes(const char* data, int64_t n_data, int64_t memory_limit_bytes,
                                        uintptr_t run) {
  rec_load_options_t options;
  rec_error_t* error = NULL;
  rec_model_t* model = NULL;
  rec_status_t status = rec_load_options_init(&options, sizeof options, &error);
  options.memory_limit_bytes = memory_limit_bytes;
  if (status == REC_OK) status = rec_model_load_bytes(data, n_data, &options, (const rec_run_options_t*)run, &model, &error);
  return (rec_go_handle_t){rec_go_fail(status, &error), (uintptr_t)model};
}

/* ---- serving ---- */

rec_go_failure_t* rec_go_top_k(uintptr_t recommender, int64_t k, REC_GO_IDS(users), REC_GO_IDS(history),
                               REC_GO_LIST(int64_t, history_lists), REC_GO_LIST(int64_t, history_times),
                               REC_GO_LIST(int64_t, request_times), REC_GO_IDS(candidates),
                               REC_GO_LIST(int64_t, candidate_lists), REC_GO_LIST(uint8_t, allow),
                               REC_GO_LIST(uint8_t, deny), REC_GO_OUT(int64_t, rows), REC_GO_OUT(float, scores),
                               REC_GO_OUT(int32_t, status)) {
  rec_ids_t users_ids, history_ids, candidates_ids;
  rec_error_t* error = NULL;
  return rec_go_fail(rec_flat_top_k((const rec_recommender_t*)recommender, k, IDS(users), IDS(history), history_lists,
                                    n_history_lists, history_times, n_history_times, request_times, n_request_times,
                                    IDS(candidates), candidate_lists, n_candidate_lists, allow, n_allow, deny, n_deny,
                                    rows, n_rows, scores, n_scores, status, n_status, &error),
                     &error);
}

rec_go_failure_t* rec_go_recommend(uintptr_t recommender, int64_t k, REC_GO_IDS(users), REC_GO_OUT(int64_t, rows),
                                   REC_GO_OUT(float, scores), REC_GO_OUT(int32_t, status)) {
  rec_ids_t users_ids;
  rec_error_t* error = NULL;
  return rec_go_fail(rec_flat_recommend((const rec_recommender_t*)recommender, k, IDS(users), rows, n_rows, scores,
                                        n_scores, status, n_status, &error),
                     &error);
}

rec_go_failure_t* rec_go_score(uintptr_t recommender, REC_GO_IDS(users), REC_GO_IDS(history),
                               REC_GO_LIST(int64_t, history_lists), REC_GO_LIST(int64_t, history_times),
                               REC_GO_LIST(int64_t, request_times), REC_GO_IDS(candidates),
                               REC_GO_LIST(int64_t, candidate_lists), REC_GO_OUT(float, scores),
                               REC_GO_OUT(int32_t, status)) {
  rec_ids_t users_ids, history_ids, candidates_ids;
  rec_error_t* error = NULL;
  return rec_go_fail(
      rec_flat_score((const rec_recommender_t*)recommender, IDS(users), IDS(history), history_lists, n_history_lists,
                     history_times, n_history_times, request_times, n_request_times, IDS(candidates), candidate_lists,
                     n_candidate_lists, scores, n_scores, status, n_status, &error),
      &error);
}

rec_go_failure_t* rec_go_similar(uintptr_t recommender, int32_t of_users, REC_GO_IDS(given), int64_t k, REC_GO_LIST(uint8_t, allow),
                                 REC_GO_LIST(uint8_t, deny), REC_GO_OUT(int64_t, rows), REC_GO_OUT(float, scores),
                                 REC_GO_OUT(int32_t, status)) {
  rec_ids_t given_ids;
  rec_error_t* error = NULL;
  return rec_go_fail(rec_flat_similar((const rec_recommender_t*)recommender, of_users, IDS(given), k, allow, n_allow, deny,
                                      n_deny, rows, n_rows, scores, n_scores, status, n_status, &error),
                     &error);
}
