/* Long calls and log lines: where Python's lock, exceptions and signals meet. */
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "bridge.h"

extern PyObject* rec_py_log_handler;

/* ---- callbacks of the library, on the thread that made the call and released Python's lock ---- */

/*
 * Python kills a thread that asks for the lock while the interpreter ends, here inside the library's frames. So rec_py_end
 * waits for callbacks that are in Python, and later ones do not enter it.
 */
static atomic_int n_inside;
static atomic_int is_ending;

/* A forked child has only its own thread. */
void rec_py_forget_threads(void) { atomic_store(&n_inside, 0); }

static int enter_python(PyGILState_STATE* state) {
  atomic_fetch_add(&n_inside, 1);
  if (atomic_load(&is_ending)) {
    atomic_fetch_sub(&n_inside, 1);
    return 0;
  }
  *state = PyGILState_Ensure();
  return 1;
}

static void leave_python(PyGILState_STATE state) {
  PyGILState_Release(state);
  atomic_fetch_sub(&n_inside, 1);
}

PyObject* rec_py_end(void) {
  const struct timespec moment = {0, 1000000};
  atomic_store(&is_ending, 1);
  Py_BEGIN_ALLOW_THREADS while (atomic_load(&n_inside) > 0) nanosleep(&moment, NULL);
  Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

/* ---- log lines ---- */

static void log_sink(int32_t level, const char* message, void* user_data) {
  PyGILState_STATE state;
  PyObject *text, *result = NULL;
  (void)user_data;
  if (!enter_python(&state)) return;
  if (!PyErr_Occurred()) { /* else the call is about to end with that exception */
    text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    if (text != NULL) result = PyObject_CallFunction(rec_py_log_handler, "iO", (int)level, text);
    Py_XDECREF(text);
    Py_XDECREF(result);
  }
  leave_python(state);
}

rec_status_t rec_py_log_open(int32_t level, rec_error_t** out_error) {
  rec_status_t status;
  Py_BEGIN_ALLOW_THREADS /* the sink may be at work on another thread, which needs the interpreter to end */
      status = rec_log_set_sink(log_sink, level, NULL, NULL, out_error);
  Py_END_ALLOW_THREADS return status;
}

PyObject* rec_py_log_poll(void) {
  rec_error_t* error = NULL;
  int64_t n_lost = 0;
  rec_status_t status;
  Py_BEGIN_ALLOW_THREADS status = rec_log_poll(&n_lost, &error);
  Py_END_ALLOW_THREADS if (status != REC_OK) rec_py_raise(status, error);
  return PyErr_Occurred() ? NULL : PyLong_FromLongLong(n_lost);
}

/* ---- long calls ---- */

/* 1: go on, 0: the callback asked to stop, -1: an exception. */
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

/* 1: the threading.Event is set, -1: an exception. */
static int is_set(PyObject* cancel) {
  PyObject* answer = cancel == Py_None ? Py_NewRef(Py_False) : PyObject_CallMethod(cancel, "is_set", NULL);
  const int flag = answer == NULL ? -1 : PyObject_IsTrue(answer);
  Py_XDECREF(answer);
  return flag;
}

/* A tick checks for signals, so that Ctrl-C ends the call. An exception stays set: the call ends, and raises it. */
static rec_status_t on_event(const rec_event_t* event, void* user_data) {
  const rec_py_run_t* run = user_data;
  PyGILState_STATE state;
  int go_on = 0;
  if (!enter_python(&state)) return REC_CANCELLED;
  if (!PyErr_Occurred()) {
    if (event->kind == REC_EVENT_TICK)
      go_on = PyErr_CheckSignals() == 0 && is_set(run->cancel) == 0;
    else
      go_on = (run->kinds >> event->kind & 1) == 0 || call_back(run->on_event, event) == 1;
  }
  leave_python(state);
  return go_on ? REC_OK : REC_CANCELLED;
}

int rec_py_run_get(PyObject* given, rec_py_run_t* out) {
  int threads, isolation, flag;
  if (!PyArg_ParseTuple(given, "OOiii", &out->cancel, &out->on_event, &out->kinds, &threads, &isolation)) return -1;
  rec_run_options_init(&out->options, sizeof out->options, NULL);
  out->options.on_event = on_event;
  out->options.user_data = out;
  out->options.threads = threads;
  out->options.isolation = isolation;
  flag = is_set(out->cancel);
  if (flag > 0) rec_py_raise(REC_CANCELLED, NULL);
  return flag == 0 ? 0 : -1;
}
