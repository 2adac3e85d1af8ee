// The rows of an evaluation and what is ranked in each, as given to evaluate and train on the command line.
#pragma once

#include <string>

#include "cli/command.h"

namespace rec::cli {

struct ProtocolOptions {
  std::string protocol = "full", rows, mask = "known", ties = "lower-row", history;
  int64_t max_pos = 0, max_neg = 0, n_users = 0;
  bool skip_first = false;
  int64_t keep_lists = 0;  // items of each row's ranking that an evaluation keeps

  // Name of the kind of rows: as given, else the one that the candidates need.
  std::string row_kind() const;
  rec_protocol_t read() const;
};

// REC_ROWS_ of a kind of rows, and back.
int32_t rows_named(const std::string& name);
std::string_view row_name(int32_t rows);
// "training" or "before": what the model may know about the user of a row, as requested or by default.
std::string history_name(const rec_protocol_t& protocol);

void add_protocol_options(CLI::App& app, ProtocolOptions& options);

}  // namespace rec::cli
