/*
 * The parameters that Java and Python have typemaps for. A language defines the macros, then includes this. Kinds of arrays
 * are named as in Python's struct: 'q' int64, 'i' int32, 'f' float32, 'd' float64, 'B' bytes.
 */
%recore_handle(rec_dataset_t)
%recore_handle(rec_trainer_t)
%recore_handle(rec_model_t)
%recore_handle(rec_report_t)
%recore_handle(rec_recommender_t)
%recore_handle(rec_tuner_t)
%ignore rec_cancel_create; /* instead, a call asks at its ticks whether to go on */
%ignore rec_cancel_request;
%ignore rec_cancel_destroy;

%recore_out_int64(out_n_users)
%recore_out_int64(out_n_items)
%recore_out_int64(out_n_interactions)
%recore_out_int64(out_n_metrics)
%recore_out_int64(out_n_rows)
%recore_out_int64(out_n)
%recore_out_int64(out_trial)
%recore_out_int32(out_prune)

%recore_array(const int64_t*, 'q', 0, rows, n_rows)
%recore_array(const int64_t*, 'q', 0, times, n_times)
%recore_array(const float*, 'f', 0, weights, n_weights)
%recore_array(const int32_t*, 'i', 0, parts, n_parts)
%recore_array(const float*, 'f', 0, labels, n_labels)
%recore_array(const int64_t*, 'q', 0, impressions, n_impressions)
%recore_array(const int64_t*, 'q', 0, ranked_offsets, n_ranked_offsets)
%recore_array(const int64_t*, 'q', 0, truth_offsets, n_truth_offsets)
%recore_array(const float*, 'f', 0, gains, n_gains)
%recore_array(const int64_t*, 'q', 0, history_offsets, n_history_offsets)
%recore_array(const int64_t*, 'q', 0, history_times, n_history_times)
%recore_array(const int64_t*, 'q', 0, request_times, n_request_times)
%recore_array(const int64_t*, 'q', 0, candidate_offsets, n_candidate_offsets)
%recore_array(const uint8_t*, 'B', 0, allow_bits, n_allow_bytes)
%recore_array(const uint8_t*, 'B', 0, deny_bits, n_deny_bytes)
%recore_array(const void*, 'B', 0, data, n_data)
%recore_array(int64_t*, 'q', 1, out_rows, n_out_rows)
%recore_array(float*, 'f', 1, out_scores, n_out_scores)
%recore_array(int32_t*, 'i', 1, out_status, n_out_status)
%recore_array(double*, 'd', 1, out_values, n_out_values)
%recore_array(int64_t*, 'q', 1, out_users, n_out_users)
%recore_array(int64_t*, 'q', 1, out_interactions, n_out_interactions)
%recore_array(int64_t*, 'q', 1, out_offsets, n_out_offsets)
%recore_array(int64_t*, 'q', 1, out_items, n_out_items)
%recore_array(int32_t*, 'i', 1, out_relevant, n_out_relevant)

%recore_out_ids(out_ids)
%recore_out_ids(out_titles)

%include "rec.i"
%include "flat.h"
