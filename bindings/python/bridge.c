#include "bridge.h"

#include <stdlib.h>
#include <string.h>

/* ---- errors and results ---- */

static PyObject* error_factory;

PyObject* rec_py_log_handler; /* bridge_long_calls.c */

PyObject* rec_py_setup(PyObject* factory, PyObject* log_handler) {
  Py_XDECREF(error_factory);
  Py_XDECREF(rec_py_log_handler);
  Py_INCREF(factory);
  Py_INCREF(log_handler);
  error_factory = factory;
  rec_py_log_handler = log_handler;
  Py_RETURN_NONE;
}

/* Texts of the library are UTF-8, but a path in a message has the bytes that it has. */
static PyObject* decode(const char* bytes, Py_ssize_t n) { return PyUnicode_DecodeUTF8(bytes, n, "surrogateescape"); }

static void raise_fields(rec_status_t status, const char* message, const char* argument, const char* file, int64_t line,
                         int64_t byte_offset) {
  PyObject* text = decode(message, (Py_ssize_t)strlen(message));
  PyObject* path = decode(file, (Py_ssize_t)strlen(file));
  PyObject* exception = NULL;
  if (text != NULL && path != NULL) {
    if (error_factory == NULL)
      PyErr_SetString(PyExc_RuntimeError, message);
    else
      exception = PyObject_CallFunction(error_factory, "iOsOLL", (int)status, text, argument, path, (long long)line,
                                        (long long)byte_offset);
  }
  if (exception != NULL) PyErr_SetObject((PyObject*)Py_TYPE(exception), exception);
  Py_XDECREF(exception);
  Py_XDECREF(text);
  Py_XDECREF(path);
}

void rec_py_raise(rec_status_t status, rec_error_t* error) {
  if (error == NULL)
    raise_fields(status, rec_status_name(status), "", "", -1, -1);
  else
    raise_fields(status, rec_error_message(error), rec_error_argument(error), rec_error_file(error),
                 rec_error_line(error), rec_error_byte_offset(error));
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
    default: return itemsize == 1;
  }
}

static const char* kind_name(char kind) {
  return kind == 'q' ? "int64" : kind == 'i' ? "int32" : kind == 'f' ? "float32" : "bytes";
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
    PyErr_Clear(); /* another type of number, or objects: one by one */
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

/* ---- DLPack 1.x, https://dmlc.github.io/dlpack/latest/c_api.html ---- */

typedef struct DLManagedTensorVersioned {
  struct {
    uint32_t major, minor;
  } version;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned* self);
  uint64_t flags;
  struct {
    void* data;
    int32_t device_type, device_id;
    int32_t ndim;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t* shape;
    int64_t* strides;
    uint64_t byte_offset;
  } tensor;
} DLManagedTensorVersioned;

static const char kTensorName[] = "dltensor_versioned"; /* a consumer that takes the tensor renames the capsule */

static void end_tensor(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, kTensorName)) return;
  DLManagedTensorVersioned* tensor = PyCapsule_GetPointer(capsule, kTensorName);
  if (tensor->deleter != NULL) tensor->deleter(tensor);
}

PyObject* rec_py_tensor(struct DLManagedTensorVersioned* tensor) {
  PyObject* capsule = PyCapsule_New(tensor, kTensorName, end_tensor);
  if (capsule == NULL && tensor->deleter != NULL) tensor->deleter(tensor);
  return capsule;
}

PyObject* rec_py_tensor_info(PyObject* capsule) {
  const DLManagedTensorVersioned* tensor = PyCapsule_GetPointer(capsule, kTensorName);
  if (tensor == NULL) return NULL;
  return Py_BuildValue("(KLL)", (unsigned long long)(uintptr_t)tensor->tensor.data + tensor->tensor.byte_offset,
                       (long long)tensor->tensor.shape[0], (long long)tensor->tensor.shape[1]);
}

/* ---- calls with struct arguments ---- */

/* offsets belong to n lists; NULL is for the library to judge. */
static int fits(const int64_t* offsets, int64_t n_offsets, const rec_ids_t* users) {
  return offsets == NULL || (users != NULL && n_offsets == users->n + 1);
}

rec_status_t rec_py_dataset_create_from_columns(const rec_ids_t* users, const rec_ids_t* items, const int64_t* times,
                                                int64_t n_times, const float* weights, int64_t n_weights,
                                                const int32_t* parts, int64_t n_parts, const float* labels,
                                                int64_t n_labels, const int64_t* impressions, int64_t n_impressions,
                                                const rec_ids_t* title_items, const rec_ids_t* titles,
                                                int64_t memory_limit_bytes, rec_dataset_t** out_dataset,
                                                rec_error_t** out_error) {
  rec_columns_t columns;
  const rec_status_t status = rec_columns_init(&columns, sizeof columns, out_error);
  if (status != REC_OK) return status;
  if (users != NULL && ((times != NULL && n_times != users->n) || (weights != NULL && n_weights != users->n) ||
                        (parts != NULL && n_parts != users->n) || (labels != NULL && n_labels != users->n) ||
                        (impressions != NULL && n_impressions != users->n)))
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

rec_status_t rec_py_top_k(const rec_recommender_t* recommender, int64_t k, const rec_ids_t* users,
                          const rec_ids_t* history_items, const int64_t* history_offsets, int64_t n_history_offsets,
                          const rec_ids_t* candidates, const int64_t* candidate_offsets, int64_t n_candidate_offsets,
                          const uint8_t* allow_bits, int64_t n_allow_bytes, const uint8_t* deny_bits,
                          int64_t n_deny_bytes, int64_t* out_rows, int64_t n_out_rows, float* out_scores,
                          int64_t n_out_scores, int32_t* out_row_status, int64_t n_out_row_status,
                          rec_error_t** out_error) {
  rec_request_t request;
  const rec_status_t status = rec_request_init(&request, sizeof request, out_error);
  if (status != REC_OK) return status;
  if (users == NULL || !fits(history_offsets, n_history_offsets, users) ||
      !fits(candidate_offsets, n_candidate_offsets, users))
    return REC_INVALID_ARGUMENT;
  if (k > 0 && users->n > 0 && (n_out_rows / users->n < k || n_out_scores / users->n < k)) return REC_INVALID_ARGUMENT;
  if (n_out_row_status < users->n) return REC_INVALID_ARGUMENT;
  request.k = k;
  request.users = users;
  request.history_items = history_items;
  request.history_offsets = history_offsets;
  request.candidates = candidates;
  request.candidate_offsets = candidate_offsets;
  request.allow_bits = allow_bits;
  request.n_allow_bytes = n_allow_bytes;
  request.deny_bits = deny_bits;
  request.n_deny_bytes = n_deny_bytes;
  return rec_recommender_top_k(recommender, &request, out_rows, out_scores, out_row_status, out_error);
}

rec_status_t rec_py_score(const rec_recommender_t* recommender, const rec_ids_t* users, const rec_ids_t* history_items,
                          const int64_t* history_offsets, int64_t n_history_offsets, const rec_ids_t* candidates,
                          const int64_t* candidate_offsets, int64_t n_candidate_offsets, float* out_scores,
                          int64_t n_out_scores, int32_t* out_row_status, int64_t n_out_row_status,
                          rec_error_t** out_error) {
  rec_request_t request;
  const rec_status_t status = rec_request_init(&request, sizeof request, out_error);
  if (status != REC_OK) return status;
  if (users == NULL || candidates == NULL || !fits(history_offsets, n_history_offsets, users) ||
      !fits(candidate_offsets, n_candidate_offsets, users) || n_out_row_status < users->n)
    return REC_INVALID_ARGUMENT;
  if (candidate_offsets != NULL ? n_out_scores < candidates->n
                                : users->n > 0 && n_out_scores / users->n < candidates->n)
    return REC_INVALID_ARGUMENT;
  request.users = users;
  request.history_items = history_items;
  request.history_offsets = history_offsets;
  request.candidates = candidates;
  request.candidate_offsets = candidate_offsets;
  return rec_recommender_score(recommender, &request, out_scores, out_row_status, out_error);
}

rec_status_t rec_py_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                  int64_t* out_rows, int64_t n_out_rows, float* out_scores, int64_t n_out_scores,
                                  int32_t* out_row_status, int64_t n_out_row_status, rec_error_t** out_error) {
  if (items == NULL || n_out_row_status < items->n) return REC_INVALID_ARGUMENT;
  if (k > 0 && items->n > 0 && (n_out_rows / items->n < k || n_out_scores / items->n < k)) return REC_INVALID_ARGUMENT;
  return rec_recommender_similar_items(recommender, items, k, out_rows, out_scores, out_row_status, out_error);
}
