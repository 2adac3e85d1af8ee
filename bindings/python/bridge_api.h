/* Functions of the bridge that Python calls with its lock held; they release it themselves. SWIG reads this file. */
#ifndef RECORE_BRIDGE_API_H
#define RECORE_BRIDGE_API_H

#include <Python.h>
#include <stdint.h>

#include "rec_c_api.h"

/* error_factory(code, message, argument, file, line, byte_offset) -> exception; log_handler(level, message). */
PyObject* rec_py_setup(PyObject* error_factory, PyObject* log_handler);
/* At the end of the interpreter: from now on the library's callbacks leave Python alone. */
PyObject* rec_py_end(void);
/* Sends lines of this level and above to log_handler, on the thread that is in a long call or in rec_py_log_poll. */
rec_status_t rec_py_log_open(int32_t level, rec_error_t** out_error);
/* Returns how many lines were lost. */
PyObject* rec_py_log_poll(void);

/* (address, rows, columns) of a DLPack capsule of this library. */
PyObject* rec_py_tensor_info(PyObject* capsule);

#endif
