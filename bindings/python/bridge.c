#include "bridge.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors and results ---- */

static PyObject* error_factory;

PyObject* rec_py_log_handler; /* bridge_calls.c */

PyObject* rec_py_setup(PyObject* factory, PyObject* log_handler) {
  pthread_atfork(NULL, NULL, rec_py_forget_threads);
  Py_XDECREF(error_factory);
  Py_XDECREF(rec_py_log_handler);
  Py_INCREF(factory);
  Py_INCREF(log_handler);
  error_factory = factory;
  rec_py_log_handler = log_handler;
  Py_RETURN_NONE;
}

/* Texts of the library are UTF-8, but a path in a message may hold any bytes. */
static PyObject* decode(const char* bytes, Py_ssize_t n) { return PyUnicode_DecodeUTF8(bytes, n, "surrogateescape"); }

void rec_py_raise(rec_status_t status, rec_error_t* error) {
  if (!PyErr_Occurred()) {
    const rec_flat_failure_t failure = rec_flat_failure(status, error);
    PyObject* text = decode(failure.message, (Py_ssize_t)strlen(failure.message));
    PyObject* path = decode(failure.file, (Py_ssize_t)strlen(failure.file));
    PyObject* exception = NULL;
    if (text != NULL && path != NULL) {
      if (error_factory == NULL)
        PyErr_SetString(PyExc_RuntimeError, failure.message);
      else
        exception = PyObject_CallFunction(error_factory, "iOsOLL", (int)status, text, failure.argument, path,
                                          (long long)failure.line, (long long)failure.byte_offset);
    }
    if (exception != NULL) PyErr_SetObject((PyObject*)Py_TYPE(exception), exception);
    Py_XDECREF(exception);
    Py_XDECREF(text);
    Py_XDECREF(path);
  }
  rec_error_destroy(error);
}

PyObject* rec_py_append(PyObject* result, PyObject* value) {
  if (result == NULL || value == NULL) {
    Py_XDECREF(result);
    Py_XDECREF(value);
    return NULL;
  }
  if (result == Py_None) {
    Py_DECREF(result);
    return value;
  }
  if (!PyList_Check(result)) {
    PyObject* list = PyList_New(1);
    if (list == NULL || PyList_SetItem(list, 0, result) != 0) {
      Py_XDECREF(list);
      Py_DECREF(value);
      return NULL;
    }
    result = list;
  }
  if (PyList_Append(result, value) != 0) Py_CLEAR(result);
  Py_DECREF(value);
  return result;
}

/* ---- texts ---- */

int rec_py_text(PyObject* object, const char* name, const char** out_text) {
  Py_ssize_t n = 0;
  *out_text = NULL;
  if (object == Py_None) return 0;
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "%s: must be str, got %R", name, (PyObject*)Py_TYPE(object));
    return -1;
  }
  *out_text = PyUnicode_AsUTF8AndSize(object, &n);
  if (*out_text == NULL) return -1;
  if (strlen(*out_text) != (size_t)n) {
    PyErr_Format(PyExc_ValueError, "%s: must not contain a NUL character", name);
    return -1;
  }
  return 0;
}

PyObject* rec_py_take_text(rec_text_t* text) {
  const char* data = rec_text_data(text);
  PyObject* result = data == NULL ? NULL : decode(data, (Py_ssize_t)strlen(data));
  if (data == NULL) PyErr_SetString(PyExc_RuntimeError, "the library gave no text");
  rec_text_destroy(text);
  return result;
}

/* ---- buffers ---- */

const rec_py_buffer_t rec_py_no_buffer;

static int format_is(const char* format, Py_ssize_t itemsize, char kind) {
  if (format == NULL) format = "B";
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  if (format[0] == 0 || format[1] != 0) return 0;
  switch (kind) {
    case 'q': return (*format == 'q' || *format == 'l') && itemsize == 8;
    case 'i': return (*format == 'i' || *format == 'l') && itemsize == 4;
    case 'f': return *format == 'f' && itemsize == 4;
    case 'd': return *format == 'd' && itemsize == 8;
    default: return itemsize == 1;
  }
}

static const char* kind_name(char kind) {
  return kind == 'q' ? "int64" : kind == 'i' ? "int32" : kind == 'f' ? "float32" : kind == 'd' ? "float64" : "bytes";
}

int rec_py_buffer_get(PyObject* object, const char* name, char kind, int writable, rec_py_buffer_t* out) {
  if (object == Py_None) return 0;
  if (PyObject_GetBuffer(object, &out->view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) != 0)
    return -1;
  if (!format_is(out->view.format, out->view.itemsize, kind)) {
    PyErr_Format(PyExc_TypeError, "%s: must be a buffer of %s, got format '%s'", name, kind_name(kind),
                 out->view.format != NULL ? out->view.format : "B");
    PyBuffer_Release(&out->view);
    return -1;
  }
  out->is_held = 1;
  out->data = out->view.buf;
  out->n = (int64_t)(out->view.len / out->view.itemsize);
  return 0;
}

void rec_py_buffer_clear(rec_py_buffer_t* buffer) {
  if (buffer->is_held) PyBuffer_Release(&buffer->view);
  buffer->is_held = 0;
}

/* ---- ids ---- */

const rec_py_ids_t rec_py_no_ids;

/* The bytes of one id; *out_owner keeps them. str is UTF-8, where a surrogate escape stands for the byte it came from.
 */
static int id_bytes(PyObject* id, const char* name, Py_ssize_t i, char** out_data, Py_ssize_t* out_n,
                    PyObject** out_owner) {
  *out_owner = NULL;
  if (PyBytes_Check(id)) return PyBytes_AsStringAndSize(id, out_data, out_n);
  if (!PyUnicode_Check(id)) {
    PyErr_Format(PyExc_TypeError, "%s: element %zd must be str or bytes like those before it, got %R", name, i,
                 (PyObject*)Py_TYPE(id));
    return -1;
  }
  *out_data = (char*)PyUnicode_AsUTF8AndSize(id, out_n);
  if (*out_data != NULL) return 0;
  if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1;
  PyErr_Clear();
  *out_owner = PyUnicode_AsEncodedString(id, "utf-8", "surrogateescape");
  return *out_owner == NULL ? -1 : PyBytes_AsStringAndSize(*out_owner, out_data, out_n);
}

static int copy_texts(PyObject* list, const char* name, rec_py_ids_t* out) {
  const Py_ssize_t n = PyList_Size(list);
  size_t capacity = 16 * (size_t)n + 64, used = 0;
  char* bytes = malloc(capacity);
  int64_t* offsets = malloc(((size_t)n + 1) * sizeof *offsets);
  out->owned_bytes = bytes;
  out->owned_numbers = offsets;
  if (bytes == NULL || offsets == NULL) return PyErr_NoMemory(), -1;
  offsets[0] = 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    char* data;
    Py_ssize_t length;
    PyObject* owner;
    if (id_bytes(PyList_GetItem(list, i), name, i, &data, &length, &owner) != 0) {
      Py_XDECREF(owner);
      return -1;
    }
    if (used + (size_t)length > capacity) {
      capacity = 2 * capacity + (size_t)length;
      bytes = realloc(out->owned_bytes, capacity);
      if (bytes == NULL) {
        Py_XDECREF(owner);
        return PyErr_NoMemory(), -1;
      }
      out->owned_bytes = bytes;
    }
    memcpy(bytes + used, data, (size_t)length);
    used += (size_t)length;
    offsets[i + 1] = (int64_t)used;
    Py_XDECREF(owner);
  }
  out->ids.type = REC_ID_BYTES;
  out->ids.bytes = bytes;
  out->ids.n_bytes = (int64_t)used;
  out->ids.offsets = offsets;
  return 0;
}

static int copy_integers(PyObject* list, const char* name, rec_py_ids_t* out) {
  const Py_ssize_t n = PyList_Size(list);
  int64_t* numbers = malloc(((size_t)n + 1) * sizeof *numbers);
  out->owned_numbers = numbers;
  if (numbers == NULL) return PyErr_NoMemory(), -1;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* id = PyList_GetItem(list, i);
    PyObject* index = PyNumber_Index(id);
    if (index == NULL) {
      PyErr_Clear();
      PyErr_Format(PyExc_TypeError, "%s: element %zd must be int, str or bytes, and all of one kind, got %R", name, i,
                   (PyObject*)Py_TYPE(id));
      return -1;
    }
    numbers[i] = PyLong_AsLongLong(index);
    Py_DECREF(index);
    if (numbers[i] == -1 && PyErr_Occurred()) return -1;
  }
  out->ids.type = REC_ID_INT64;
  out->ids.i64 = numbers;
  return 0;
}

static int get_numbers(PyObject* object, const char* name, int32_t type, rec_py_ids_t* out) {
  if (rec_py_buffer_get(object, name, 'q', 0, &out->buffer) != 0) return -1;
  out->ids.type = type;
  out->ids.i64 = out->buffer.data;
  out->ids.n = out->buffer.n;
  return 0;
}

int rec_py_ids_get(PyObject* object, const char* name, rec_py_ids_t* out) {
  PyObject* list;
  int code = 0;
  rec_ids_init(&out->ids, sizeof out->ids, NULL);
  if (object == Py_None) return 0;
  if (PyUnicode_Check(object) || PyBytes_Check(object)) {
    PyErr_Format(PyExc_TypeError, "%s: must be a list or an array of ids, got a single %R", name,
                 (PyObject*)Py_TYPE(object));
    return -1;
  }
  if (PyTuple_Check(object) && PyTuple_Size(object) == 2 && PyTuple_GetItem(object, 0) == Py_Ellipsis)
    return get_numbers(PyTuple_GetItem(object, 1), name, REC_ID_ROW, out); /* (..., rows) */
  if (PyObject_CheckBuffer(object)) {
    if (get_numbers(object, name, REC_ID_INT64, out) == 0) return 0;
    PyErr_Clear(); /* other numbers, or objects: one by one */
  }
  list = PySequence_List(object);
  if (list == NULL) return -1;
  out->ids.n = PyList_Size(list);
  out->ids.type = REC_ID_INT64;
  if (out->ids.n > 0) {
    PyObject* first = PyList_GetItem(list, 0);
    code =
        PyUnicode_Check(first) || PyBytes_Check(first) ? copy_texts(list, name, out) : copy_integers(list, name, out);
  }
  Py_DECREF(list);
  return code;
}

void rec_py_ids_clear(rec_py_ids_t* ids) {
  rec_py_buffer_clear(&ids->buffer);
  free(ids->owned_bytes);
  free(ids->owned_numbers);
}

PyObject* rec_py_take_ids(const rec_ids_t* ids, rec_text_t* owner, int as_text) {
  PyObject* result;
  if (ids->type == REC_ID_INT64) {
    result = PyByteArray_FromStringAndSize((const char*)ids->i64, (Py_ssize_t)(ids->n * 8));
  } else {
    result = PyList_New((Py_ssize_t)ids->n);
    for (int64_t i = 0; result != NULL && i < ids->n; ++i) {
      const char* data = ids->bytes + ids->offsets[i];
      const Py_ssize_t n = (Py_ssize_t)(ids->offsets[i + 1] - ids->offsets[i]);
      PyObject* id = as_text ? decode(data, n) : PyBytes_FromStringAndSize(data, n);
      if (id == NULL || PyList_SetItem(result, (Py_ssize_t)i, id) != 0) Py_CLEAR(result);
    }
  }
  rec_text_destroy(owner);
  return result;
}

/* ---- DLPack ---- */

static const char kTensorName[] = "dltensor_versioned"; /* a consumer that takes the tensor renames the capsule */

static void end_tensor(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, kTensorName)) rec_flat_matrix_end(PyCapsule_GetPointer(capsule, kTensorName));
}

PyObject* rec_py_tensor(struct DLManagedTensorVersioned* tensor) {
  PyObject* capsule = PyCapsule_New(tensor, kTensorName, end_tensor);
  if (capsule == NULL) rec_flat_matrix_end(tensor);
  return capsule;
}

PyObject* rec_py_tensor_info(PyObject* capsule) {
  const struct DLManagedTensorVersioned* tensor = PyCapsule_GetPointer(capsule, kTensorName);
  rec_flat_matrix_t matrix;
  if (tensor == NULL) return NULL;
  matrix = rec_flat_matrix(tensor);
  return Py_BuildValue("(KLL)", (unsigned long long)(uintptr_t)matrix.data, (long long)matrix.n, (long long)matrix.d);
}

/* ---- Arrow streams ---- */

/* https://arrow.apache.org/docs/format/CStreamInterface.html */
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, void*);
  int (*get_next)(struct ArrowArrayStream*, void*);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

static const char kStreamName[] = "arrow_array_stream";

static void free_stream(struct ArrowArrayStream* stream) {
  if (stream->release != NULL) stream->release(stream);
  free(stream);
}

static void end_stream(PyObject* capsule) { free_stream(PyCapsule_GetPointer(capsule, kStreamName)); }

struct ArrowArrayStream* rec_py_stream_new(void) {
  struct ArrowArrayStream* stream = calloc(1, sizeof *stream);
  if (stream == NULL) PyErr_NoMemory();
  return stream;
}

PyObject* rec_py_stream(struct ArrowArrayStream* stream) {
  PyObject* capsule = PyCapsule_New(stream, kStreamName, end_stream);
  if (capsule == NULL) free_stream(stream);
  return capsule;
}
