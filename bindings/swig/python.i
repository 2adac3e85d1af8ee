/*
 * Python: the raw layer _recore. Failures are exceptions, results are return values, arrays are buffers.
 * The package recore is written over it by hand.
 */
%module(package="recore") _raw

%{
#include "bridge.h"
%}

/* ---- status and errors: one exception, made by recore._errors ---- */

%typemap(out) rec_status_t {
  if ($1 != REC_OK) {
    rec_py_raise($1, recore_error);
    SWIG_fail;
  }
  Py_INCREF(Py_None);
  $result = Py_None;
}

/* ---- option structs: an unknown field name is an AttributeError ---- */

%pythonnondynamic;

/* ---- how a long call runs: a tuple, see bridge.h ---- */

%typemap(in) const rec_run_options_t* run (rec_py_run_t caller) {
  if (rec_py_run_get($input, &caller) != 0) SWIG_fail;
  $1 = &caller.options;
}

/* ---- handles ---- */

%define %recore_handle(type)
%typemap(in, numinputs=0) type** (type* handle = NULL) "$1 = &handle;"
%typemap(argout) type** {
  $result = rec_py_append($result, SWIG_NewPointerObj(*$1, $*1_descriptor, 0));
}
%enddef

/* ---- texts ---- */

%typemap(in, numinputs=0) rec_text_t** (rec_text_t* text = NULL) "$1 = &text;"
%typemap(argout) rec_text_t** {
  $result = rec_py_append($result, rec_py_take_text(*$1));
}
/* UTF-8, without a NUL inside: the library would see a shorter text. */
%typemap(in) const char* {
  if (rec_py_text($input, "$1_name", (const char**)&$1) != 0) SWIG_fail;
}
%typemap(freearg) const char* ""
%typemap(typecheck) const char* ""
%typemap(in) const char* path (PyObject* encoded = NULL), const char* directory (PyObject* encoded = NULL) {
  if (!PyUnicode_FSConverter($input, &encoded)) SWIG_fail;
  $1 = PyBytes_AsString(encoded);
}
%typemap(freearg) const char* path, const char* directory {
  Py_XDECREF(encoded$argnum);
}
%typemap(in, numinputs=0) const char** out_name (char* name = NULL) "$1 = &name;"
%typemap(argout) const char** out_name {
  $result = rec_py_append($result, PyUnicode_FromString(*$1));
}

/* ---- numbers ---- */

%define %recore_out_int64(name)
%typemap(in, numinputs=0) int64_t* name (int64_t value = 0) "$1 = &value;"
%typemap(argout) int64_t* name {
  $result = rec_py_append($result, PyLong_FromLongLong(*$1));
}
%enddef
%define %recore_out_int32(name)
%typemap(in, numinputs=0) int32_t* name (int32_t value = 0) "$1 = &value;"
%typemap(argout) int32_t* name {
  $result = rec_py_append($result, PyLong_FromLong(*$1));
}
%enddef
%typemap(in, numinputs=0) double* out_mean (double value = 0) "$1 = &value;"
%typemap(argout) double* out_mean {
  $result = rec_py_append($result, PyFloat_FromDouble(*$1));
}
%apply double* out_mean { double* out_standard_error };

/* ---- arrays: anything with the buffer protocol; None is NULL ---- */

%define %recore_array(type, kind, writable, pointer, count)
%typemap(in) (type pointer, int64_t count) (rec_py_buffer_t buffer = rec_py_no_buffer) {
  if (rec_py_buffer_get($input, "$1_name", kind, writable, &buffer) != 0) SWIG_fail;
  $1 = ($1_ltype)buffer.data;
  $2 = buffer.n;
}
%typemap(freearg) (type pointer, int64_t count) {
  rec_py_buffer_clear(&buffer$argnum);
}
%enddef

/* ---- ids: int64 buffers as they are; lists of int, or of str and bytes, are copied ---- */

%typemap(in) const rec_ids_t* (rec_py_ids_t list = rec_py_no_ids) {
  if (rec_py_ids_get($input, "$1_name", &list) != 0) SWIG_fail;
  $1 = $input == Py_None ? NULL : &list.ids;
}
%typemap(freearg) const rec_ids_t* {
  rec_py_ids_clear(&list$argnum);
}
/* Ids of rows: a bytearray of int64, or a list of str (argument True) or bytes (False). */
%define %recore_out_ids(name)
%typemap(in) (rec_ids_t* name, rec_text_t** out_owner) (rec_ids_t ids, rec_text_t* owner = NULL, int as_text) {
  as_text = PyObject_IsTrue($input);
  rec_ids_init(&ids, sizeof ids, NULL);
  $1 = &ids;
  $2 = &owner;
}
%typemap(argout) (rec_ids_t* name, rec_text_t** out_owner) {
  $result = rec_py_append($result, rec_py_take_ids($1, *$2, as_text$argnum));
}
%enddef

/* ---- Arrow and DLPack: capsules ---- */

%typemap(in) struct ArrowArrayStream* {
  $1 = (struct ArrowArrayStream*)PyCapsule_GetPointer($input, "arrow_array_stream");
  if ($1 == NULL) SWIG_fail;
}
%typemap(in, numinputs=0) struct ArrowArrayStream* out_stream {
  $1 = rec_py_stream_new();
  if ($1 == NULL) SWIG_fail;
}
%typemap(argout) struct ArrowArrayStream* out_stream {
  $result = rec_py_append($result, rec_py_stream($1));
  $1 = NULL;
}
%typemap(freearg) struct ArrowArrayStream* out_stream "free($1);"
%typemap(in, numinputs=0) struct DLManagedTensorVersioned** (struct DLManagedTensorVersioned* tensor = NULL) "$1 = &tensor;"
%typemap(argout) struct DLManagedTensorVersioned** {
  $result = rec_py_append($result, rec_py_tensor(*$1));
}

%include "flat.i"

%nothread;
%include "bridge_api.h"
