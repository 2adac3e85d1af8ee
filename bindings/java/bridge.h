/* What the typemaps of java.i need beyond SWIG: errors, handles, arrays, ids, borrowed memory. Only functions that release
 * something may be called with an exception pending. */
#ifndef RECORE_BRIDGE_H
#define RECORE_BRIDGE_H

#include <jni.h>
#include <stdint.h>

#include "bridge_calls.h"
#include "flat.h"
#include "rec_c_api.h"

/* Ends the error of a failed call and throws its io.recore.RecException, unless an exception is pending, which then made
   the call fail. */
void rec_java_throw(JNIEnv* env, rec_status_t status, rec_error_t* error);
void rec_java_throw_argument(JNIEnv* env, const char* argument, const char* text);

/* The handle of an io.recore.internal.Handle; NULL for null, and NULL with an exception for a closed one. */
void* rec_java_handle(JNIEnv* env, jobject handle);
/* After a call that failed: a bad state of an object that another thread has closed meanwhile is the exception for that. */
void rec_java_check_closed(JNIEnv* env, jobject handle);

jbyteArray rec_java_bytes(JNIEnv* env, const char* text);
jbyteArray rec_java_take_text(JNIEnv* env, rec_text_t* text);
void rec_java_put_int64(JNIEnv* env, jlongArray out, int64_t value);
void rec_java_put_object(JNIEnv* env, jobjectArray out, jsize i, jobject value);
void rec_java_put_ids(JNIEnv* env, jobjectArray out, const rec_ids_t* ids);
void rec_java_put_tensor(JNIEnv* env, jobjectArray out, struct DLManagedTensorVersioned* tensor);

typedef struct {
  jobject array; /* NULL for a buffer */
  void* data;
  int64_t n; /* elements */
  char kind;
  int64_t small[32]; /* where a short array is copied to; a longer one goes to the heap */
} rec_java_buffer_t;

/* kind as in flat.i. A buffer is read from its position on. */
void rec_java_buffer_get(JNIEnv* env, jobject object, const char* name, char kind, rec_java_buffer_t* out);
/* is_written: copies the values back into the array. */
void rec_java_buffer_release(JNIEnv* env, rec_java_buffer_t* buffer, int is_written);

typedef struct {
  rec_ids_t ids;
  rec_java_buffer_t data, offsets;
} rec_java_ids_t;

const rec_ids_t* rec_java_ids_get(JNIEnv* env, jobject object, const char* name, rec_java_ids_t* out);
void rec_java_ids_release(JNIEnv* env, rec_java_ids_t* ids);

/* How a long call runs: an io.recore.LongCall. */
typedef struct {
  rec_run_options_t options;
  JNIEnv* env;
  jobject call, listener; /* a Predicate<Event>, nullable: for events whose bit 1 << kind is in kinds; false ends the call */
  int32_t kinds;
} rec_java_run_t;
const rec_run_options_t* rec_java_run_get(JNIEnv* env, jobject call, rec_java_run_t* out);

/* Classes and members that the bridge uses, found once in JNI_OnLoad. */
typedef struct {
  JavaVM* vm;
  jclass exception, bad_state, log, event, bytes;
  jclass arrays[5], buffers[5]; /* of the kinds B, q, i, f, d */
  jmethodID make_exception, make_closed, handle_line, deliver_event, go_on, position, limit;
  jfieldID position_field, limit_field; /* of java.nio.Buffer, private: NULL in a JVM that names them otherwise */
  jfieldID call_listener, call_kinds, call_threads, call_isolation;
  jfieldID handle_raw, ids_type, ids_n, ids_data, ids_offsets;
} rec_java_known_t;
extern rec_java_known_t rec_java_known;

#endif
