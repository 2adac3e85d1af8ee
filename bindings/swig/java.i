/*
 * Java: the raw layer io.recore.internal.Raw. Failures are exceptions, objects of the library go in as the Java objects
 * that own them, arrays go in as arrays or direct buffers, and results come back in one-element arrays.
 * The package io.recore is written over it by hand.
 */
%module Raw
%javaconst(1);
%ignore REC_NO_ROW;

%{
#include "bridge.h"
%}

%pragma(java) jniclasscode=%{
  static {
    Natives.load();
  }
%}

/* A typemap that fails leaves an exception; then the library is not called. */
%exception {
  if (!(*jenv)->ExceptionCheck(jenv)) {
    $action
  }
}

/* ---- status and errors ---- */

%typemap(jni) rec_status_t "void"
%typemap(jtype) rec_status_t "void"
%typemap(jstype) rec_status_t "void"
%typemap(javaout) rec_status_t {
    $jnicall;
  }
%typemap(out, noblock=1) rec_status_t {
  if ($1 != REC_OK) rec_java_throw(jenv, $1, recore_error);
}
/* argout code also runs after a failure, when there is nothing to hand out. */
%define %recore_succeeded
if (!(*jenv)->ExceptionCheck(jenv) && result == REC_OK)
%enddef
%typemap(jni) rec_status_t status "jint"
%typemap(jtype) rec_status_t status "int"
%typemap(jstype) rec_status_t status "int"
%typemap(javain) rec_status_t status "$javainput"

%typemap(in, numinputs=0) JNIEnv* env "$1 = jenv;"

/* ---- the common part of every typemap for a Java type ---- */

%define %recore_java_type(c_type, jni_type, java_type)
%typemap(jni) c_type "jni_type"
%typemap(jtype) c_type "java_type"
%typemap(jstype) c_type "java_type"
%typemap(javain) c_type "$javainput"
%enddef

/* ---- how a long call runs: an io.recore.LongCall, which only the package io.recore can name ---- */

%recore_java_type(const rec_run_options_t* run, jobject, Object)
%typemap(in) const rec_run_options_t* run (rec_java_run_t caller) {
  $1 = ($1_ltype)rec_java_run_get(jenv, $input, &caller);
}

/* ---- handles: the object that owns one is an argument, so that the collector leaves it alone during the call ---- */

%define %recore_handle(type)
%recore_java_type(type*, jobject, Handle)
%recore_java_type(type**, jlongArray, long[])
%typemap(in) type* "$1 = (type*)rec_java_handle(jenv, $input);"
%typemap(freearg) type* "rec_java_check_closed(jenv, $input);"
%typemap(in) type** (type* handle = NULL) "$1 = &handle;"
%typemap(argout) type** {
  %recore_succeeded rec_java_put_int64(jenv, $input, (int64_t)(intptr_t)*$1);
}
%apply type* { const type* };
%enddef
%ignore rec_dataset_destroy; /* rec_java_end */
%ignore rec_trainer_destroy;
%ignore rec_model_destroy;
%ignore rec_report_destroy;
%ignore rec_recommender_destroy;
%ignore rec_tuner_destroy;

/* ---- texts: byte[] of UTF-8, with a NUL at its end on the way in ---- */

%recore_java_type(const char*, jbyteArray, byte[])
%typemap(in) const char* (jbyte* bytes = NULL) {
  if ($input != NULL && !(*jenv)->ExceptionCheck(jenv)) bytes = (*jenv)->GetByteArrayElements(jenv, $input, NULL);
  $1 = (char*)bytes;
}
%typemap(freearg) const char* {
  if (bytes$argnum != NULL) (*jenv)->ReleaseByteArrayElements(jenv, $input, bytes$argnum, JNI_ABORT);
}
%typemap(out) const char* "$result = rec_java_bytes(jenv, $1);"
%typemap(javaout) const char* {
    return $jnicall;
  }
%define %recore_out_text(type, name, expression)
%recore_java_type(type name, jobjectArray, byte[][])
%typemap(in) type name ($*1_ltype text = NULL) "$1 = &text;"
%typemap(argout) type name {
  %recore_succeeded rec_java_put_object(jenv, $input, 0, expression);
}
%enddef
%recore_out_text(rec_text_t**, out_json, rec_java_take_text(jenv, *$1))
%recore_out_text(const char**, out_name, rec_java_bytes(jenv, *$1))

/* ---- numbers ---- */

%define %recore_out_int64(name)
%recore_java_type(int64_t* name, jlongArray, long[])
%typemap(in) int64_t* name (int64_t value = 0) "$1 = &value;"
%typemap(argout) int64_t* name {
  %recore_succeeded rec_java_put_int64(jenv, $input, *$1);
}
%enddef
%define %recore_out_int32(name)
%recore_java_type(int32_t* name, jintArray, int[])
%typemap(in) int32_t* name (int32_t value = 0) "$1 = &value;"
%typemap(argout) int32_t* name {
  %recore_succeeded {
    const jint given = *$1;
    (*jenv)->SetIntArrayRegion(jenv, $input, 0, 1, &given);
  }
}
%enddef
%recore_java_type(double* out_mean, jdoubleArray, double[])
%typemap(in) double* out_mean (double value = 0) "$1 = &value;"
%typemap(argout) double* out_mean {
  %recore_succeeded (*jenv)->SetDoubleArrayRegion(jenv, $input, 0, 1, $1);
}
%apply double* out_mean { double* out_standard_error };

/* ---- arrays: a Java array or a direct buffer of that type; null is NULL ---- */

%define %recore_array(type, kind, writable, pointer, count)
%recore_java_type((type pointer, int64_t count), jobject, Object)
%typemap(in) (type pointer, int64_t count) (rec_java_buffer_t buffer) {
  rec_java_buffer_get(jenv, $input, "$1_name", kind, &buffer);
  $1 = ($1_ltype)buffer.data;
  $2 = buffer.n;
}
%typemap(freearg) (type pointer, int64_t count) {
  rec_java_buffer_release(jenv, &buffer$argnum, writable);
}
%enddef

/* ---- ids ---- */

%recore_java_type(const rec_ids_t*, jobject, io.recore.Ids)
%typemap(in) const rec_ids_t* (rec_java_ids_t list) {
  $1 = ($1_ltype)rec_java_ids_get(jenv, $input, "$1_name", &list);
}
%typemap(freearg) const rec_ids_t* {
  rec_java_ids_release(jenv, &list$argnum);
}
/* Ids of rows: Object[2] receives long[] and null, or byte[] and its offsets, long[]. */
%define %recore_out_ids(name)
%recore_java_type((rec_ids_t* name, rec_text_t** out_owner), jobjectArray, Object[])
%typemap(in) (rec_ids_t* name, rec_text_t** out_owner) (rec_ids_t ids, rec_text_t* owner = NULL) {
  rec_ids_init(&ids, sizeof ids, NULL);
  $1 = &ids;
  $2 = &owner;
}
%typemap(argout) (rec_ids_t* name, rec_text_t** out_owner) {
  %recore_succeeded rec_java_put_ids(jenv, $input, $1);
  rec_text_destroy(*$2);
}
%enddef

/* ---- Arrow by address; DLPack as {ByteBuffer over the model's memory, long[] {tensor, rows, columns}} ---- */

%recore_java_type(struct ArrowArrayStream*, jlong, long)
%typemap(in) struct ArrowArrayStream* "$1 = (struct ArrowArrayStream*)(intptr_t)$input;"
%recore_java_type(struct DLManagedTensorVersioned**, jobjectArray, Object[])
%typemap(in) struct DLManagedTensorVersioned** (struct DLManagedTensorVersioned* tensor = NULL) "$1 = &tensor;"
%typemap(argout) struct DLManagedTensorVersioned** {
  %recore_succeeded rec_java_put_tensor(jenv, $input, *$1);
}

/* ---- option structs: closed by hand, without a finalizer ---- */

%typemap(javainterfaces) SWIGTYPE "AutoCloseable"
%typemap(javafinalize) SWIGTYPE ""
%typemap(javacode) SWIGTYPE %{
  @Override
  public void close() {
    delete();
  }
%}

%include "flat.i"
%include "bridge_calls.h"
