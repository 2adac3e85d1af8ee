#include "core/capi/objects.h"

using namespace rec;

namespace {

int32_t check_choice(const char* name, int32_t value, int32_t last) {
  if (value < 0 || value > last) throw invalid_argument(name, "must be between 0 and ", last, ", got ", value);
  return value;
}

int64_t check_count(const char* name, int64_t value, int64_t most, int64_t usual) {
  if (value < 0 || value > most) throw invalid_argument(name, "must be between 0 and ", most, ", got ", value);
  return value > 0 ? value : usual;
}

TunerOptions read_options(const rec_tuner_options_t* given) {
  const rec_tuner_options_t o = read_struct(given, "options");
  TunerOptions options;
  options.sampler = check_choice("sampler", o.sampler, REC_SAMPLER_GRID);
  options.pruner = check_choice("pruner", o.pruner, REC_PRUNER_HALVING);
  options.minimize = check_choice("minimize", o.minimize, 1) != 0;
  options.seed = o.seed;
  options.n_trials = check_count("n_trials", o.n_trials, kMaxTrials, 0);
  options.parallel = check_count("parallel", o.parallel, kMaxTrials, 1);
  options.min_epochs = check_count("min_epochs", o.min_epochs, INT32_MAX, 1);
  if (o.journal_path != nullptr) options.journal_path = o.journal_path;
  return options;
}

}  // namespace

extern "C" {

rec_status_t rec_tuner_create(const char* space_json, const rec_tuner_options_t* options, rec_tuner_t** out_tuner,
                              rec_error_t** out_error) {
  return guarded_giving(out_tuner, "out_tuner", out_error, [&] {
    const std::string space = &not_null(space_json, "space_json");
    const TunerOptions read = read_options(options);
    return new_handle<rec_tuner_t>(of_argument("journal_path", [&] { return std::make_shared<Tuner>(space, read); }));
  });
}

rec_status_t rec_tuner_ask(rec_tuner_t* tuner, int64_t* out_trial, rec_text_t** out_json, rec_error_t** out_error) {
  return guarded_giving(out_json, "out_json", out_error, [&] {
    const auto object = object_of(tuner);
    int64_t& trial = not_null(out_trial, "out_trial");
    const Tuner::Asked asked = object->ask();
    trial = asked.trial;
    return new_text(dump_json(asked.parameters));
  });
}

rec_status_t rec_tuner_report(rec_tuner_t* tuner, int64_t trial, int64_t epoch, double value, int32_t* out_prune,
                              rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const bool prune = object_of(tuner)->report(trial, epoch, value);
    if (out_prune != nullptr) *out_prune = prune;
  });
}

rec_status_t rec_tuner_tell(rec_tuner_t* tuner, int64_t trial, int32_t state, double value, const char* message,
                            rec_error_t** out_error) {
  return guarded(out_error, [&] { object_of(tuner)->tell(trial, state, value, message != nullptr ? message : ""); });
}

rec_status_t rec_tuner_describe(const rec_tuner_t* tuner, rec_text_t** out_json, rec_error_t** out_error) {
  return guarded_giving(out_json, "out_json", out_error,
                        [&] { return new_text(dump_json(object_of(tuner)->describe())); });
}

void rec_tuner_destroy(rec_tuner_t* tuner) { destroy_handle(tuner); }

}  // extern "C"
