// One evaluation of a model on a part of a data set, as evaluate prints it and train's report page shows it.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/evaluation_rows.h"
#include "cli/protocol_options.h"

namespace rec::cli {

struct NamedValue {
  std::string name;
  double value;
  double standard_error = std::numeric_limits<double>::quiet_NaN();
};

struct Evaluation {
  std::vector<NamedValue> metrics;
  int64_t n_rows = 0;
  double seconds = 0;
  std::shared_ptr<const EvaluationRows> rows;
};

Evaluation evaluate(const Model& model, const Dataset& dataset, const std::string& metrics,
                    const rec_protocol_t& protocol, const std::string& isolation, Context& context);
// --isolation, and its value for the library.
void add_isolation(CLI::App& app, std::string& isolation);
int32_t read_isolation(const std::string& isolation);
// Prints the metrics of a part: the event "metrics" and a table.
void tell_metrics(const Evaluation& evaluation, const Json& model, const std::string& part,
                  const ProtocolOptions& options, const rec_protocol_t& protocol, const std::optional<Split>& split,
                  Output& output);
// " users", " events", ... for a kind of rows, REC_ROWS_.
const char* row_noun(int32_t rows);
Json metrics_json(const std::vector<NamedValue>& metrics);
Json standard_errors_json(const std::vector<NamedValue>& metrics);
Json describe(const Model& model);

}  // namespace rec::cli
