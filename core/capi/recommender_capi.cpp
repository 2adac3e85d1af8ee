#include "core/base/checked.h"
#include "core/capi/ids.h"
#include "core/capi/objects.h"
#include "core/data/columns.h"

using namespace rec;

namespace {

void check_bits(const uint8_t* bits, int64_t n_bytes, int64_t n_rows, const char* of, const char* name) {
  if (bits == nullptr) return;
  if (n_bytes < (n_rows + 7) / 8)
    throw invalid_argument(name, "must have at least ", (n_rows + 7) / 8, " bytes for ", n_rows, of, ", got ", n_bytes);
}

// Lists of n users, which have n_elements in all.
void check_lists(const int64_t* offsets, int64_t n_offsets, int64_t n, int64_t n_elements, const char* name) {
  check_length(name, &not_null(offsets, name), n_offsets, n + 1);
  check_offsets(offsets, n_offsets, n_elements, name);
}

// A request has no unit to tell, so a time that can only be of another unit is an error.
void check_seconds(const char* name, const int64_t* times, int64_t n) {
  constexpr int64_t kLatest = 100'000'000'000;  // in the year 5138
  for (int64_t i = 0; times != nullptr && i < n; ++i)
    if (times[i] > kLatest || times[i] < -kLatest)
      throw invalid_argument(name, "must be seconds since 1970; element ", i, " is ", times[i],
                             ", which looks like milliseconds or less");
}

Request read_request(const rec_request_t* given, int64_t n_items) {
  const rec_request_t r = read_struct(&not_null(given, "request"), "request");
  Request request;
  request.k = r.k;
  request.users = read_ids(r.users, "users");
  const int64_t n = request.users.size();
  if (r.history_items != nullptr) {
    request.histories = read_ids(r.history_items, "history_items");
    check_lists(r.history_offsets, r.n_history_offsets, n, request.histories.size(), "history_offsets");
    check_length("history_times", r.history_times, r.n_history_times, request.histories.size());
    check_seconds("history_times", r.history_times, r.n_history_times);
    request.history_offsets = r.history_offsets;
    request.history_times = r.history_times;
  }
  check_length("request_times", r.request_times, r.n_request_times, n);
  check_seconds("request_times", r.request_times, r.n_request_times);
  request.times = r.request_times;
  if (r.candidates != nullptr) {
    request.has_candidates = true;
    request.candidates = read_ids(r.candidates, "candidates");
    if (r.candidate_offsets != nullptr)
      check_lists(r.candidate_offsets, r.n_candidate_offsets, n, request.candidates.size(), "candidate_offsets");
    request.candidate_offsets = r.candidate_offsets;
  }
  check_bits(r.allow_bits, r.n_allow_bytes, n_items, " items", "allow_bits");
  check_bits(r.deny_bits, r.n_deny_bytes, n_items, " items", "deny_bits");
  request.allow = r.allow_bits;
  request.deny = r.deny_bits;
  return request;
}

// Checks that the buffers hold n rows of k items. For score(), k is 0 and the caller checks the scores; a bad k is
// refused by the recommender, and here only must not overflow.
rec_output_t read_output(const rec_output_t* given, const Recommender& recommender, int64_t n, int64_t k) {
  const rec_output_t output = read_struct(&not_null(given, "output"), "output");
  const int64_t wanted = k >= 1 && k <= recommender.options().max_k ? checked_mul(n, k) : 0;
  check_room("rows", output.rows, output.n_rows, wanted);
  check_room("scores", output.scores, output.n_scores, wanted);
  check_room("status", output.status, output.n_status, n);
  return output;
}

struct Bits {
  const uint8_t* bits;
  int64_t n_bytes;
};

rec_status_t similar(Entity entity, const rec_recommender_t* recommender, const rec_ids_t* given, int64_t k,
                     const Bits& allow, const Bits& deny, const rec_output_t* output, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const bool of_users = entity == Entity::kUser;
    const auto object = object_of(recommender);
    const IdList list = read_ids(given, of_users ? "users" : "items");
    const int64_t n_rows = of_users ? object->model().n_users() : object->model().n_items();
    const char* of = of_users ? " users" : " items";
    check_bits(allow.bits, allow.n_bytes, n_rows, of, "allow_bits");
    check_bits(deny.bits, deny.n_bytes, n_rows, of, "deny_bits");
    const rec_output_t out = read_output(output, *object, list.size(), k);
    object->similar(entity, list, {.allow = allow.bits, .deny = deny.bits}, k, &not_null(out.rows, "rows"), out.scores,
                    out.status);
  });
}

}  // namespace

extern "C" {

rec_status_t rec_recommender_create(const rec_model_t* model, const rec_recommender_options_t* options,
                                    rec_recommender_t** out_recommender, rec_error_t** out_error) {
  return guarded_giving(out_recommender, "out_recommender", out_error, [&] {
    const auto object = object_of(model);
    const rec_recommender_options_t o = read_struct(options, "options");
    RecommenderOptions read;
    read.exclude_seen = o.exclude_seen != 0;
    read.strict = o.strict != 0;
    if (o.max_k != 0) read.max_k = o.max_k;
    if (o.n_callers != 0) read.n_callers = o.n_callers;
    return new_handle<rec_recommender_t>(std::make_shared<const Recommender>(object, read));
  });
}

rec_status_t rec_recommender_model(const rec_recommender_t* recommender, rec_model_t** out_model,
                                   rec_error_t** out_error) {
  return guarded_giving(out_model, "out_model", out_error,
                        [&] { return new_handle<rec_model_t>(object_of(recommender)->shared_model()); });
}

rec_status_t rec_recommender_top_k(const rec_recommender_t* recommender, const rec_request_t* request,
                                   const rec_output_t* output, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(recommender);
    const Request read = read_request(request, object->model().n_items());
    const rec_output_t out = read_output(output, *object, read.users.size(), read.k);
    object->top_k(read, &not_null(out.rows, "rows"), out.scores, out.status);
  });
}

rec_status_t rec_recommender_score(const rec_recommender_t* recommender, const rec_request_t* request,
                                   const rec_output_t* output, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(recommender);
    const Request read = read_request(request, object->model().n_items());
    if (!read.has_candidates) throw invalid_argument("candidates", "must not be NULL");
    const rec_output_t out = read_output(output, *object, read.users.size(), 0);
    const int64_t n_scores = read.candidate_offsets != nullptr ? read.candidates.size()
                                                               : checked_mul(read.users.size(), read.candidates.size());
    check_room("scores", &not_null(out.scores, "scores"), out.n_scores, n_scores);
    object->score(read, out.scores, out.status);
  });
}

rec_status_t rec_recommender_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                           const uint8_t* allow_bits, int64_t n_allow_bytes, const uint8_t* deny_bits,
                                           int64_t n_deny_bytes, const rec_output_t* output, rec_error_t** out_error) {
  return similar(Entity::kItem, recommender, items, k, {allow_bits, n_allow_bytes}, {deny_bits, n_deny_bytes}, output,
                 out_error);
}

rec_status_t rec_recommender_similar_users(const rec_recommender_t* recommender, const rec_ids_t* users, int64_t k,
                                           const uint8_t* allow_bits, int64_t n_allow_bytes, const uint8_t* deny_bits,
                                           int64_t n_deny_bytes, const rec_output_t* output, rec_error_t** out_error) {
  return similar(Entity::kUser, recommender, users, k, {allow_bits, n_allow_bytes}, {deny_bits, n_deny_bytes}, output,
                 out_error);
}

void rec_recommender_destroy(rec_recommender_t* recommender) { destroy_handle(recommender); }

}  // extern "C"
