/*
 * What the bridges of all languages share: calls whose structs hold pointers, with the fields as parameters, so that
 * typemaps and cgo can fill them. An array is a pointer and its count; NULL = not given. The library checks everything.
 * SWIG reads this file for Java and Python; Go has a copy of it, made by bindings/swig/generate.sh.
 */
#ifndef RECORE_FLAT_H
#define RECORE_FLAT_H

#include <stdint.h>

#include "rec_c_api.h"

rec_status_t rec_flat_dataset_create(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                     int64_t n_times, const float* weights, int64_t n_weights, const int32_t* parts,
                                     int64_t n_parts, const float* labels, int64_t n_labels, const int64_t* impressions,
                                     int64_t n_impressions, const rec_ids_t* title_items, const rec_ids_t* titles,
                                     const rec_ids_t* more_users, const rec_ids_t* more_items, int32_t time_unit,
                                     int64_t memory_limit_bytes, const rec_run_options_t* run,
                                     rec_dataset_t** out_dataset, rec_error_t** out_error);

rec_status_t rec_flat_lists_evaluate(const rec_ids_t* ranked, const int64_t* ranked_offsets, int64_t n_ranked_offsets,
                                     const rec_ids_t* truth, const int64_t* truth_offsets, int64_t n_truth_offsets,
                                     const float* gains, int64_t n_gains, const char* metrics,
                                     rec_report_t** out_report, rec_error_t** out_error);

rec_status_t rec_flat_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, const uint8_t* allow_bits, int64_t n_allow_bytes,
                            const uint8_t* deny_bits, int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows,
                            float* out_scores, int64_t n_out_scores, int32_t* out_status, int64_t n_out_status,
                            rec_error_t** out_error);
/* rec_flat_top_k with users only: the most common request; fewer arguments make a binding faster. */
rec_status_t rec_flat_recommend(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users, int64_t* out_rows,
                                int64_t n_out_rows, float* out_scores, int64_t n_out_scores, int32_t* out_status, int64_t n_out_status,
                                rec_error_t** out_error);
rec_status_t rec_flat_score(const rec_recommender_t* recommender, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, float* out_scores, int64_t n_out_scores, int32_t* out_status,
                            int64_t n_out_status, rec_error_t** out_error);
rec_status_t rec_flat_similar(const rec_recommender_t* recommender, int32_t of_users, const rec_ids_t* given, int64_t k,
                              const uint8_t* allow_bits, int64_t n_allow_bytes, const uint8_t* deny_bits,
                              int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows, float* out_scores,
                              int64_t n_out_scores, int32_t* out_status, int64_t n_out_status,
                              rec_error_t** out_error);

/* Copies what a report lends: the values [n_metrics, n_rows], the users and the interactions [n_rows]. */
rec_status_t rec_flat_report_rows(const rec_report_t* report, double* out_values, int64_t n_out_values, int64_t* out_users,
                                  int64_t n_out_users, int64_t* out_interactions, int64_t n_out_interactions,
                                  rec_error_t** out_error);
/* The same of the lists: their offsets [n_rows + 1], then items, scores and relevant, each as long as the last offset. */
rec_status_t rec_flat_report_offsets(const rec_report_t* report, int64_t* out_offsets, int64_t n_out_offsets,
                                     rec_error_t** out_error);
rec_status_t rec_flat_report_lists(const rec_report_t* report, int64_t* out_items, int64_t n_out_items, float* out_scores,
                                   int64_t n_out_scores, int32_t* out_relevant, int64_t n_out_relevant,
                                   rec_error_t** out_error);

#ifndef SWIG

/* The details of a failed call. The texts are never NULL and live as long as the error, which may be NULL. */
typedef struct {
  rec_status_t status;
  const char *message, *argument, *file;
  int64_t line, byte_offset; /* -1 if unknown */
} rec_flat_failure_t;
rec_flat_failure_t rec_flat_failure(rec_status_t status, const rec_error_t* error);

/* The matrix of a DLPack tensor of the library; the tensor must be ended exactly once. */
typedef struct {
  const float* data; /* [n, d] */
  int64_t n, d;
} rec_flat_matrix_t;
rec_flat_matrix_t rec_flat_matrix(const struct DLManagedTensorVersioned* tensor);
void rec_flat_matrix_end(struct DLManagedTensorVersioned* tensor);

#endif
#endif
