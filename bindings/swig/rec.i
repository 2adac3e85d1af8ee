/*
 * The C API as SWIG sees it, in any language. A language file (python.i) sets its typemaps, then includes this one.
 * What is ignored here needs a hand-written bridge in each language.
 */
%{
#include <stdlib.h>
#include <string.h>

#include "rec_c_api.h"
%}

%include <stdint.i>
#define __attribute__(x)

/* Each language's typemap for a status ends recore_error. */
%typemap(in, numinputs=0, noblock=1) rec_error_t** out_error {
  rec_error_t* recore_error = NULL;
  $1 = &recore_error;
}
%typemap(argout) rec_error_t** out_error ""

/* Callbacks, and structs that hold pointers into the caller's memory. Each language has a typemap for `run`. */
%ignore rec_log_set_sink;
%ignore rec_log_poll;
%ignore rec_event_t;
%ignore rec_run_options_t;
%ignore rec_columns_t;
%ignore rec_lists_t;
%ignore rec_ids_t;
%ignore rec_request_t;
%ignore rec_output_t;
%ignore rec_dataset_create_from_columns;
%ignore rec_lists_evaluate;
%ignore rec_recommender_top_k;
%ignore rec_recommender_score;
%ignore rec_recommender_similar_items;
%ignore rec_recommender_similar_users;

/* Borrowed memory: a bridge copies it while its owner lives. */
%ignore rec_report_get_values;
%ignore rec_report_get_users;
%ignore rec_report_get_interactions;
%ignore rec_report_get_lists;
%ignore rec_text_data;
%ignore rec_text_destroy;

/* Errors become exceptions, or the language's error value. */
%ignore rec_error_code;
%ignore rec_error_message;
%ignore rec_error_argument;
%ignore rec_error_file;
%ignore rec_error_line;
%ignore rec_error_byte_offset;
%ignore rec_error_destroy;

/* Option structs: created by their _init function; they own the texts that are put into them. */
%ignore rec_ids_init;
%ignore rec_columns_init;
%ignore rec_lists_init;
%ignore rec_request_init;
%ignore rec_output_init;
%ignore rec_run_options_init;
%ignore struct_size;
%ignore reserved;
%typemap(memberin) const char* {
  free((char*)$1);
  $1 = $input ? strdup($input) : NULL;
}

%define %recore_options(name, free_texts)
%ignore name##_init;
%extend name##_t {
  name##_t() {
    name##_t* options = (name##_t*)calloc(1, sizeof *options); /* _init may fail: a forked child */
    if (options) name##_init(options, sizeof *options, NULL);
    return options;
  }
  ~name##_t() {
    free_texts
    free($self);
  }
}
%enddef

%recore_options(rec_dataset_options,
  free((char*)$self->format); free((char*)$self->user_column); free((char*)$self->item_column);
  free((char*)$self->time_column); free((char*)$self->weight_column); free((char*)$self->separator);
  free((char*)$self->label_column); free((char*)$self->impression_key); free((char*)$self->time_format);
  free((char*)$self->missing); free((char*)$self->valid_path); free((char*)$self->test_path);)
%recore_options(rec_trainer_options,
  free((char*)$self->checkpoint_path); free((char*)$self->metrics); free((char*)$self->main_metric);)
%recore_options(rec_split_options, )
%recore_options(rec_protocol, )
%recore_options(rec_save_options, )
%recore_options(rec_load_options, )
%recore_options(rec_recommender_options, )
%recore_options(rec_tuner_options, free((char*)$self->journal_path);)

%include "rec_c_api.h"
