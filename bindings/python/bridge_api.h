/* Functions of the bridge that Python calls with its lock held; they let go of it themselves. SWIG reads this file. */
#ifndef RECORE_BRIDGE_API_H
#define RECORE_BRIDGE_API_H

#include <Python.h>
#include <stdint.h>

#include "rec_c_api.h"

typedef int rec_py_result_t; /* -1: a Python exception is set */
typedef int rec_py_flag_t;   /* the same, and 0 or 1: False or True */

/* error_factory(code, message, argument, file, line, byte_offset) -> exception; log_handler(level, message). */
PyObject* rec_py_setup(PyObject* error_factory, PyObject* log_handler);
/* Lines of this level and above come to log_handler, on the thread that is in a long call or in rec_py_log_poll. */
rec_py_result_t rec_py_log_open(int32_t level);
/* How many lines were lost. */
PyObject* rec_py_log_poll(void);

/*
 * Long calls: a helper thread is inside the library; the caller's thread waits for it, delivers events and log lines
 * and looks for signals every 50 ms. An exception (of a callback, or of a signal handler: KeyboardInterrupt) cancels
 * the call and is raised once the library has let go. So does an is_set() of cancel, a threading.Event or None, that says so.
 */
rec_py_result_t rec_py_dataset_load(const char* path, const rec_dataset_options_t* options, PyObject* cancel,
                                    rec_dataset_t** out_dataset);
rec_py_result_t rec_py_trainer_create(const rec_dataset_t* dataset, const char* model, const char* params_json,
                                      const rec_trainer_options_t* options, const rec_protocol_t* protocol,
                                      rec_trainer_t** out_trainer);
/*
 * on_event(kind, epoch, n_epochs, batch, n_batches, loss, train_seconds, eval_seconds, metrics, is_best) for each kind
 * whose bit 1 << kind is in kinds; False stops. True when training came to its end, False when on_event stopped it.
 */
rec_py_flag_t rec_py_trainer_run(rec_trainer_t* trainer, PyObject* on_event, int32_t kinds, PyObject* cancel);
rec_py_result_t rec_py_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                      const rec_protocol_t* protocol, int32_t threads, int32_t isolation,
                                      PyObject* cancel, rec_report_t** out_report);

/* The values [n_metrics, n_rows] of float64, and the users [n_rows] of int64, as bytearrays. */
PyObject* rec_py_report_values(const rec_report_t* report);
PyObject* rec_py_report_users(const rec_report_t* report);

/* (address, rows, columns) of a DLPack capsule of this library. */
PyObject* rec_py_tensor_info(PyObject* capsule);

#endif
