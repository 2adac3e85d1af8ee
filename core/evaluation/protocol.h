#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/data/dataset.h"
#include "core/evaluation/metrics.h"

namespace rec {

// What a row is, which items it ranks and what the model may know about its user: rec_protocol_t.
struct Protocol {
  Part part = Part::kTest;
  int32_t rows = REC_ROWS_USER;
  int32_t candidates = REC_CANDIDATES_FULL;
  int32_t mask = REC_MASK_KNOWN;
  int32_t ties = REC_TIES_LOWER_ROW;
  int64_t n_candidates = 99;
  uint64_t seed = 0;
  int64_t max_pos = 20, max_neg = 20;  // slots of an impression list
  int32_t history = REC_HISTORY_DEFAULT;
  bool skip_first = false;  // events of unknown items are left out, and then the first event of a user is no row
  int64_t n_users = 0;      // > 0: so many users are measured
  int64_t keep_lists = 0;   // > 0: the report has so many items of each row's ranking

  // Whether the model may know only the training part of a row's user: REC_HISTORY_TRAINING, requested or by default.
  bool knows_training_only() const;
  // "[uni99]", "[list]" or "[before]": part of a metric's name, so that protocols are never compared by mistake.
  std::string suffix() const;
};

// The protocol in words, as far as it has an effect: {"rows": "user", "candidates": "full", ...}.
Json card_of(const Protocol& protocol);

// Whether a metric is defined for REC_ROWS_ rows.
bool fits_rows(const MetricSpec& metric, int32_t rows);

// INVALID_ARGUMENT for incompatible fields or metrics.
void check_protocol(const Protocol& protocol, const std::vector<MetricSpec>& metrics, const Dataset& data);

}  // namespace rec
