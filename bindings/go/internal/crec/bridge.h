/*
 * What SWIG cannot express for Go: ids, columns, requests, runs with callbacks, errors and borrowed memory. Every argument
 * is a number or one flat array of numbers, so that cgo has no nested pointers to check. Handles are numbers.
 */
#ifndef RECORE_GO_BRIDGE_H
#define RECORE_GO_BRIDGE_H

#include <stdint.h>

#include "flat.h"

/* Why a call failed; NULL is success. Ended by rec_go_failure_end. */
typedef struct {
  rec_flat_failure_t what;
  rec_error_t* error; /* nullable */
} rec_go_failure_t;

/* Takes *error, by address, so that one expression can make the call and ask why it failed. */
rec_go_failure_t* rec_go_fail(rec_status_t status, rec_error_t* const* error);
rec_go_failure_t* rec_go_failure(int64_t number);
void rec_go_failure_end(rec_go_failure_t* failure);

typedef struct {
  rec_go_failure_t* failure;
  uintptr_t handle;
} rec_go_handle_t;

const char* rec_go_text(uintptr_t text);
void rec_go_text_end(uintptr_t text);

/* A list of ids; type 0 means that no list is given. Other slices are a pointer and a count. */
#define REC_GO_IDS(x) \
  int32_t x##_type, const int64_t *x##_i64, const char *x##_bytes, int64_t n_##x##_bytes, const int64_t *x##_offsets, \
      int64_t n_##x
#define REC_GO_LIST(type, x) const type *x, int64_t n_##x
#define REC_GO_OUT(type, x) type *x, int64_t n_##x

rec_go_handle_t rec_go_dataset_create(REC_GO_IDS(users), REC_GO_IDS(items), REC_GO_LIST(int64_t, times),
                                      REC_GO_LIST(float, weights), REC_GO_LIST(int32_t, parts),
                                      REC_GO_LIST(float, labels), REC_GO_LIST(int64_t, impressions),
                                      REC_GO_IDS(title_items), REC_GO_IDS(titles), REC_GO_IDS(more_users),
                                      REC_GO_IDS(more_items), int32_t time_unit, int64_t memory_limit_bytes,
                                      uintptr_t run);
rec_go_handle_t rec_go_lists_evaluate(REC_GO_IDS(ranked), REC_GO_LIST(int64_t, ranked_lists), REC_GO_IDS(truth),
                                      REC_GO_LIST(int64_t, truth_lists), REC_GO_LIST(float, gains),
                                      const char* metrics);

/* ---- long calls: events go to the Go function of callback, on the thread that is in the call ---- */

/* A rec_run_options_t in C memory; callback 0: no events. NULL if out of memory: the call then runs with the defaults. */
uintptr_t rec_go_run_create(uintptr_t callback, uintptr_t cancel, int32_t threads, int32_t isolation);
void rec_go_run_end(uintptr_t run);
/* callback 0: no more lines. The library ends the callback when another takes its place. */
rec_go_failure_t* rec_go_log_open(int32_t level, uintptr_t callback);
rec_go_failure_t* rec_go_log_poll(int64_t* out_dropped);

/* ---- reports and models: memory that is valid while its owner lives ---- */

typedef struct {
  rec_go_failure_t* failure;
  const char* name;
  double mean, standard_error;
} rec_go_metric_t;
rec_go_metric_t rec_go_report_metric(uintptr_t report, int64_t metric);

rec_go_failure_t* rec_go_report_rows(uintptr_t report, REC_GO_OUT(double, values), REC_GO_OUT(int64_t, users),
                                     REC_GO_OUT(int64_t, interactions));
rec_go_failure_t* rec_go_report_offsets(uintptr_t report, REC_GO_OUT(int64_t, offsets));
rec_go_failure_t* rec_go_report_lists(uintptr_t report, REC_GO_OUT(int64_t, items), REC_GO_OUT(float, scores),
                                      REC_GO_OUT(int32_t, relevant));

#define REC_GO_ITEM_IDS 0
#define REC_GO_USER_IDS 1
#define REC_GO_ITEM_TITLES 2
typedef struct {
  rec_go_failure_t* failure;
  int32_t type;
  const int64_t* i64;
  const char* bytes;
  const int64_t* offsets;
  uintptr_t owner; /* ended by rec_go_text_end */
} rec_go_ids_t;
rec_go_ids_t rec_go_model_ids(uintptr_t model, int32_t what, const int64_t* rows, int64_t n_rows);
rec_go_ids_t rec_go_dataset_ids(uintptr_t dataset, int32_t what, const int64_t* rows, int64_t n_rows);
rec_go_failure_t* rec_go_model_rows(uintptr_t model, int32_t what, REC_GO_IDS(ids), REC_GO_OUT(int64_t, rows));

typedef struct {
  rec_go_failure_t* failure;
  struct DLManagedTensorVersioned* owner; /* ended by rec_flat_matrix_end */
  rec_flat_matrix_t matrix;
} rec_go_vectors_t;
rec_go_vectors_t rec_go_model_vectors(uintptr_t model, int32_t what);

rec_go_handle_t rec_go_model_load_bytes(const char* data, int64_t n_data, int64_t memory_limit_bytes,
                                       uintptr_t run);

/* ---- serving ---- */

rec_go_failure_t* rec_go_top_k(uintptr_t recommender, int64_t k, REC_GO_IDS(users), REC_GO_IDS(history),
                               REC_GO_LIST(int64_t, history_lists), REC_GO_LIST(int64_t, history_times),
                               REC_GO_LIST(int64_t, request_times), REC_GO_IDS(candidates),
                               REC_GO_LIST(int64_t, candidate_lists), REC_GO_LIST(uint8_t, allow),
                               REC_GO_LIST(uint8_t, deny), REC_GO_OUT(int64_t, rows), REC_GO_OUT(float, scores),
                               REC_GO_OUT(int32_t, status));
rec_go_failure_t* rec_go_recommend(uintptr_t recommender, int64_t k, REC_GO_IDS(users), REC_GO_OUT(int64_t, rows),
                                   REC_GO_OUT(float, scores), REC_GO_OUT(int32_t, status));
rec_go_failure_t* rec_go_score(uintptr_t recommender, REC_GO_IDS(users), REC_GO_IDS(history),
                               REC_GO_LIST(int64_t, history_lists), REC_GO_LIST(int64_t, history_times),
                               REC_GO_LIST(int64_t, request_times), REC_GO_IDS(candidates),
                               REC_GO_LIST(int64_t, candidate_lists), REC_GO_OUT(float, scores),
                               REC_GO_OUT(int32_t, status));
rec_go_failure_t* rec_go_similar(uintptr_t recommender, int32_t of_users, REC_GO_IDS(given), int64_t k, REC_GO_LIST(uint8_t, allow),
                                 REC_GO_LIST(uint8_t, deny), REC_GO_OUT(int64_t, rows), REC_GO_OUT(float, scores),
                                 REC_GO_OUT(int32_t, status));

#endif
