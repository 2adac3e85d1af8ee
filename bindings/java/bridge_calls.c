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

/* ---- training ---- */

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
  const rec_status_t status =
      rec_flat_trainer_run(trainer, listener != NULL ? on_event : NULL, &run, cancel, out_error);
  if (run.thrown != NULL) {
    rec_error_destroy(*out_error);
    *out_error = NULL;
    (*env)->Throw(env, run.thrown);
  }
  return status;
}

/* ---- reports ---- */

jdoubleArray rec_java_report_values(JNIEnv* env, const rec_report_t* report, int64_t metric) {
  rec_error_t* error = NULL;
  rec_flat_rows_t rows;
  jdoubleArray copy;
  rec_status_t status = rec_flat_report_rows(report, &rows, &error);
  if (status == REC_OK && (metric < 0 || metric >= rows.n_metrics)) status = REC_INVALID_ARGUMENT;
  if (status != REC_OK) return rec_java_throw(env, status, error), NULL;
  copy = (*env)->NewDoubleArray(env, (jsize)rows.n_rows);
  if (copy != NULL) (*env)->SetDoubleArrayRegion(env, copy, 0, (jsize)rows.n_rows, rows.values + metric * rows.n_rows);
  return copy;
}

jlongArray rec_java_report_users(JNIEnv* env, const rec_report_t* report) {
  rec_error_t* error = NULL;
  rec_flat_rows_t rows;
  jlongArray copy;
  const rec_status_t status = rec_flat_report_rows(report, &rows, &error);
  if (status != REC_OK) return rec_java_throw(env, status, error), NULL;
  copy = (*env)->NewLongArray(env, (jsize)rows.n_rows);
  if (copy != NULL) (*env)->SetLongArrayRegion(env, copy, 0, (jsize)rows.n_rows, (const jlong*)rows.users);
  return copy;
}
