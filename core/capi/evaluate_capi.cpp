#include <tuple>

#include "core/capi/long_call.h"
#include "core/capi/objects.h"
#include "core/evaluation/given_lists.h"
#include "core/worker/worker.h"

using namespace rec;

namespace {

int32_t check_choice(const char* name, int32_t value, int32_t last) {
  if (value < 0 || value > last) throw invalid_argument(name, "must be between 0 and ", last, ", got ", value);
  return value;
}

void check_metric(const Report& report, int64_t metric) {
  const auto n = std::ssize(report.names);
  if (metric < 0 || metric >= n) throw invalid_argument("metric", "must be between 0 and ", n - 1, ", got ", metric);
}

}  // namespace

namespace rec {

Protocol read_protocol(const rec_protocol_t* given) {
  const rec_protocol_t p = read_struct(given, "protocol");
  Protocol protocol;
  if (p.part != 0 && p.part != REC_PART_VALID && p.part != REC_PART_TEST)
    throw invalid_argument("part", "must be REC_PART_VALID (1) or REC_PART_TEST (2), got ", p.part);
  protocol.part = p.part == REC_PART_VALID ? Part::kValid : Part::kTest;
  protocol.rows = check_choice("rows", p.rows, REC_ROWS_LABEL);
  protocol.candidates = check_choice("candidates", p.candidates, REC_CANDIDATES_POPULAR);
  protocol.mask = check_choice("mask", p.mask, REC_MASK_TRAIN);
  protocol.ties = check_choice("ties", p.ties, REC_TIES_AGAINST_TARGET);
  protocol.history = check_choice("history", p.history, REC_HISTORY_BEFORE);
  if (p.n_candidates < 0 || p.n_candidates > 1000000)
    throw invalid_argument("n_candidates", "must be between 0 and 1000000, got ", p.n_candidates);
  if (p.n_candidates > 0) protocol.n_candidates = p.n_candidates;
  protocol.seed = static_cast<uint64_t>(p.seed);
  protocol.skip_first = p.skip_first != 0;
  if (p.n_users < 0) throw invalid_argument("n_users", "must be >= 0, got ", p.n_users);
  protocol.n_users = p.n_users;
  if (p.keep_lists < 0) throw invalid_argument("keep_lists", "must be >= 0, got ", p.keep_lists);
  protocol.keep_lists = p.keep_lists;
  for (const auto& [name, given_slots, slots] :
       {std::tuple{"max_pos", p.max_pos, &protocol.max_pos}, std::tuple{"max_neg", p.max_neg, &protocol.max_neg}}) {
    if (given_slots < 0 || given_slots > 1000000)
      throw invalid_argument(name, "must be between 0 and 1000000, got ", given_slots);
    if (given_slots > 0) *slots = given_slots;
  }
  return protocol;
}

}  // namespace rec

extern "C" {

rec_status_t rec_model_evaluate(const rec_model_t* model, const rec_dataset_t* dataset, const char* metrics,
                                const rec_protocol_t* protocol, const rec_run_options_t* run, rec_report_t** out_report,
                                rec_error_t** out_error) {
  return guarded_giving(out_report, "out_report", out_error, [&] {
    const auto object = object_of(model);
    const auto data = object_of(dataset);
    const std::vector<MetricSpec> specs = parse_metrics(&not_null(metrics, "metrics"));
    const Protocol read = read_protocol(protocol);
    const rec_run_options_t options = read_struct(run, "run");
    const int32_t threads = options.threads;
    if (threads < 0) throw invalid_argument("threads", "must be >= 0, got ", threads);
    // A model that tables serve runs no plugin code.
    const bool by_tables = options.isolation == REC_ISOLATION_AUTO && !object->needs_plugin;
    const bool elsewhere = !by_tables && wants_worker(options.isolation, object->name);
    return new_handle<rec_report_t>(long_call(run, [&](const Caller& caller) {
      return elsewhere ? evaluate_in_worker(*object, *data, metrics, read, threads, caller.cancel)
                       : std::make_shared<const Report>(evaluate(object, *data, read, specs, threads, caller.cancel));
    }));
  });
}

rec_status_t rec_lists_evaluate(const rec_lists_t* lists, const char* metrics, rec_report_t** out_report,
                                rec_error_t** out_error) {
  return guarded_giving(out_report, "out_report", out_error, [&] {
    rec_lists_t read = read_struct(&not_null(lists, "lists"), "lists");
    const std::vector<MetricSpec> specs = parse_metrics(&not_null(metrics, "metrics"));
    rec_ids_t ranked, truth;
    for (const auto& [list, copy, name] :
         {std::tuple{&read.ranked, &ranked, "ranked"}, std::tuple{&read.truth, &truth, "truth"}}) {
      if (*list == nullptr) continue;
      *copy = read_struct(*list, name);
      *list = copy;
    }
    return new_handle<rec_report_t>(std::make_shared<const Report>(evaluate_lists(read, specs)));
  });
}

rec_status_t rec_report_counts(const rec_report_t* report, int64_t* out_n_metrics, int64_t* out_n_rows,
                               rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(report);
    if (out_n_metrics != nullptr) *out_n_metrics = std::ssize(object->names);
    if (out_n_rows != nullptr) *out_n_rows = std::ssize(object->users);
  });
}

rec_status_t rec_report_get_metric(const rec_report_t* report, int64_t metric, const char** out_name, double* out_mean,
                                   rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(report);
    check_metric(*object, metric);
    if (out_name != nullptr) *out_name = object->names[metric].c_str();
    if (out_mean != nullptr) *out_mean = object->means[metric];
  });
}

rec_status_t rec_report_get_standard_error(const rec_report_t* report, int64_t metric, double* out_standard_error,
                                           rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(report);
    check_metric(*object, metric);
    not_null(out_standard_error, "out_standard_error") = object->standard_errors[metric];
  });
}

rec_status_t rec_report_get_values(const rec_report_t* report, const double** out_values, rec_error_t** out_error) {
  return guarded(out_error, [&] { not_null(out_values, "out_values") = object_of(report)->values.data(); });
}

rec_status_t rec_report_get_users(const rec_report_t* report, const int64_t** out_users, rec_error_t** out_error) {
  return guarded(out_error, [&] { not_null(out_users, "out_users") = object_of(report)->users.data(); });
}

rec_status_t rec_report_get_interactions(const rec_report_t* report, const int64_t** out_interactions,
                                         rec_error_t** out_error) {
  return guarded(out_error,
                 [&] { not_null(out_interactions, "out_interactions") = object_of(report)->interactions.data(); });
}

rec_status_t rec_report_get_lists(const rec_report_t* report, const int64_t** out_offsets, const int64_t** out_items,
                                  const float** out_scores, const uint8_t** out_relevant, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(report);
    if (object->list_offsets.empty())
      throw Error(REC_BAD_STATE, "the evaluation kept no lists; give its protocol keep_lists");
    if (out_offsets != nullptr) *out_offsets = object->list_offsets.data();
    if (out_items != nullptr) *out_items = object->list_items.data();
    if (out_scores != nullptr) *out_scores = object->list_scores.data();
    if (out_relevant != nullptr) *out_relevant = object->list_relevant.data();
  });
}

void rec_report_destroy(rec_report_t* report) { destroy_handle(report); }

}  // extern "C"
