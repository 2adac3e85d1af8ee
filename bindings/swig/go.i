/*
 * Go: the raw layer crec. A failure is a Go error, the only result of a generated function; other results are returned
 * through pointers of distinct types, so that a handle and a pointer to one are not mixed up. The package recore is
 * written over it by hand.
 *
 * swig -go -cgo -intgosize 64 -DSWIGWORDSIZE64; the output is committed, the test go.generated compares.
 */
%module crec

%{
#include "bridge.h"
%}

%rename("%(camelcase)s", %$isfunction) "";
%rename("%(camelcase)s", %$isvariable) "";
%rename("%(camelcase)s", %$isclass) "";

/* ---- status and errors ---- */

%typemap(gotype) rec_status_t "error"
%typemap(imtype) rec_status_t "int64" /* "uintptr" would come back as the C type, 32 bits of it */
%typemap(out) rec_status_t "$result = (intptr_t)rec_go_fail($1, &recore_error);"
%typemap(goout) rec_status_t "$result = takeFailure($1)"

%typemap(gotype) rec_status_t status "int"
%typemap(imtype) rec_status_t status "int"
%typemap(in) rec_status_t status "$1 = (rec_status_t)$input;"
%typemap(goin) rec_status_t status "$result = $input"

/* ---- handles: numbers that the library looks up, never memory ---- */

%define %recore_handle(ctype, Handle)
%insert(go_wrapper) %{
// Handle is a handle; 0 is none.
type Handle uintptr
%}
%typemap(gotype) ctype*, const ctype* "Handle"
%typemap(imtype) ctype*, const ctype* "uintptr"
%typemap(goin) ctype*, const ctype* "$result = uintptr($input)"
%typemap(in) ctype*, const ctype* "$1 = ($1_ltype)$input;"
%typemap(gotype) ctype** "*Handle"
%typemap(imtype) ctype** "*uintptr"
%typemap(goin) ctype** "$result = (*uintptr)($input)"
%typemap(in) ctype** "$1 = ($1_ltype)$input;"
%enddef
%recore_handle(rec_cancel_t, Cancel)
%recore_handle(rec_dataset_t, Dataset)
%recore_handle(rec_trainer_t, Trainer)
%recore_handle(rec_model_t, Model)
%recore_handle(rec_report_t, Report)
%recore_handle(rec_recommender_t, Recommender)
%recore_handle(rec_tuner_t, Tuner)

%typemap(gotype) int32_t* "*int32"

/* How a long call runs: created by NewRun in bridge.go. */
%typemap(gotype) const rec_run_options_t* run "Run"
%typemap(imtype) const rec_run_options_t* run "uintptr"
%typemap(goin) const rec_run_options_t* run "$result = uintptr($input)"
%typemap(in) const rec_run_options_t* run "$1 = ($1_ltype)$input;"

/* A text made by the library is copied into a Go string and ended. */
%typemap(gotype) rec_text_t** "*string"
%typemap(imtype) rec_text_t** "*uintptr"
%typemap(goin) rec_text_t** %{
  var text$argnum uintptr
  $result = &text$argnum
%}
%typemap(in) rec_text_t** "$1 = ($1_ltype)$input;"
%typemap(goargout) rec_text_t** "*arg$argnum = takeText(text$argnum)"

/* ---- Arrow: the address of a stream in C memory, as cdata.ExportRecordReader fills it ---- */

%typemap(gotype) struct ArrowArrayStream* "unsafe.Pointer"
%typemap(imtype) struct ArrowArrayStream* "unsafe.Pointer"
%typemap(goin) struct ArrowArrayStream* "$result = $input"
%typemap(in) struct ArrowArrayStream* "$1 = ($1_ltype)$input;"

/* What takes arrays, ids or callbacks, and what lends memory: bridge.h. */
%ignore rec_dataset_user_ids;
%ignore rec_dataset_item_ids;
%ignore rec_model_load_bytes;
%ignore rec_model_item_ids;
%ignore rec_model_user_ids;
%ignore rec_model_item_titles;
%ignore rec_model_item_rows;
%ignore rec_model_user_rows;
%ignore rec_model_item_vectors;
%ignore rec_model_user_vectors;
%ignore rec_report_get_metric;
%ignore rec_report_get_standard_error;
%ignore rec_event_fn;
%ignore rec_log_fn;
%ignore rec_destroy_fn;

%include "rec.i"
