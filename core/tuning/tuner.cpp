#include "core/tuning/tuner.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/tuning/sampler.h"

namespace rec {

namespace {

const std::vector<std::string> kSamplers = {"tpe", "random", "grid"};  // by REC_SAMPLER_
const std::vector<std::string> kPruners = {"none", "median", "halving"};
const std::vector<std::string> kStates = {"running", "complete", "pruned", "failed"};

Json number(double value) { return Json(value); }

Error corrupt(const char* what) { return Error(REC_CORRUPT_DATA, what); }

const Json& member(const Json& event, const char* key) {
  const auto it = event.find(key);
  if (it == event.end()) throw corrupt("a key is missing");
  return *it;
}

double number_of(const Json& event, const char* key) {
  const Json& value = member(event, key);
  if (!value.is_number()) throw corrupt("not a number where one must be");
  return value.get<double>();
}

std::string text_of(const Json& event, const char* key) {
  const Json& value = member(event, key);
  if (!value.is_string()) throw corrupt("not a text where one must be");
  return value.get<std::string>();
}

void check_finite(double value) {
  if (!std::isfinite(value)) throw invalid_argument("value", "must be finite, got ", format_double(value));
}

}  // namespace

Tuner::Tuner(std::string_view space_json, const TunerOptions& options) : space_(space_json), options_(options) {
  if (options_.sampler == REC_SAMPLER_GRID) {
    const int64_t n = space_.n_combinations();
    options_.n_trials = options_.n_trials > 0 ? std::min(options_.n_trials, n) : n;
  } else if (options_.n_trials == 0) {
    options_.n_trials = kUsualTrials;
  }
  if (options_.n_trials > kMaxTrials)
    throw invalid_argument("n_trials", "must be at most ", kMaxTrials, ", got ", options_.n_trials);
  if (!options_.journal_path.empty())
    journal_.emplace(options_.journal_path, search(), [&](const Json& event) { replay(event); });
  for (Trial& trial : trials_) trial.is_asked = trial.state != REC_TRIAL_RUNNING;  // what ran when its process ended
}

Json Tuner::search() const {
  Json json = Json::object();
  json["space"] = space_.json();
  json["sampler"] = kSamplers[options_.sampler];
  json["pruner"] = kPruners[options_.pruner];
  json["minimize"] = options_.minimize;
  json["seed"] = options_.seed;
  json["n_trials"] = options_.n_trials;
  json["parallel"] = options_.parallel;
  json["min_epochs"] = options_.min_epochs;
  return json;
}

Json Tuner::make_parameters(int64_t trial) const {
  if (options_.sampler == REC_SAMPLER_GRID) return space_.combination(trial);
  const Rng rng(static_cast<uint64_t>(options_.seed), RngStream::kTuning, 0, static_cast<uint64_t>(trial));
  const auto n_past = static_cast<size_t>(round_begin(trial));
  if (options_.sampler == REC_SAMPLER_RANDOM || n_past < kRandomTrials) return random_parameters(space_, rng);
  // A trial that failed, or was pruned before it had a value, is worse than any other.
  std::vector<const Trial*> past;
  for (size_t i = 0; i < n_past; ++i) past.push_back(&trials_[i]);
  std::stable_sort(past.begin(), past.end(), [&](const Trial* a, const Trial* b) {
    const auto rank = [&](const Trial* t) {
      const bool has_value = t->state != REC_TRIAL_FAILED && t->value.has_value();
      return has_value ? *t->value : -std::numeric_limits<double>::infinity();
    };
    return rank(a) > rank(b);
  });
  std::vector<const Json*> best_first;
  for (const Trial* t : past) best_first.push_back(&t->parameters);
  return tpe_parameters(space_, best_first, rng);
}

// -1 when there are no more.
int64_t Tuner::next_trial() const {
  for (size_t i = 0; i < trials_.size(); ++i)
    if (!trials_[i].is_asked) return static_cast<int64_t>(i);
  const auto next = std::ssize(trials_);
  if (next == options_.n_trials) return -1;
  for (int64_t i = 0; i < round_begin(next); ++i)
    if (trials_[i].state == REC_TRIAL_RUNNING)
      throw Error(REC_BAD_STATE,
                  cat("trial ", next, " is of the next round, and trial ", i, " has not ended: tell it first"));
  return next;
}

Tuner::Asked Tuner::ask() {
  const std::lock_guard lock(mutex_);
  const int64_t next = next_trial();
  if (next < 0) return {-1, Json()};
  const Json parameters = next < std::ssize(trials_) ? trials_[next].parameters : make_parameters(next);
  if (journal_) journal_->append({{"ask", next}, {"parameters", parameters}});
  return {next, begin(next, parameters)};
}

Json Tuner::begin(int64_t trial, const Json& parameters) {
  if (trial == std::ssize(trials_)) trials_.emplace_back();
  trials_[trial] = Trial{parameters, REC_TRIAL_RUNNING, true, {}, {}, {}};
  return parameters;
}

Tuner::Trial& Tuner::running(int64_t trial, const char* verb) {
  if (trial < 0 || trial >= std::ssize(trials_))
    throw invalid_argument("trial", "must be between 0 and ", std::ssize(trials_) - 1, ", the last one asked for, got ",
                           trial);
  Trial& found = trials_[trial];
  if (found.state != REC_TRIAL_RUNNING)
    throw argument_error(REC_BAD_STATE, "trial", trial, " is ", kStates[found.state], " and cannot be ", verb);
  if (!found.is_asked)
    throw argument_error(REC_BAD_STATE, "trial", trial, " was running when the journal was closed: ask for it again");
  return found;
}

void Tuner::check_report(const Trial& trial, int64_t epoch, double value) const {
  const int64_t last = trial.curve.empty() ? 0 : trial.curve.back().epoch;
  if (epoch <= last) throw invalid_argument("epoch", "must be at least ", last + 1, ", got ", epoch);
  check_finite(value);
}

bool Tuner::report(int64_t trial, int64_t epoch, double value) {
  const std::lock_guard lock(mutex_);
  Trial& own = running(trial, "reported");
  check_report(own, epoch, value);
  if (journal_) journal_->append({{"report", trial}, {"epoch", epoch}, {"value", number(value)}});
  add_value(own, epoch, value);
  std::vector<PastTrial> past;
  for (int64_t i = 0; i < round_begin(trial); ++i)
    if (trials_[i].state != REC_TRIAL_FAILED)
      past.push_back({&trials_[i].curve, trials_[i].state == REC_TRIAL_COMPLETE});
  return wants_end(options_.pruner, options_.min_epochs, own.curve, past);
}

void Tuner::add_value(Trial& trial, int64_t epoch, double value) const {
  trial.curve.push_back({epoch, sign() * value});
  trial.value = std::max(trial.value.value_or(-INFINITY), sign() * value);
}

void Tuner::tell(int64_t trial, int32_t state, double value, const std::string& message) {
  if (state < REC_TRIAL_COMPLETE || state > REC_TRIAL_FAILED)
    throw invalid_argument("state", "must be REC_TRIAL_COMPLETE (1), _PRUNED (2) or _FAILED (3), got ", state);
  const std::lock_guard lock(mutex_);
  Trial& own = running(trial, "told");
  if (state == REC_TRIAL_COMPLETE) check_finite(value);
  if (journal_) {
    Json event = {{"tell", trial}, {"state", kStates[state]}};
    if (state == REC_TRIAL_COMPLETE) event["value"] = number(value);
    if (!message.empty()) event["message"] = message;
    journal_->append(event);
  }
  end(own, state, value, message);
}

void Tuner::end(Trial& trial, int32_t state, double value, const std::string& message) const {
  trial.state = state;
  if (state == REC_TRIAL_COMPLETE) trial.value = sign() * value;
  trial.message = message;
}

Json Tuner::describe() const {
  const std::lock_guard lock(mutex_);
  Json json = search();
  const Trial* best = nullptr;
  Json rows = Json::array();
  for (size_t i = 0; i < trials_.size(); ++i) {
    const Trial& trial = trials_[i];
    const bool is_complete = trial.state == REC_TRIAL_COMPLETE;
    if (is_complete && (best == nullptr || *trial.value > *best->value)) best = &trial;
    Json values = Json::array();
    for (const EpochValue& at : trial.curve) values.push_back(Json::array({Json(at.epoch), Json(sign() * at.value)}));
    Json row = Json::object();
    row["trial"] = i;
    row["parameters"] = trial.parameters;
    row["state"] = kStates[trial.state];
    row["value"] = trial.value ? Json(sign() * *trial.value) : Json();
    row["values"] = std::move(values);
    row["message"] = trial.message.empty() ? Json() : Json(trial.message);
    rows.push_back(std::move(row));
  }
  json["best"] = best != nullptr ? Json(best - trials_.data()) : Json();
  json["trials"] = std::move(rows);
  return json;
}

// As the calls that wrote the journal, without their writing.
void Tuner::replay(const Json& event) {
  if (!event.is_object()) throw corrupt("it is no object");
  const auto trial_of = [&](const char* key) { return whole_number<int64_t>(event.at(key), REC_CORRUPT_DATA); };
  if (event.contains("ask")) {
    const int64_t trial = trial_of("ask");
    const Json& parameters = member(event, "parameters");
    const bool is_again = trial >= 0 && trial < std::ssize(trials_) && trials_[trial].state == REC_TRIAL_RUNNING &&
                          trials_[trial].parameters == parameters;
    if (!is_again && (trial < 0 || trial != next_trial())) throw corrupt("it is not this trial's turn");
    if (!space_.contains(parameters)) throw corrupt("the parameters are not of this space");
    begin(trial, parameters);
  } else if (event.contains("report")) {
    Trial& own = running(trial_of("report"), "reported");
    const auto epoch = whole_number<int64_t>(member(event, "epoch"), REC_CORRUPT_DATA);
    const double value = number_of(event, "value");
    check_report(own, epoch, value);
    add_value(own, epoch, value);
  } else if (event.contains("tell")) {
    Trial& own = running(trial_of("tell"), "told");
    const auto state = std::find(kStates.begin() + 1, kStates.end(), text_of(event, "state"));
    if (state == kStates.end()) throw corrupt("there is no such state");
    const auto number = static_cast<int32_t>(state - kStates.begin());
    end(own, number, number == REC_TRIAL_COMPLETE ? number_of(event, "value") : 0,
        event.contains("message") ? text_of(event, "message") : "");
  } else {
    throw corrupt("it is no ask, report or tell");
  }
}

}  // namespace rec
