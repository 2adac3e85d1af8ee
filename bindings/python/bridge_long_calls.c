/* Long calls, log lines and reports: where Python's lock, threads and signals meet. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge.h"

extern PyObject* rec_py_log_handler;

/* ---- log lines: queued by the library's thread, handled by the caller's ---- */

enum { kMaxLines = 10000 /* as many as wait in the library */, kPollMs = 50 };

typedef struct {
  int32_t level;
  char* text;
} log_line_t;

static struct {
  pthread_mutex_t mutex;
  log_line_t lines[kMaxLines];
  int first, n;
  int64_t n_lost;
} log_queue = {PTHREAD_MUTEX_INITIALIZER, {{0, NULL}}, 0, 0, 0};

static void log_sink(int32_t level, const char* message, void* user_data) {
  char* text = strdup(message);
  (void)user_data;
  pthread_mutex_lock(&log_queue.mutex);
  if (text != NULL && log_queue.n < kMaxLines) {
    log_line_t* line = &log_queue.lines[(log_queue.first + log_queue.n++) % kMaxLines];
    line->level = level;
    line->text = text;
  } else {
    ++log_queue.n_lost;
    free(text);
  }
  pthread_mutex_unlock(&log_queue.mutex);
}

static int next_line(log_line_t* out) {
  int has_line;
  pthread_mutex_lock(&log_queue.mutex);
  has_line = log_queue.n > 0;
  if (has_line) {
    *out = log_queue.lines[log_queue.first];
    log_queue.first = (log_queue.first + 1) % kMaxLines;
    --log_queue.n;
  }
  pthread_mutex_unlock(&log_queue.mutex);
  return has_line;
}

static int64_t take_lost(void) {
  int64_t n_lost;
  pthread_mutex_lock(&log_queue.mutex);
  n_lost = log_queue.n_lost;
  log_queue.n_lost = 0;
  pthread_mutex_unlock(&log_queue.mutex);
  return n_lost;
}

/* -1 with the exception of the handler. */
static int deliver_lines(void) {
  log_line_t line;
  while (next_line(&line)) {
    PyObject* text = PyUnicode_DecodeUTF8(line.text, (Py_ssize_t)strlen(line.text), "replace");
    PyObject* result = text == NULL ? NULL : PyObject_CallFunction(rec_py_log_handler, "iO", (int)line.level, text);
    free(line.text);
    Py_XDECREF(text);
    if (result == NULL) return -1;
    Py_DECREF(result);
  }
  return 0;
}

rec_py_result_t rec_py_log_open(int32_t level) {
  rec_error_t* error = NULL;
  const rec_status_t status = rec_log_set_sink(log_sink, level, NULL, NULL, &error);
  if (status == REC_OK) return 0;
  rec_py_raise(status, error);
  return -1;
}

PyObject* rec_py_log_poll(void) {
  rec_error_t* error = NULL;
  int64_t n_lost = 0;
  rec_status_t status;
  Py_BEGIN_ALLOW_THREADS status = rec_log_poll(&n_lost, &error);
  Py_END_ALLOW_THREADS if (status == REC_OK)
    return deliver_lines() == 0 ? PyLong_FromLongLong(n_lost + take_lost()) : NULL;
  rec_py_raise(status, error);
  return NULL;
}

/* ---- long calls ---- */

/*
 * On the heap and ended by the caller only: when the interpreter ends under a daemon thread, that thread never comes
 * back and the helper goes on with this.
 */
typedef struct call_t {
  rec_status_t (*work)(struct call_t* call);
  const void* model_or_trainer;
  const rec_dataset_t* dataset;
  const char *text, *params;
  const void* options;
  const rec_protocol_t* protocol;
  int32_t threads, isolation; /* of an evaluation */
  rec_cancel_t* cancel;
  PyObject* flag; /* the caller's threading.Event, or None */
  int32_t kinds;
  void* out;

  pthread_mutex_t mutex;
  pthread_cond_t changed;
  const rec_event_t* event; /* waits for the caller's answer */
  rec_status_t answer;
  int is_answered, is_done, is_stopping;
  rec_status_t status;
  rec_error_t* error;
} call_t;

static void* helper(void* self) {
  call_t* call = self;
  const rec_status_t status = call->work(call);
  pthread_mutex_lock(&call->mutex);
  call->status = status;
  call->is_done = 1;
  pthread_cond_broadcast(&call->changed);
  pthread_mutex_unlock(&call->mutex);
  return NULL;
}

/* On the helper: hands the event to the caller and waits for its answer. */
static rec_status_t on_event(const rec_event_t* event, void* user_data) {
  call_t* call = user_data;
  rec_status_t answer = REC_OK;
  if ((call->kinds >> event->kind & 1) == 0) return REC_OK;
  pthread_mutex_lock(&call->mutex);
  if (call->is_stopping) {
    answer = REC_CANCELLED;
  } else {
    call->event = event;
    call->is_answered = 0;
    pthread_cond_broadcast(&call->changed);
    while (!call->is_answered) pthread_cond_wait(&call->changed, &call->mutex);
    answer = call->answer;
  }
  pthread_mutex_unlock(&call->mutex);
  return answer;
}

/* On the caller, without Python's lock: until there is an event, or the end, or 50 ms are over. */
static const rec_event_t* wait_for_event(call_t* call, int* out_is_done) {
  struct timespec until;
  const rec_event_t* event;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += kPollMs * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    ++until.tv_sec;
  }
  pthread_mutex_lock(&call->mutex);
  while (!call->is_done && call->event == NULL)
    if (pthread_cond_timedwait(&call->changed, &call->mutex, &until) == ETIMEDOUT) break;
  event = call->event;
  *out_is_done = call->is_done;
  pthread_mutex_unlock(&call->mutex);
  return event;
}

static void answer_event(call_t* call, rec_status_t answer, int is_stopping) {
  pthread_mutex_lock(&call->mutex);
  call->event = NULL;
  call->answer = answer;
  call->is_answered = 1;
  call->is_stopping |= is_stopping;
  pthread_cond_broadcast(&call->changed);
  pthread_mutex_unlock(&call->mutex);
}

/* 1: go on, 0: the callback said stop, -1: an exception. */
static int call_back(PyObject* callback, const rec_event_t* event) {
  PyObject *result = NULL, *metrics = PyDict_New();
  int go_on;
  for (int64_t i = 0; metrics != NULL && i < event->n_metrics; ++i) {
    PyObject* value = PyFloat_FromDouble(event->metric_values[i]);
    if (value == NULL || PyDict_SetItemString(metrics, event->metric_names[i], value) != 0) Py_CLEAR(metrics);
    Py_XDECREF(value);
  }
  if (metrics != NULL)
    result =
        PyObject_CallFunction(callback, "iLLLLdddOi", (int)event->kind, (long long)event->epoch,
                              (long long)event->n_epochs, (long long)event->batch, (long long)event->n_batches,
                              event->loss, event->train_seconds, event->eval_seconds, metrics, (int)event->is_best);
  Py_XDECREF(metrics);
  if (result == NULL) return -1;
  go_on = result != Py_False;
  Py_DECREF(result);
  return go_on;
}

/* 1: the caller's event says that the call is to end, -1: an exception. */
static int is_flagged(PyObject* flag) {
  PyObject* answer = flag == Py_None ? Py_NewRef(Py_False) : PyObject_CallMethod(flag, "is_set", NULL);
  const int is_set = answer == NULL ? -1 : PyObject_IsTrue(answer);
  Py_XDECREF(answer);
  return is_set;
}

static int start_helper(pthread_t* thread, call_t* call) {
  sigset_t all, before;
  int code;
  sigfillset(&all); /* signals are for the host's threads */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  code = pthread_create(thread, NULL, helper, call);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

static call_t* new_call(rec_status_t (*work)(call_t* call), PyObject* flag) {
  pthread_condattr_t attributes;
  call_t* call = calloc(1, sizeof *call);
  if (call == NULL) {
    PyErr_NoMemory();
    return NULL;
  }
  call->work = work;
  call->flag = flag;
  pthread_mutex_init(&call->mutex, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&call->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  return call;
}

static void free_call(call_t* call) {
  rec_cancel_destroy(call->cancel);
  pthread_cond_destroy(&call->changed);
  pthread_mutex_destroy(&call->mutex);
  free(call);
}

/* Takes the call. *out_handle, nullable, is the call's result; 0 means that the callback stopped it. */
static int run_call(call_t* call, PyObject* callback, void** out_handle, void (*destroy)(void*)) {
  PyObject *type = NULL, *value = NULL, *trace = NULL; /* of the first exception of host code */
  pthread_t thread;
  int is_done = 0, is_stopped = 0, result = -1, code;
  const rec_event_t* event;
  const int is_over = is_flagged(call->flag);
  const rec_status_t status = is_over != 0 ? REC_CANCELLED : rec_cancel_create(&call->cancel, &call->error);

  if (status != REC_OK) {
    if (is_over >= 0) rec_py_raise(status, call->error);
    free_call(call);
    return -1;
  }
  code = start_helper(&thread, call);
  if (code != 0) {
    errno = code;
    PyErr_SetFromErrno(PyExc_OSError);
    free_call(call);
    return -1;
  }
  while (!is_done) {
    Py_BEGIN_ALLOW_THREADS event = wait_for_event(call, &is_done);
    Py_END_ALLOW_THREADS if (event != NULL) {
      const int go_on = type != NULL ? 0 : call_back(callback, event);
      if (go_on == 0 && type == NULL) is_stopped = 1;
      answer_event(call, go_on == 1 ? REC_OK : REC_CANCELLED, go_on != 1);
    }
    if (type == NULL && !PyErr_Occurred() && deliver_lines() == 0 && PyErr_CheckSignals() == 0 &&
        is_flagged(call->flag) > 0)
      rec_cancel_request(call->cancel, NULL);
    if (type == NULL && PyErr_Occurred()) {
      PyErr_Fetch(&type, &value, &trace);
      answer_event(call, REC_CANCELLED, 1);
      rec_cancel_request(call->cancel, NULL);
    }
  }
  pthread_join(thread, NULL);

  if (type != NULL) {
    PyErr_Restore(type, value, trace);
    rec_error_destroy(call->error);
    if (call->status == REC_OK && destroy != NULL) destroy(call->out);
  } else if (call->status == REC_OK || (is_stopped && call->status == REC_CANCELLED)) {
    rec_error_destroy(call->error);
    if (out_handle != NULL) *out_handle = call->out;
    result = !is_stopped;
  } else {
    rec_py_raise(call->status, call->error);
  }
  free_call(call);
  return result;
}

/* ---- the calls ---- */

static rec_status_t load_work(call_t* call) {
  return rec_dataset_load(call->text, call->options, call->cancel, (rec_dataset_t**)&call->out, &call->error);
}
static void end_dataset(void* handle) { rec_dataset_destroy(handle); }

rec_py_result_t rec_py_dataset_load(const char* path, const rec_dataset_options_t* options, PyObject* cancel,
                                    rec_dataset_t** out_dataset) {
  call_t* call = new_call(load_work, cancel);
  if (call == NULL) return -1;
  call->text = path;
  call->options = options;
  return run_call(call, NULL, (void**)out_dataset, end_dataset);
}

static rec_status_t create_work(call_t* call) {
  return rec_flat_trainer_create(call->dataset, call->text, call->params, call->options, call->protocol,
                                 (rec_trainer_t**)&call->out, &call->error);
}
static void end_trainer(void* handle) { rec_trainer_destroy(handle); }

rec_py_result_t rec_py_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                      const rec_trainer_options_t* options, const rec_protocol_t* protocol,
                                      rec_trainer_t** out_trainer) {
  call_t* call = new_call(create_work, Py_None);
  if (call == NULL) return -1;
  call->dataset = dataset;
  call->text = model;
  call->params = params_json;
  call->options = options;
  call->protocol = protocol;
  return run_call(call, NULL, (void**)out_trainer, end_trainer);
}

static rec_status_t train_work(call_t* call) {
  return rec_flat_trainer_run((rec_trainer_t*)call->model_or_trainer, call->kinds != 0 ? on_event : NULL, call,
                              call->cancel, &call->error);
}

rec_py_flag_t rec_py_trainer_run(rec_trainer_t* trainer, PyObject* callback, int32_t kinds, PyObject* cancel) {
  call_t* call = new_call(train_work, cancel);
  if (call == NULL) return -1;
  call->model_or_trainer = trainer;
  call->kinds = callback == Py_None ? 0 : kinds;
  return run_call(call, callback, NULL, NULL);
}

static rec_status_t evaluate_work(call_t* call) {
  return rec_flat_model_evaluate(call->model_or_trainer, call->dataset, call->text, call->protocol, call->threads,
                                 call->isolation, call->cancel, (rec_report_t**)&call->out, &call->error);
}
static void end_report(void* handle) { rec_report_destroy(handle); }

rec_py_result_t rec_py_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                      const rec_protocol_t* protocol, int32_t threads, int32_t isolation,
                                      PyObject* cancel, rec_report_t** out_report) {
  call_t* call = new_call(evaluate_work, cancel);
  if (call == NULL) return -1;
  call->model_or_trainer = model;
  call->dataset = dataset;
  call->text = metrics;
  call->protocol = protocol;
  call->threads = threads;
  call->isolation = isolation;
  return run_call(call, NULL, (void**)out_report, end_report);
}

/* ---- reports ---- */

static PyObject* copy_of_report(const rec_report_t* report, int wants_users) {
  rec_error_t* error = NULL;
  rec_flat_rows_t rows;
  const rec_status_t status = rec_flat_report_rows(report, &rows, &error);
  if (status != REC_OK) {
    rec_py_raise(status, error);
    return NULL;
  }
  return wants_users
             ? PyByteArray_FromStringAndSize((const char*)rows.users, (Py_ssize_t)(rows.n_rows * 8))
             : PyByteArray_FromStringAndSize((const char*)rows.values, (Py_ssize_t)(rows.n_metrics * rows.n_rows * 8));
}

PyObject* rec_py_report_values(const rec_report_t* report) { return copy_of_report(report, 0); }
PyObject* rec_py_report_users(const rec_report_t* report) { return copy_of_report(report, 1); }
