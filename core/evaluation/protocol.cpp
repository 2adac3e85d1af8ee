#include "core/evaluation/protocol.h"

namespace rec {

namespace {

// Throws an error that says what is wrong and which rows to use.
void check_rows(const MetricSpec& metric, int32_t rows) {
  if (fits_rows(metric, rows)) return;
  const auto refuse = [&](const char* input, const char* use) {
    throw invalid_argument("metrics", "'", metric.name, "' is defined for ", input, "; use rows = ", use);
  };
  switch (metric.input) {
    case MetricInput::kValues: refuse("a prediction and a label", "REC_ROWS_LABEL"); break;
    case MetricInput::kImpression: refuse("an impression list", "REC_ROWS_LIST"); break;
    case MetricInput::kRank:
      if (fits_rows(metric, REC_ROWS_LIST))
        refuse("one target or one impression list a row", "REC_ROWS_EVENT or REC_ROWS_LIST");
      refuse("one target a row", "REC_ROWS_EVENT");
      break;
    default: refuse("a ranking of items", "REC_ROWS_USER or REC_ROWS_EVENT");
  }
}

}  // namespace

bool Protocol::knows_training_only() const {
  return history == REC_HISTORY_TRAINING || (history == REC_HISTORY_DEFAULT && rows == REC_ROWS_USER);
}

std::string Protocol::suffix() const {
  std::string text;
  if (rows == REC_ROWS_LIST)
    text = max_pos == 20 && max_neg == 20 ? "[list]" : cat("[list", max_pos, "+", max_neg, "]");
  else if (candidates == REC_CANDIDATES_GIVEN)
    text = "[given]";
  else if (candidates != REC_CANDIDATES_FULL)
    text = cat(candidates == REC_CANDIDATES_UNIFORM ? "[uni" : "[pop", n_candidates, "]");
  if (knows_training_only() != (rows == REC_ROWS_USER)) text += knows_training_only() ? "[training]" : "[before]";
  if (skip_first) text += "[skip_first]";
  if (n_users > 0) text += cat("[users", n_users, "]");
  return text;
}

Json card_of(const Protocol& protocol) {
  static constexpr const char* kRows[] = {"user", "event", "list", "label"};
  static constexpr const char* kCandidates[] = {"full", "given", "uniform", "popular"};
  static constexpr const char* kMasks[] = {"known", "none", "train"};
  static constexpr const char* kTies[] = {"lower_row", "against_target"};
  Json card = {{"rows", kRows[protocol.rows]},
               {"candidates", kCandidates[protocol.candidates]},
               {"mask", kMasks[protocol.mask]},
               {"ties", kTies[protocol.ties]},
               {"history", protocol.knows_training_only() ? "training" : "before"}};
  if (protocol.candidates == REC_CANDIDATES_UNIFORM || protocol.candidates == REC_CANDIDATES_POPULAR) {
    card["n_candidates"] = protocol.n_candidates;
    card["seed"] = protocol.seed;
  }
  if (protocol.skip_first) card["skip_first"] = true;
  if (protocol.n_users > 0) {
    card["n_users"] = protocol.n_users;
    card["seed"] = protocol.seed;
  }
  if (protocol.rows == REC_ROWS_LIST) {
    card["max_pos"] = protocol.max_pos;
    card["max_neg"] = protocol.max_neg;
  }
  return card;
}

bool fits_rows(const MetricSpec& metric, int32_t rows) {
  const bool of_lists = metric.metric == Metric::kRechorusHr || metric.metric == Metric::kRechorusNdcg;
  switch (metric.input) {
    case MetricInput::kValues: return rows == REC_ROWS_LABEL;
    case MetricInput::kImpression: return rows == REC_ROWS_LIST;
    case MetricInput::kRank: return rows == REC_ROWS_EVENT || (of_lists && rows == REC_ROWS_LIST);
    default: return rows == REC_ROWS_USER || rows == REC_ROWS_EVENT;
  }
}

void check_protocol(const Protocol& protocol, const std::vector<MetricSpec>& metrics, const Dataset& data) {
  for (const MetricSpec& metric : metrics) check_rows(metric, protocol.rows);
  if (protocol.candidates == REC_CANDIDATES_GIVEN &&
      (protocol.rows != REC_ROWS_EVENT || data.candidate_offsets.empty()))
    throw invalid_argument("candidates",
                           "given lists need rows = REC_ROWS_EVENT and a data set that came with lists (neg_items)");
  if (protocol.ties == REC_TIES_AGAINST_TARGET && protocol.rows != REC_ROWS_EVENT)
    throw invalid_argument("ties", "REC_TIES_AGAINST_TARGET needs one target a row; use rows = REC_ROWS_EVENT");
  if (protocol.skip_first && protocol.rows != REC_ROWS_EVENT)
    throw invalid_argument("skip_first", "needs rows that are events; use rows = REC_ROWS_EVENT");
  if (protocol.n_users > 0 && protocol.rows != REC_ROWS_EVENT && protocol.rows != REC_ROWS_USER)
    throw invalid_argument("n_users", "needs rows that rank items; use rows = REC_ROWS_USER or REC_ROWS_EVENT");
  if ((protocol.rows == REC_ROWS_LIST || protocol.rows == REC_ROWS_LABEL) && protocol.candidates != REC_CANDIDATES_FULL)
    throw invalid_argument("candidates", "must be REC_CANDIDATES_FULL (0), got ", protocol.candidates,
                           ": labelled rows are their own candidates");
}

}  // namespace rec
