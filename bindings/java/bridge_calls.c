#include "bridge_calls.h"

#include "bridge.h"

static rec_java_known_t* const known = &rec_java_known;

/* ---- log lines, on the thread that is inside the library ---- */

static void log_sink(int32_t level, const char* message, void* user_data) {
  JNIEnv* env = NULL;
  jbyteArray text;
  (void)user_data;
  if ((*known->vm)->GetEnv(known->vm, (void**)&env, JNI_VERSION_1_8) != JNI_OK) return; /* not a thread of Java */
  if ((*env)->ExceptionCheck(env)) return;
  text = rec_java_bytes(env, message);
  if (text != NULL) (*env)->CallStaticVoidMethod(env, known->log, known->handle_line, (jint)level, text);
  if ((*env)->ExceptionCheck(env)) (*env)->ExceptionClear(env); /* a logger that fails does not end the call */
  if (text != NULL) (*env)->DeleteLocalRef(env, text);
}

rec_status_t rec_java_log_open(int32_t level, rec_error_t** out_error) {
  return rec_log_set_sink(log_sink, level, NULL, NULL, out_error);
}

rec_status_t rec_java_log_poll(rec_error_t** out_error) { return rec_log_poll(NULL, out_error); }

/* ---- data ---- */

static int fits(const void* column, int64_t n, const rec_ids_t* users) {
  return column == NULL || users == NULL || n == users->n;
}

rec_status_t rec_java_dataset_create_from_columns(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                                  int64_t n_times, const float* weights, int64_t n_weights,
                                                  const int32_t* parts, int64_t n_parts, const float* labels,
                                                  int64_t n_labels, const int64_t* impressions, int64_t n_impressions,
                                                  const rec_ids_t* title_items, const rec_ids_t* titles,
                                                  int64_t memory_limit_bytes, rec_dataset_t** out_dataset,
                                                  rec_error_t** out_error) {
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

/* ---- training and evaluation ---- */

rec_status_t rec_java_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                     const rec_trainer_options_t* options, const rec_protocol_t* protocol,
                                     rec_trainer_t** out_trainer, rec_error_t** out_error) {
  rec_trainer_options_t all = *options;
  all.protocol = protocol;
  return rec_trainer_create(dataset, model, params_json, &all, out_trainer, out_error);
}

typedef struct {
  JNIEnv* env;
  jobject listener;
  int32_t kinds;
  jthrowable thrown; /* by the listener; thrown again once the library has let go */
} run_t;

static rec_status_t on_event(const rec_event_t* event, void* user_data) {
  run_t* run = user_data;
  JNIEnv* env = run->env;
  jobjectArray names = NULL;
  jdoubleArray values = NULL;
  jboolean go_on = JNI_FALSE;
  jsize i;
  if (run->thrown != NULL) return REC_CANCELLED;
  if ((run->kinds >> event->kind & 1) == 0) return REC_OK;
  if ((*env)->PushLocalFrame(env, 8) == 0) {
    names = (*env)->NewObjectArray(env, (jsize)event->n_metrics, known->bytes, NULL);
    if (names != NULL) values = (*env)->NewDoubleArray(env, (jsize)event->n_metrics);
    for (i = 0; values != NULL && i < event->n_metrics && !(*env)->ExceptionCheck(env); ++i)
      rec_java_put_object(env, names, i, rec_java_bytes(env, event->metric_names[i]));
    if (!(*env)->ExceptionCheck(env)) {
      (*env)->SetDoubleArrayRegion(env, values, 0, (jsize)event->n_metrics, event->metric_values);
      go_on = (*env)->CallStaticBooleanMethod(
          env, known->event, known->deliver_event, run->listener, (jint)event->kind, (jlong)event->epoch,
          (jlong)event->n_epochs, (jlong)event->batch, (jlong)event->n_batches, (jdouble)event->loss,
          (jdouble)event->train_seconds, (jdouble)event->eval_seconds, names, values, (jboolean)event->is_best);
    }
    run->thrown = (*env)->ExceptionOccurred(env);
    if (run->thrown != NULL) (*env)->ExceptionClear(env);
    run->thrown = (*env)->PopLocalFrame(env, run->thrown);
  } else {
    run->thrown = (*env)->ExceptionOccurred(env);
    (*env)->ExceptionClear(env);
  }
  return run->thrown == NULL && go_on ? REC_OK : REC_CANCELLED;
}

rec_status_t rec_java_trainer_run(JNIEnv* env, rec_trainer_t* trainer, jobject listener, int32_t kinds,
                                  rec_cancel_t* cancel, rec_error_t** out_error) {
  run_t run = {env, listener, kinds, NULL};
  rec_run_options_t options;
  rec_status_t status = rec_run_options_init(&options, sizeof options, out_error);
  if (status != REC_OK) return status;
  options.on_event = listener != NULL ? on_event : NULL;
  options.user_data = &run;
  options.cancel = cancel;
  status = rec_trainer_run(trainer, &options, out_error);
  if (run.thrown != NULL) {
    rec_error_destroy(*out_error);
    *out_error = NULL;
    (*env)->Throw(env, run.thrown);
  }
  return status;
}

rec_status_t rec_java_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                     const rec_protocol_t* protocol, int32_t isolation, rec_cancel_t* cancel,
                                     rec_report_t** out_report, rec_error_t** out_error) {
  rec_run_options_t options;
  const rec_status_t status = rec_run_options_init(&options, sizeof options, out_error);
  if (status != REC_OK) return status;
  options.cancel = cancel;
  options.isolation = isolation;
  return rec_model_evaluate(model, dataset, metrics, protocol, &options, out_report, out_error);
}

jdoubleArray rec_java_report_values(JNIEnv* env, const rec_report_t* report, int64_t metric) {
  rec_error_t* error = NULL;
  int64_t n_metrics = 0, n_rows = 0;
  const double* values = NULL;
  jdoubleArray copy;
  rec_status_t status = rec_report_counts(report, &n_metrics, &n_rows, &error);
  if (status == REC_OK && (metric < 0 || metric >= n_metrics)) status = REC_INVALID_ARGUMENT;
  if (status == REC_OK) status = rec_report_get_values(report, &values, &error);
  if (status != REC_OK) return rec_java_throw(env, status, error), NULL;
  copy = (*env)->NewDoubleArray(env, (jsize)n_rows);
  if (copy != NULL) (*env)->SetDoubleArrayRegion(env, copy, 0, (jsize)n_rows, values + metric * n_rows);
  return copy;
}

jlongArray rec_java_report_users(JNIEnv* env, const rec_report_t* report) {
  rec_error_t* error = NULL;
  int64_t n_metrics = 0, n_rows = 0;
  const int64_t* users = NULL;
  jlongArray copy;
  rec_status_t status = rec_report_counts(report, &n_metrics, &n_rows, &error);
  if (status == REC_OK) status = rec_report_get_users(report, &users, &error);
  if (status != REC_OK) return rec_java_throw(env, status, error), NULL;
  copy = (*env)->NewLongArray(env, (jsize)n_rows);
  if (copy != NULL) (*env)->SetLongArrayRegion(env, copy, 0, (jsize)n_rows, (const jlong*)users);
  return copy;
}

/* ---- serving: every array is checked against the request before the library writes ---- */

/* offsets belong to n lists. */
static int fits_lists(const int64_t* offsets, int64_t n_offsets, const rec_ids_t* users) {
  return offsets == NULL || n_offsets == users->n + 1;
}

/* At least n * k elements; a k below 1 is for the library to judge. */
static int has_room(const void* out, int64_t n_out, int64_t n, int64_t k) {
  return out == NULL || k < 1 || n < 1 || n_out / n >= k;
}

static rec_status_t make_request(rec_request_t* request, const rec_ids_t* users, const rec_ids_t* history_items,
                                 const int64_t* history_offsets, int64_t n_history_offsets,
                                 const int64_t* history_times, int64_t n_history_times, const int64_t* request_times,
                                 int64_t n_request_times, const rec_ids_t* candidates, const int64_t* candidate_offsets,
                                 int64_t n_candidate_offsets, rec_error_t** out_error) {
  const rec_status_t status = rec_request_init(request, sizeof *request, out_error);
  if (status != REC_OK) return status;
  if (users == NULL || !fits_lists(history_offsets, n_history_offsets, users) ||
      !fits_lists(candidate_offsets, n_candidate_offsets, users) ||
      (history_times != NULL && (history_items == NULL || n_history_times != history_items->n)) ||
      (request_times != NULL && n_request_times != users->n))
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

rec_status_t rec_java_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
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
  if (!has_room(out_rows, n_out_rows, users->n, k) || !has_room(out_scores, n_out_scores, users->n, k) ||
      !has_room(out_row_status, n_out_row_status, users->n, 1))
    return REC_INVALID_ARGUMENT;
  request.k = k;
  request.allow_bits = allow_bits;
  request.n_allow_bytes = n_allow_bytes;
  request.deny_bits = deny_bits;
  request.n_deny_bytes = n_deny_bytes;
  return rec_recommender_top_k(recommender, &request, out_rows, out_scores, out_row_status, out_error);
}

rec_status_t rec_java_score(const rec_recommender_t* recommender, const rec_ids_t* users,
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
  if (candidates == NULL || !has_room(out_row_status, n_out_row_status, users->n, 1)) return REC_INVALID_ARGUMENT;
  if (candidate_offsets != NULL ? n_out_scores < candidates->n
                                : !has_room(out_scores, n_out_scores, users->n, candidates->n))
    return REC_INVALID_ARGUMENT;
  return rec_recommender_score(recommender, &request, out_scores, out_row_status, out_error);
}

rec_status_t rec_java_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                    int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                    int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error) {
  if (items == NULL || !has_room(out_rows, n_out_rows, items->n, k) ||
      !has_room(out_scores, n_out_scores, items->n, k) || !has_room(out_row_status, n_out_row_status, items->n, 1))
    return REC_INVALID_ARGUMENT;
  return rec_recommender_similar_items(recommender, items, k, out_rows, out_scores, out_row_status, out_error);
}
