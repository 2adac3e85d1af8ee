#include "cli/protocol_options.h"

#include "cli/data_options.h"

namespace rec::cli {

namespace {

constexpr Choice kRows[] = {
    {"user", REC_ROWS_USER}, {"event", REC_ROWS_EVENT}, {"list", REC_ROWS_LIST}, {"label", REC_ROWS_LABEL}};
constexpr Choice kMasks[] = {{"known", REC_MASK_KNOWN}, {"train", REC_MASK_TRAIN}, {"none", REC_MASK_NONE}};
constexpr Choice kTies[] = {{"lower-row", REC_TIES_LOWER_ROW}, {"against-target", REC_TIES_AGAINST_TARGET}};

constexpr Choice kHistories[] = {{"training", REC_HISTORY_TRAINING}, {"before", REC_HISTORY_BEFORE}};

// full, given, uniN and popN, as in metric names.
void read_candidates(const std::string& text, rec_protocol_t& protocol) {
  constexpr Choice kSampled[] = {{"uni", REC_CANDIDATES_UNIFORM}, {"pop", REC_CANDIDATES_POPULAR}};
  for (const Choice& choice : kSampled) {
    if (!text.starts_with(choice.name) || text.size() == choice.name.size()) continue;
    const auto n = to_int64(std::string_view(text).substr(choice.name.size()));
    if (!n || *n < 1) break;
    protocol.candidates = choice.value;
    protocol.n_candidates = *n;
    return;
  }
  constexpr Choice kWhole[] = {
      {"full", REC_CANDIDATES_FULL}, {"given", REC_CANDIDATES_GIVEN}, {"uni99", 0}, {"pop99", 0}};
  protocol.candidates = pick("protocol", text, kWhole);
}

}  // namespace

std::string ProtocolOptions::row_kind() const { return !rows.empty() ? rows : protocol == "given" ? "event" : "user"; }

rec_protocol_t ProtocolOptions::read() const {
  auto read = initialized<rec_protocol_t>(rec_protocol_init);
  read_candidates(protocol, read);
  read.rows = pick("rows", row_kind(), kRows);
  read.mask = pick("mask", mask, kMasks);
  read.ties = pick("ties", ties, kTies);
  if (!history.empty()) read.history = pick("history", history, kHistories);
  read.max_pos = max_pos;
  read.max_neg = max_neg;
  read.n_users = n_users;
  read.skip_first = skip_first;
  read.keep_lists = keep_lists;
  return read;
}

int32_t rows_named(const std::string& name) { return pick("rows", name, kRows); }
std::string_view row_name(int32_t rows) { return kRows[rows].name; }

std::string history_name(const rec_protocol_t& protocol) {
  const bool training = protocol.history == REC_HISTORY_TRAINING ||
                        (protocol.history == REC_HISTORY_DEFAULT && protocol.rows == REC_ROWS_USER);
  return training ? "training" : "before";
}

void add_protocol_options(CLI::App& app, ProtocolOptions& options) {
  app.add_option("--protocol", options.protocol,
                 "Candidates: full, uniN or popN (N drawn for each positive), or given by the data")
      ->capture_default_str();
  app.add_option(
         "--rows", options.rows,
         "What a row is: user, event, list (an impression list), label (a labelled row) [event with given, else user]")
      ->type_name("KIND");
  app.add_option("--max-pos", options.max_pos, "Clicked items of a list that count; 0 = 20")->type_name("N");
  app.add_option("--max-neg", options.max_neg, "Shown items of a list that count; 0 = 20")->type_name("N");
  app.add_option("--mask", options.mask,
                 "Items left out of a ranking: known (all that the user had before the part), train, or none; given "
                 "candidates are ranked as they are")
      ->capture_default_str();
  app.add_option(
         "--history", options.history,
         "What the model may know about a row's user: training (the train part), or before (what happened before the "
         "row) [training for users, else before]")
      ->type_name("RULE");
  app.add_option("--eval-users", options.n_users,
                 "Measure so many users, drawn once by the seed; the metric's name says so [all]")
      ->type_name("N");
  app.add_flag("--skip-first", options.skip_first,
               "With --rows event, as in the GRU4Rec authors' evaluation: items that the model does not know are left "
               "out, and a user's first event is no row");
  app.add_option("--ties", options.ties, "lower-row or against-target")->capture_default_str();
}

}  // namespace rec::cli
