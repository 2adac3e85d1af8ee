// What is trained, on what, and how it is judged: every command that trains translates what it was given into one of
// these, and run_experiment does the rest.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/protocol_options.h"

namespace rec::cli {

// When training ends before its last epoch, beside the loop's parameter `patience`.
struct EarlyStop {
  std::string rule = "patience";
  int64_t epochs = 10;  // of the rule rechorus; 0 = never
};

struct Experiment {
  std::string model;
  Json parameters = Json::object();  // of the model and of the training loop; values as text
  DataOptions data;

  bool train = true;  // or only measure the model that is at `out`
  std::vector<std::string> warm_start;
  std::string metrics, main_metric;  // on valid after each epoch; "" = the library's
  EarlyStop early_stop;
  std::string isolation = "in_process";

  ProtocolOptions protocol;         // of both parts
  std::string final_metrics;        // on valid and test after training; "" = they are not measured
  std::vector<std::string> files;   // of test rows, which no part of `data` has; each is measured as a whole
  bool measures_untrained = false;  // those of the test before the first epoch too

  std::string out, report, rows, checkpoint;  // files; "" = none, a checkpoint beside `out` if there is one
  bool saves_last = false;              // rather than the best epoch
  double checkpoint_seconds = 30;
  int64_t checkpoint_batches = 0;
  bool resume = false;
  std::string dump_config;  // a file for this experiment, written once it is known to be sound
};

// Calls visitor.section(name) and visitor.field(name, member, doc) for everything that a file can say.
template <class Visitor>
void visit(Experiment& e, Visitor& visitor) {
  visitor.field("model", e.model, "name of a model; `recore plugins` lists them");
  visitor.field("parameters", e.parameters, "of the model and of training; `recore plugins NAME` lists them");
  visitor.section("data");
  visitor.field("path", e.data.path, "file or folder; may be empty where training.enabled is false");
  visitor.field("format", e.data.format,
                "auto, csv, tsv, parquet, lightgcn, recbole, rechorus, movielens, gru4rec, two_tower");
  visitor.field("valid", e.data.valid, "a file whose rows are for validation");
  visitor.field("test", e.data.test, "a file whose rows are for the test");
  visitor.field("user_column", e.data.user_column, "a name, or a position without a header");
  visitor.field("item_column", e.data.item_column, "the same");
  visitor.field("time_column", e.data.time_column, "the same; empty ignores times");
  visitor.field("weight_column", e.data.weight_column, "the same; empty ignores ratings");
  visitor.field("label_column", e.data.label_column, "1 = clicked, 0 = shown only; empty ignores it");
  visitor.field("impression_key", e.data.impression_key, "time or a column: what tells a user's lists apart");
  visitor.field("separator", e.data.separator, "one byte, or tab");
  visitor.field("header", e.data.header, "auto, yes, no");
  visitor.field("quotes", e.data.quotes, "auto, csv, none");
  visitor.field("time_unit", e.data.time_unit, "auto, s, ms, us, ns");
  visitor.field("time_format", e.data.time_format, "of dates that are not ISO 8601");
  visitor.field("missing", e.data.missing, "words for a missing id, by comma");
  visitor.field("min_weight", e.data.min_weight, "rows below are left out");
  visitor.field("user_id_type", e.data.user_id_type, "auto, int64, bytes");
  visitor.field("item_id_type", e.data.item_id_type, "the same");
  visitor.field("bad_rows", e.data.bad_rows, "error, skip");
  visitor.field("max_bad_rows", e.data.max_bad_rows, "that are skipped; 0 = 1000");
  visitor.field("split", e.data.split, "of data without parts: user, interaction, time, leave-one-out, session");
  visitor.field("ratio", e.data.ratio, "its shares of train, valid and test");
  visitor.field("memory_limit", e.data.memory_limit, "bytes; fail rather than use more; 0 = none");
  visitor.field("all_train", e.data.all_train, "train on every row, without a split");
  visitor.section("training");
  visitor.field("enabled", e.train, "false: only measure the model that is there");
  visitor.field("warm_start", e.warm_start, "model files to start from");
  visitor.field("metrics", e.metrics, "on valid after each epoch, by comma");
  visitor.field("main_metric", e.main_metric, "decides the best epoch; the first of metrics");
  visitor.field("early_stop", e.early_stop.rule, "patience (the parameter), rechorus");
  visitor.field("early_stop_epochs", e.early_stop.epochs, "of the rule rechorus; 0 = never");
  visitor.field("isolation", e.isolation, "in_process, process, auto");
  visitor.section("evaluation");
  visitor.field("metrics", e.final_metrics, "on valid and test after training, by comma; empty = none");
  visitor.field("files", e.files,
                "files of test rows, read as data.path is; each is measured after training, as a whole");
  visitor.field("untrained", e.measures_untrained, "measure the test before the first epoch too");
  visitor.field("protocol", e.protocol.protocol, "full, given, uniN, popN");
  visitor.field("rows", e.protocol.rows, "user, event, list, label");
  visitor.field("mask", e.protocol.mask, "known, train, none");
  visitor.field("ties", e.protocol.ties, "lower-row, against-target");
  visitor.field("history", e.protocol.history, "training, before");
  visitor.field("max_pos", e.protocol.max_pos, "clicked items of a list that count; 0 = 20");
  visitor.field("max_neg", e.protocol.max_neg, "shown items of a list that count; 0 = 20");
  visitor.field("users", e.protocol.n_users, "measure so many users, drawn by the seed; 0 = all");
  visitor.field("skip_first", e.protocol.skip_first, "events of unknown items and a user's first event are no rows");
  visitor.field("keep_lists", e.protocol.keep_lists, "items of each row's ranking that output.rows has");
  visitor.section("output");
  visitor.field("model", e.out, "model file to write");
  visitor.field("report", e.report, "page about the run");
  visitor.field("rows", e.rows, "the test's metrics row by row: .csv, .tsv or .jsonl");
  visitor.field("last", e.saves_last, "save the last epoch rather than the best");
  visitor.field("checkpoint", e.checkpoint, "file; by default the model's name with .ckpt");
  visitor.field("checkpoint_seconds", e.checkpoint_seconds, "least time between two checkpoints");
  visitor.field("checkpoint_batches", e.checkpoint_batches, "also after so many batches; 0 = not");
}

// An experiment from a YAML file. ${NAME} is replaced by a variable of the environment, $${ is ${; each of settings, "a.b=c",
// replaces a value. INVALID_ARGUMENT with file and line for what is not in visit, with the nearest name.
Experiment read_experiment(const std::string& path, const std::vector<std::string>& settings);
// As YAML that read_experiment reads: what differs from the defaults.
std::string experiment_text(const Experiment& experiment);
// --dump-config FILE.
void write_experiment(const std::string& path, const Experiment& experiment);

}  // namespace rec::cli
