/**
 * A model plugin in C++20: write a class and a list of its parameters, get the C table of rec_plugin_api.h.
 *
 * These headers are compiled into the plugin. They call nothing but rec_plugin_api.h, and only that C ABI is promised to
 * stay: a plugin built with the headers of one release runs with the library of a later one.
 *
 *   recore/plugin_call.h       what a slot is given: Context, Batch, parallel_for; how it fails
 *   recore/plugin_fields.h     Fields: each parameter of a model declared and read in one line
 *   recore/plugin_parameter.h  Parameter: a trained tensor with its optimiser; TouchedRows: the rows a batch uses
 *   recore/plugin_model.h      Model, the base class, and table<M>(), which turns it into the C table
 *
 *   struct Options {
 *     int64_t emb_size;
 *     void declare(rec::plugin::Fields& field) { field("emb_size", emb_size, "64", {1, 4096}, "length of the vectors"); }
 *   };
 *   class MyModel : public rec::plugin::Model {
 *    public:
 *     using Options = ::Options;
 *     static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
 *     MyModel(const Options& options, const rec_schema_t& schema);
 *     ...
 *   };
 *   REC_PLUGIN_NOTE(my_model, "1.0.0", 0, "", "what it does, in a line");
 *   REC_PLUGIN_ENTRY(rec::plugin::table<MyModel>(rec_plugin_note, kCapabilities, 1, "whose paper"))
 */
#pragma once

#if defined(__GNUC__) && !defined(REC_BUILDS_RECORE)
#pragma GCC system_header  // the warning flags of a plugin are for its own code
#endif

#include "recore/plugin_model.h"
