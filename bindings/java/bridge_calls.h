/* Calls with callbacks, in a form that typemaps can fill; more of them in flat.h. SWIG reads this file. */
#ifndef RECORE_BRIDGE_CALLS_H
#define RECORE_BRIDGE_CALLS_H

#include <jni.h>

#include "rec_c_api.h"

/* Kinds of handles, for rec_java_end. */
#define REC_JAVA_DATASET 1
#define REC_JAVA_TRAINER 2
#define REC_JAVA_MODEL 3
#define REC_JAVA_REPORT 4
#define REC_JAVA_RECOMMENDER 5
#define REC_JAVA_TENSOR 6
#define REC_JAVA_TUNER 7

/* Ends the object of raw. A handle may already be closed, which does nothing; a tensor must not be. */
void rec_java_end(int32_t kind, int64_t raw);

/* Sends lines of this level and above to io.recore.Log.handle, on the thread in a long call or in rec_java_log_poll. */
rec_status_t rec_java_log_open(int32_t level, rec_error_t** out_error);
rec_status_t rec_java_log_poll(rec_error_t** out_error);

#endif
