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
  if ((*env)->ExceptionCheck(env)) (*env)->ExceptionClear(env); /* a failing logger does not end the call */
  if (text != NULL) (*env)->DeleteLocalRef(env, text);
}

rec_status_t rec_java_log_open(int32_t level, rec_error_t** out_error) {
  return rec_log_set_sink(log_sink, level, NULL, NULL, out_error);
}

rec_status_t rec_java_log_poll(rec_error_t** out_error) { return rec_log_poll(NULL, out_error); }

/* ---- long calls ---- */

static int is_wanted(const rec_java_run_t* run, const rec_event_t* event) {
  return run->listener != NULL && (run->kinds >> event->kind & 1) != 0;
}

static int tell(const rec_java_run_t* run, const rec_event_t* event) {
  JNIEnv* env = run->env;
  jobjectArray names = (*env)->NewObjectArray(env, (jsize)event->n_metrics, known->bytes, NULL);
  jdoubleArray values = names == NULL ? NULL : (*env)->NewDoubleArray(env, (jsize)event->n_metrics);
  jsize i;
  for (i = 0; values != NULL && i < event->n_metrics && !(*env)->ExceptionCheck(env); ++i)
    rec_java_put_object(env, names, i, rec_java_bytes(env, event->metric_names[i]));
  if ((*env)->ExceptionCheck(env)) return 0;
  (*env)->SetDoubleArrayRegion(env, values, 0, (jsize)event->n_metrics, event->metric_values);
  return (*env)->CallStaticBooleanMethod(
      env, known->event, known->deliver_event, run->listener, (jint)event->kind, (jlong)event->epoch,
      (jlong)event->n_epochs, (jlong)event->batch, (jlong)event->n_batches, (jdouble)event->loss,
      (jdouble)event->train_seconds, (jdouble)event->eval_seconds, names, values, (jboolean)event->is_best);
}

/* An exception of the listener stays pending: the call ends, and throws it. */
static rec_status_t on_event(const rec_event_t* event, void* user_data) {
  const rec_java_run_t* run = user_data;
  JNIEnv* env = run->env;
  int go_on = 1;
  if ((*env)->ExceptionCheck(env)) return REC_CANCELLED;
  if (event->kind == REC_EVENT_TICK) {
    go_on = (*env)->CallBooleanMethod(env, run->call, known->go_on);
  } else if (is_wanted(run, event)) {
    if ((*env)->PushLocalFrame(env, 8) != 0) return REC_CANCELLED;
    go_on = tell(run, event);
    (*env)->PopLocalFrame(env, NULL);
  }
  return go_on && !(*env)->ExceptionCheck(env) ? REC_OK : REC_CANCELLED;
}

const rec_run_options_t* rec_java_run_get(JNIEnv* env, jobject call, rec_java_run_t* out) {
  if (call == NULL || (*env)->ExceptionCheck(env)) return NULL;
  rec_run_options_init(&out->options, sizeof out->options, NULL);
  out->env = env;
  out->call = call;
  out->listener = (*env)->GetObjectField(env, call, known->call_listener);
  out->kinds = (*env)->GetIntField(env, call, known->call_kinds);
  out->options.threads = (*env)->GetIntField(env, call, known->call_threads);
  out->options.isolation = (*env)->GetIntField(env, call, known->call_isolation);
  out->options.on_event = on_event;
  out->options.user_data = out;
  return &out->options;
}
