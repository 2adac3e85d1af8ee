#include "bridge.h"

#include <stdlib.h>
#include <string.h>

/* ---- classes and members of Java's side ---- */

rec_java_known_t rec_java_known;
static rec_java_known_t* const known = &rec_java_known;

static jclass find_class(JNIEnv* env, const char* name) {
  jclass local = (*env)->ExceptionCheck(env) ? NULL : (*env)->FindClass(env, name);
  jclass global = local == NULL ? NULL : (*env)->NewGlobalRef(env, local);
  if (local != NULL) (*env)->DeleteLocalRef(env, local);
  return global;
}

static jmethodID find_method(JNIEnv* env, jclass of, int is_static, const char* name, const char* signature) {
  if (of == NULL || (*env)->ExceptionCheck(env)) return NULL;
  return is_static ? (*env)->GetStaticMethodID(env, of, name, signature)
                   : (*env)->GetMethodID(env, of, name, signature);
}

static jfieldID find_field(JNIEnv* env, const char* of, const char* name, const char* signature) {
  jclass owner = (*env)->ExceptionCheck(env) ? NULL : (*env)->FindClass(env, of);
  jfieldID field = owner == NULL ? NULL : (*env)->GetFieldID(env, owner, name, signature);
  if (owner != NULL) (*env)->DeleteLocalRef(env, owner);
  return field;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void* reserved) {
  static const char* const arrays[] = {"[B", "[J", "[I", "[F", "[D"};
  static const char* const buffers[] = {"java/nio/ByteBuffer", "java/nio/LongBuffer", "java/nio/IntBuffer",
                                        "java/nio/FloatBuffer", "java/nio/DoubleBuffer"};
  JNIEnv* env = NULL;
  jclass buffer, call;
  int i;
  (void)reserved;
  if ((*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_1_8) != JNI_OK) return JNI_ERR;
  known->vm = vm;
  for (i = 0; i < 5; ++i) {
    known->arrays[i] = find_class(env, arrays[i]);
    known->buffers[i] = find_class(env, buffers[i]);
  }
  known->bytes = known->arrays[0];
  known->exception = find_class(env, "io/recore/RecException");
  known->bad_state = find_class(env, "io/recore/RecException$BadState");
  known->log = find_class(env, "io/recore/Log");
  known->event = find_class(env, "io/recore/Event");
  known->make_exception = find_method(env, known->exception, 1, "make", "(I[B[B[BJJ)Lio/recore/RecException;");
  known->make_closed = find_method(env, known->exception, 1, "closed", "(Ljava/lang/Object;)Lio/recore/RecException;");
  known->handle_line = find_method(env, known->log, 1, "handle", "(I[B)V");
  known->deliver_event =
      find_method(env, known->event, 1, "deliver", "(Ljava/util/function/Predicate;IJJJJDDD[[B[DZ)Z");
  call = find_class(env, "io/recore/LongCall");
  known->go_on = find_method(env, call, 0, "goOn", "()Z");
  buffer = find_class(env, "java/nio/Buffer");
  known->position = find_method(env, buffer, 0, "position", "()I");
  known->limit = find_method(env, buffer, 0, "limit", "()I");
  if (!(*env)->ExceptionCheck(env)) {
    known->position_field = (*env)->GetFieldID(env, buffer, "position", "I");
    if (known->position_field != NULL) known->limit_field = (*env)->GetFieldID(env, buffer, "limit", "I");
    (*env)->ExceptionClear(env);
  }
  known->call_listener = find_field(env, "io/recore/LongCall", "listener", "Ljava/util/function/Predicate;");
  known->call_kinds = find_field(env, "io/recore/LongCall", "kinds", "I");
  known->call_threads = find_field(env, "io/recore/LongCall", "threads", "I");
  known->call_isolation = find_field(env, "io/recore/LongCall", "isolation", "I");
  known->handle_raw = find_field(env, "io/recore/internal/Handle", "raw", "J");
  known->ids_type = find_field(env, "io/recore/Ids", "type", "I");
  known->ids_n = find_field(env, "io/recore/Ids", "n", "I");
  known->ids_data = find_field(env, "io/recore/Ids", "data", "Ljava/lang/Object;");
  known->ids_offsets = find_field(env, "io/recore/Ids", "offsets", "Ljava/lang/Object;");
  return (*env)->ExceptionCheck(env) ? JNI_ERR : JNI_VERSION_1_8;
}

/* ---- errors ---- */

static void throw_failure(JNIEnv* env, rec_flat_failure_t failure) {
  jbyteArray text, name, path;
  jobject exception;
  if ((text = rec_java_bytes(env, failure.message)) == NULL || (name = rec_java_bytes(env, failure.argument)) == NULL ||
      (path = rec_java_bytes(env, failure.file)) == NULL)
    return; /* with Java's OutOfMemoryError */
  exception = (*env)->CallStaticObjectMethod(env, known->exception, known->make_exception, (jint)failure.status, text,
                                             name, path, (jlong)failure.line, (jlong)failure.byte_offset);
  if (!(*env)->ExceptionCheck(env)) (*env)->Throw(env, exception);
}

void rec_java_throw(JNIEnv* env, rec_status_t status, rec_error_t* error) {
  if (!(*env)->ExceptionCheck(env)) throw_failure(env, rec_flat_failure(status, error));
  rec_error_destroy(error);
}

static void throw_own(JNIEnv* env, rec_status_t status, const char* message, const char* argument) {
  const rec_flat_failure_t failure = {status, message, argument, "", -1, -1};
  throw_failure(env, failure);
}

void rec_java_throw_argument(JNIEnv* env, const char* argument, const char* text) {
  char message[160];
  size_t n;
  if ((*env)->ExceptionCheck(env)) return;
  n = strlen(argument) < 60 ? strlen(argument) : 60;
  memcpy(message, argument, n);
  memcpy(message + n, ": ", 3);
  strncat(message, text, sizeof message - n - 3);
  throw_own(env, REC_INVALID_ARGUMENT, message, argument);
}

/* ---- handles ---- */

void* rec_java_handle(JNIEnv* env, jobject handle) {
  jlong raw;
  jobject exception;
  if (handle == NULL || (*env)->ExceptionCheck(env)) return NULL;
  raw = (*env)->GetLongField(env, handle, known->handle_raw);
  if (raw != 0) return (void*)(intptr_t)raw;
  exception = (*env)->CallStaticObjectMethod(env, known->exception, known->make_closed, handle);
  if (!(*env)->ExceptionCheck(env)) (*env)->Throw(env, exception);
  return NULL;
}

void rec_java_check_closed(JNIEnv* env, jobject handle) {
  jobject exception = (*env)->ExceptionCheck(env) ? (*env)->ExceptionOccurred(env) : NULL;
  if (exception == NULL || handle == NULL) return;
  (*env)->ExceptionClear(env);
  if ((*env)->IsInstanceOf(env, exception, known->bad_state) &&
      (*env)->GetLongField(env, handle, known->handle_raw) == 0)
    exception = (*env)->CallStaticObjectMethod(env, known->exception, known->make_closed, handle);
  if (!(*env)->ExceptionCheck(env)) (*env)->Throw(env, exception);
}

/* ---- results ---- */

jbyteArray rec_java_bytes(JNIEnv* env, const char* text) {
  const jsize n = text == NULL ? 0 : (jsize)strlen(text);
  jbyteArray bytes = text == NULL ? NULL : (*env)->NewByteArray(env, n);
  if (bytes != NULL) (*env)->SetByteArrayRegion(env, bytes, 0, n, (const jbyte*)text);
  return bytes;
}

jbyteArray rec_java_take_text(JNIEnv* env, rec_text_t* text) {
  jbyteArray bytes = rec_java_bytes(env, rec_text_data(text));
  rec_text_destroy(text);
  return bytes;
}

void rec_java_put_int64(JNIEnv* env, jlongArray out, int64_t value) {
  const jlong number = value;
  (*env)->SetLongArrayRegion(env, out, 0, 1, &number);
}

void rec_java_put_object(JNIEnv* env, jobjectArray out, jsize i, jobject value) {
  if ((*env)->ExceptionCheck(env)) return;
  (*env)->SetObjectArrayElement(env, out, i, value);
  if (value != NULL) (*env)->DeleteLocalRef(env, value);
}

static jlongArray new_longs(JNIEnv* env, const int64_t* numbers, int64_t n) {
  jlongArray longs = (*env)->NewLongArray(env, (jsize)n);
  if (longs != NULL) (*env)->SetLongArrayRegion(env, longs, 0, (jsize)n, (const jlong*)numbers);
  return longs;
}

void rec_java_put_ids(JNIEnv* env, jobjectArray out, const rec_ids_t* ids) {
  int64_t first, n;
  jbyteArray bytes;
  if (ids->type == REC_ID_INT64) {
    rec_java_put_object(env, out, 0, new_longs(env, ids->i64, ids->n));
    return;
  }
  first = ids->offsets[0];
  n = ids->offsets[ids->n] - first;
  if (first != 0 || n > INT32_MAX - 8) {
    throw_own(env, REC_LIMIT, "ids: are more than 2 GiB; ask for fewer at a time", "ids");
    return;
  }
  bytes = (*env)->NewByteArray(env, (jsize)n);
  if (bytes == NULL) return;
  (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)n, (const jbyte*)ids->bytes);
  rec_java_put_object(env, out, 0, bytes);
  rec_java_put_object(env, out, 1, new_longs(env, ids->offsets, ids->n + 1));
}

void rec_java_put_tensor(JNIEnv* env, jobjectArray out, struct DLManagedTensorVersioned* tensor) {
  const rec_flat_matrix_t matrix = rec_flat_matrix(tensor);
  const int64_t facts[] = {(int64_t)(intptr_t)tensor, matrix.n, matrix.d};
  const int64_t n_bytes = matrix.n * matrix.d * (int64_t)sizeof(float);
  if (n_bytes > INT32_MAX)
    throw_own(env, REC_LIMIT, "vectors: are more than 2 GiB, which a buffer of Java cannot hold", "");
  else
    rec_java_put_object(env, out, 0, (*env)->NewDirectByteBuffer(env, (void*)matrix.data, n_bytes));
  if (!(*env)->ExceptionCheck(env)) rec_java_put_object(env, out, 1, new_longs(env, facts, 3));
  if ((*env)->ExceptionCheck(env)) rec_flat_matrix_end(tensor);
}

void rec_java_end(int32_t kind, int64_t raw) {
  void* handle = (void*)(intptr_t)raw;
  switch (kind) {
    case REC_JAVA_DATASET: rec_dataset_destroy(handle); break;
    case REC_JAVA_TRAINER: rec_trainer_destroy(handle); break;
    case REC_JAVA_MODEL: rec_model_destroy(handle); break;
    case REC_JAVA_REPORT: rec_report_destroy(handle); break;
    case REC_JAVA_RECOMMENDER: rec_recommender_destroy(handle); break;
    case REC_JAVA_TENSOR: rec_flat_matrix_end(handle); break;
    case REC_JAVA_TUNER: rec_tuner_destroy(handle); break;
    default: break;
  }
}

/* ---- arrays and buffers: never "critical", since the library takes locks and may be slow ---- */

typedef struct {
  int i; /* of the classes in rec_java_known_t */
  int64_t size;
} kind_t;

static kind_t kind_of(char kind) {
  switch (kind) {
    case 'B': return (kind_t){0, 1};
    case 'q': return (kind_t){1, 8};
    case 'i': return (kind_t){2, 4};
    case 'f': return (kind_t){3, 4};
    default: return (kind_t){4, 8};
  }
}

static void copy_array(JNIEnv* env, const rec_java_buffer_t* buffer, int to_java) {
  const jsize n = (jsize)buffer->n;
#define COPY(Type)                                                                   \
  (to_java ? (*env)->Set##Type##ArrayRegion(env, buffer->array, 0, n, buffer->data) \
           : (*env)->Get##Type##ArrayRegion(env, buffer->array, 0, n, buffer->data))
  switch (buffer->kind) {
    case 'B': COPY(Byte); break;
    case 'q': COPY(Long); break;
    case 'i': COPY(Int); break;
    case 'f': COPY(Float); break;
    default: COPY(Double);
  }
#undef COPY
}

/* A small array is copied to the stack: without malloc a call with arrays costs a tenth of a microsecond less. */
static void get_array(JNIEnv* env, jobject array, kind_t kind, rec_java_buffer_t* out) {
  const int64_t n = (*env)->GetArrayLength(env, array);
  const int is_small = n * kind.size <= (int64_t)sizeof out->small;
  out->data = is_small ? out->small : malloc((size_t)(n * kind.size));
  if (out->data == NULL) {
    rec_java_throw(env, REC_OUT_OF_MEMORY, NULL);
    return;
  }
  out->array = array;
  out->n = n;
  copy_array(env, out, 0);
}

static void get_direct(JNIEnv* env, jobject buffer, kind_t kind, rec_java_buffer_t* out) {
  jint position, limit;
  char* data = (*env)->GetDirectBufferAddress(env, buffer);
  if (data == NULL) return;
  if (known->limit_field != NULL) { /* calling Java from here would cost 70 ns */
    position = (*env)->GetIntField(env, buffer, known->position_field);
    limit = (*env)->GetIntField(env, buffer, known->limit_field);
  } else {
    position = (*env)->CallIntMethod(env, buffer, known->position);
    if ((*env)->ExceptionCheck(env)) return;
    limit = (*env)->CallIntMethod(env, buffer, known->limit);
    if ((*env)->ExceptionCheck(env)) return;
  }
  out->data = data + position * kind.size;
  out->n = limit - position;
}

void rec_java_buffer_get(JNIEnv* env, jobject object, const char* name, char kind, rec_java_buffer_t* out) {
  const kind_t k = kind_of(kind);
  out->array = NULL;
  out->data = NULL;
  out->n = 0;
  out->kind = kind;
  if (object == NULL || (*env)->ExceptionCheck(env)) return;
  if ((*env)->IsInstanceOf(env, object, known->buffers[k.i]))
    get_direct(env, object, k, out);
  else if ((*env)->IsInstanceOf(env, object, known->arrays[k.i]))
    get_array(env, object, k, out);
  if (out->data == NULL) rec_java_throw_argument(env, name, "must be an array or a direct buffer of its type");
}

void rec_java_buffer_release(JNIEnv* env, rec_java_buffer_t* buffer, int is_written) {
  if (buffer->array == NULL) return;
  if (is_written && !(*env)->ExceptionCheck(env)) copy_array(env, buffer, 1);
  if (buffer->data != (void*)buffer->small) free(buffer->data);
}

const rec_ids_t* rec_java_ids_get(JNIEnv* env, jobject object, const char* name, rec_java_ids_t* out) {
  int is_bytes;
  out->data.array = out->offsets.array = NULL;
  out->offsets.data = NULL;
  if (object == NULL || (*env)->ExceptionCheck(env)) return NULL;
  rec_ids_init(&out->ids, sizeof out->ids, NULL);
  out->ids.type = (*env)->GetIntField(env, object, known->ids_type);
  out->ids.n = (*env)->GetIntField(env, object, known->ids_n);
  is_bytes = out->ids.type == REC_ID_BYTES;
  rec_java_buffer_get(env, (*env)->GetObjectField(env, object, known->ids_data), name, is_bytes ? 'B' : 'q',
                      &out->data);
  if (is_bytes)
    rec_java_buffer_get(env, (*env)->GetObjectField(env, object, known->ids_offsets), name, 'q', &out->offsets);
  if (out->data.data == NULL || (is_bytes && out->offsets.data == NULL)) return NULL; /* with an exception */
  if ((is_bytes ? out->offsets.n - 1 : out->data.n) < out->ids.n) {
    rec_java_throw_argument(env, name, "the ids reach beyond their buffer");
    return NULL;
  }
  out->ids.i64 = is_bytes ? NULL : out->data.data;
  out->ids.bytes = is_bytes ? out->data.data : NULL;
  out->ids.n_bytes = is_bytes ? out->data.n : 0;
  out->ids.offsets = out->offsets.data;
  return &out->ids;
}

void rec_java_ids_release(JNIEnv* env, rec_java_ids_t* ids) {
  rec_java_buffer_release(env, &ids->data, 0);
  rec_java_buffer_release(env, &ids->offsets, 0);
}
