/* What the typemaps of python.i need beyond SWIG: errors, buffers, ids, capsules. Limited API of CPython 3.11. */
#ifndef RECORE_BRIDGE_H
#define RECORE_BRIDGE_H

#include <Python.h>
#include <stdint.h>

#include "bridge_api.h"
#include "flat.h"
#include "rec_c_api.h"

/* Ends the error of a failed call and sets its exception, unless a callback has set one, which made the call fail. */
void rec_py_raise(rec_status_t status, rec_error_t* error);

/* Appends value to result: a single result stays itself, more become a list. Takes over both references. */
PyObject* rec_py_append(PyObject* result, PyObject* value);

int rec_py_text(PyObject* object, const char* name, const char** out_text);
PyObject* rec_py_take_text(rec_text_t* text);

/* In a forked child, which has only its own thread: nobody else is in a callback. bridge_calls.c. */
void rec_py_forget_threads(void);

typedef struct {
  Py_buffer view;
  int is_held;
  void* data;
  int64_t n; /* elements */
} rec_py_buffer_t;
extern const rec_py_buffer_t rec_py_no_buffer;

/* kind as in flat.i. Contiguous only; -1 with an exception. */
int rec_py_buffer_get(PyObject* object, const char* name, char kind, int writable, rec_py_buffer_t* out);
void rec_py_buffer_clear(rec_py_buffer_t* buffer);

typedef struct {
  rec_ids_t ids;
  rec_py_buffer_t buffer;
  void* owned_bytes;
  void* owned_numbers;
} rec_py_ids_t;
extern const rec_py_ids_t rec_py_no_ids;

int rec_py_ids_get(PyObject* object, const char* name, rec_py_ids_t* out);
void rec_py_ids_clear(rec_py_ids_t* ids);
PyObject* rec_py_take_ids(const rec_ids_t* ids, rec_text_t* owner, int as_text);

/* What a long call uses while it runs; the references are borrowed from the caller. */
typedef struct {
  rec_run_options_t options;
  PyObject *cancel; /* a threading.Event, or None */
  PyObject *on_event; /* for events whose bit 1 << kind is in kinds; returning False ends the call with CANCELLED:
                         on_event(kind, epoch, n_epochs, batch, n_batches, loss, train_seconds, eval_seconds, metrics, is_best) */
  int kinds;
} rec_py_run_t;

/* From (cancel, on_event, kinds, threads, isolation); -1 with an exception. */
int rec_py_run_get(PyObject* given, rec_py_run_t* out);

/* A capsule "dltensor_versioned", as the array API's __dlpack__ returns it. */
PyObject* rec_py_tensor(struct DLManagedTensorVersioned* tensor);
/* An Arrow stream in memory of malloc, empty; and the capsule that ends it, as the Arrow PyCapsule interface wants. */
struct ArrowArrayStream* rec_py_stream_new(void);
PyObject* rec_py_stream(struct ArrowArrayStream* stream);

#endif
