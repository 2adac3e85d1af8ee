// The files of predictions that main.py writes beside its log.
#pragma once

#include "cli/evaluation_rows.h"

namespace rec::cli::rechorus {

// Where they are: the log's name up to its first dot is the folder.
std::string predictions_path(const std::string& log_path, const std::string& model_and_mode, const std::string& part);
// How many items of each row they have. slots: of an impression list.
int64_t predictions_per_row(const std::string& mode, int64_t slots);
// mode: "" (the first 100 items of each row), Impression (clicked and shown items apart) or CTR.
void write_predictions(const std::string& path, const std::string& mode, char separator, const EvaluationRows& rows);

}  // namespace rec::cli::rechorus
