/* ArrowFixture.java, over the stream that the other languages' tests use too. */
#include <jni.h>

#include "arrow_stream.h"

JNIEXPORT jlong JNICALL Java_io_recore_ArrowFixture_open(JNIEnv* env, jclass self, jlongArray users, jlongArray items) {
  const jsize n = (*env)->GetArrayLength(env, users);
  int64_t copies[2][64];
  (void)self;
  (*env)->GetLongArrayRegion(env, users, 0, n < 64 ? n : 64, (jlong*)copies[0]);
  (*env)->GetLongArrayRegion(env, items, 0, n < 64 ? n : 64, (jlong*)copies[1]);
  return (jlong)(intptr_t)rec_test_arrow_stream(copies[0], copies[1], n);
}

JNIEXPORT jint JNICALL Java_io_recore_ArrowFixture_released(JNIEnv* env, jclass self) {
  (void)env;
  (void)self;
  return (jint)rec_test_arrow_releases();
}
