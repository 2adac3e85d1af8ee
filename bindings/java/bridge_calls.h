/* Calls with struct arguments, callbacks or lent memory, flat, so that typemaps can fill them. SWIG reads this file. */
#ifndef RECORE_BRIDGE_CALLS_H
#define RECORE_BRIDGE_CALLS_H

#include <jni.h>

#include "rec_c_api.h"

/* Kinds of handles, for rec_java_end. */
#define REC_JAVA_CANCEL 1
#define REC_JAVA_DATASET 2
#define REC_JAVA_TRAINER 3
#define REC_JAVA_MODEL 4
#define REC_JAVA_REPORT 5
#define REC_JAVA_RECOMMENDER 6
#define REC_JAVA_TENSOR 7

/* Ends what raw stands for; a handle that is closed already is left alone, a tensor must not be. */
void rec_java_end(int32_t kind, int64_t raw);

/* Lines of this level and above go to io.recore.Log.handle, on the thread that is in a long call or in rec_java_log_poll. */
rec_status_t rec_java_log_open(int32_t level, rec_error_t** out_error);
rec_status_t rec_java_log_poll(rec_error_t** out_error);

rec_status_t rec_java_dataset_create_from_columns(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                                  int64_t n_times, const float* weights, int64_t n_weights,
                                                  const int32_t* parts, int64_t n_parts, const float* labels,
                                                  int64_t n_labels, const int64_t* impressions, int64_t n_impressions,
                                                  const rec_ids_t* title_items, const rec_ids_t* titles,
                                                  int64_t memory_limit_bytes, rec_dataset_t** out_dataset,
                                                  rec_error_t** out_error);

rec_status_t rec_java_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                     const rec_trainer_options_t* options, const rec_protocol_t* protocol,
                                     rec_trainer_t** out_trainer, rec_error_t** out_error);
/*
 * listener, nullable, is a Predicate<Event>: called on this thread for each kind whose bit 1 << kind is in kinds.
 * False from it ends the call with CANCELLED; what it throws does too, and is thrown here.
 */
rec_status_t rec_java_trainer_run(JNIEnv* env, rec_trainer_t* trainer, jobject listener, int32_t kinds,
                                  rec_cancel_t* cancel, rec_error_t** out_error);
rec_status_t rec_java_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                     const rec_protocol_t* protocol, int32_t isolation, rec_cancel_t* cancel,
                                     rec_report_t** out_report, rec_error_t** out_error);

/* Copies: the values [n_rows] of one metric, the user rows [n_rows]. */
jdoubleArray rec_java_report_values(JNIEnv* env, const rec_report_t* report, int64_t metric);
jlongArray rec_java_report_users(JNIEnv* env, const rec_report_t* report);

rec_status_t rec_java_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, const uint8_t* allow_bits, int64_t n_allow_bytes,
                            const uint8_t* deny_bits, int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows,
                            float* out_scores, int64_t n_out_scores, int32_t* out_row_status, int64_t n_out_row_status,
                            rec_error_t** out_error);
rec_status_t rec_java_score(const rec_recommender_t* recommender, const rec_ids_t* users,
                            const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                            const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                            int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                            int64_t n_candidate_offsets, float* out_scores, int64_t n_out_scores,
                            int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error);
rec_status_t rec_java_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                    int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                    int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error);

#endif
