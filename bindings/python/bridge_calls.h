/* Calls with struct arguments, flat, so that typemaps can fill them; Python's lock is not held. SWIG reads this file.
 */
#ifndef RECORE_BRIDGE_CALLS_H
#define RECORE_BRIDGE_CALLS_H

#include "rec_c_api.h"

rec_status_t rec_py_dataset_create_from_columns(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                                int64_t n_times, const float* weights, int64_t n_weights,
                                                const int32_t* parts, int64_t n_parts, const float* labels,
                                                int64_t n_labels, const int64_t* impressions, int64_t n_impressions,
                                                const rec_ids_t* title_items, const rec_ids_t* titles,
                                                int64_t memory_limit_bytes, rec_dataset_t** out_dataset,
                                                rec_error_t** out_error);
rec_status_t rec_py_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                          const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                          const rec_ids_t* candidates, const int64_t* candidate_offsets, int64_t n_candidate_offsets,
                          const uint8_t* allow_bits, int64_t n_allow_bytes, const uint8_t* deny_bits,
                          int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows, float* out_scores,
                          int64_t n_out_scores, int32_t* out_row_status, int64_t n_out_row_status,
                          rec_error_t** out_error);
rec_status_t rec_py_score(const rec_recommender_t* recommender, const rec_ids_t* users, const rec_ids_t* history_items,
                          const int64_t* history_offsets, int64_t n_history_offsets, const rec_ids_t* candidates,
                          const int64_t* candidate_offsets, int64_t n_candidate_offsets, float* out_scores,
                          int64_t n_out_scores, int32_t* out_row_status, int64_t n_out_row_status,
                          rec_error_t** out_error);
rec_status_t rec_py_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                  int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                  int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error);

#endif
