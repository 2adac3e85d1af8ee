#include "core/base/checked.h"
#include "core/capi/ids.h"
#include "core/capi/objects.h"

using namespace rec;

namespace {

// Rows of a request's ids. The vectors are the call's; small requests stay within what the thread's allocator has ready.
struct RequestRows {
  std::vector<int32_t> users, history, candidates;
  std::vector<int64_t> history_offsets, history_times, candidate_offsets;
  Request request;
};

void check_bits(const uint8_t* bits, int64_t n_bytes, int64_t n_items, const char* name) {
  if (bits == nullptr) return;
  if (n_bytes < (n_items + 7) / 8)
    throw invalid_argument(name, "must have at least ", (n_items + 7) / 8, " bytes for ", n_items, " items, got ",
                           n_bytes);
}

void check_offsets(const int64_t* offsets, int64_t n_offsets, int64_t n, int64_t n_elements, const char* name) {
  check_length(name, &not_null(offsets, name), n_offsets, n + 1);
  if (offsets[0] != 0 || offsets[n] != n_elements)
    throw invalid_argument(name, "must go from 0 to ", n_elements, ", got ", offsets[0], " to ", offsets[n]);
  for (int64_t i = 0; i < n; ++i)
    if (offsets[i + 1] < offsets[i])
      throw invalid_argument(name, "must not decrease, but element ", i + 1, " is ", offsets[i + 1], " after ", offsets[i]);
}

void read_request(const rec_request_t* given, const Catalog& catalog, bool wants_candidates, RequestRows& rows) {
  const rec_request_t r = read_struct(&not_null(given, "request"), "request");
  Request& request = rows.request;
  request.k = r.k;
  int64_t n = -1;
  if (r.users != nullptr) {
    const IdList users(r.users, "users");
    n = users.size();
    for (int64_t i = 0; i < n; ++i) rows.users.push_back(users.row(i, catalog.users));
    request.queries.users = rows.users.data();
  }
  if (r.history_items != nullptr) {
    const IdList items(r.history_items, "history_items");
    if (n < 0)
      throw invalid_argument("users", "must be given: row i of the histories belongs to user i; unknown users will do");
    check_offsets(r.history_offsets, r.n_history_offsets, n, items.size(), "history_offsets");
    check_length("history_times", r.history_times, r.n_history_times, items.size());
    rows.history_offsets.push_back(0);
    for (int64_t q = 0; q < n; ++q) {  // items that the model does not know say nothing
      for (int64_t e = r.history_offsets[q]; e < r.history_offsets[q + 1]; ++e) {
        const int32_t row = items.row(e, catalog.items);
        if (row < 0) continue;
        rows.history.push_back(row);
        if (r.history_times != nullptr) rows.history_times.push_back(r.history_times[e]);
      }
      rows.history_offsets.push_back(static_cast<int64_t>(rows.history.size()));
    }
    request.queries.history_offsets = rows.history_offsets.data();
    request.queries.history_items = rows.history.data();
    if (r.history_times != nullptr) request.queries.history_times = rows.history_times.data();
  }
  if (n < 0) throw invalid_argument("users", "must not be null");
  check_length("request_times", r.request_times, r.n_request_times, n);
  request.queries.times = r.request_times;
  request.queries.n = n;
  if (r.candidates != nullptr) {
    const IdList items(r.candidates, "candidates");
    const bool shared = r.candidate_offsets == nullptr;
    if (!shared) check_offsets(r.candidate_offsets, r.n_candidate_offsets, n, items.size(), "candidate_offsets");
    rows.candidate_offsets.push_back(0);
    for (int64_t q = 0; q < n; ++q) {
      const int64_t begin = shared ? 0 : r.candidate_offsets[q],
                    end = shared ? items.size() : r.candidate_offsets[q + 1];
      for (int64_t e = begin; e < end; ++e) rows.candidates.push_back(items.row(e, catalog.items));
      rows.candidate_offsets.push_back(static_cast<int64_t>(rows.candidates.size()));
    }
    rows.candidates.reserve(1);  // a list of none is still a list
    request.candidate_offsets = rows.candidate_offsets.data();
    request.candidates = rows.candidates.data();
  } else if (wants_candidates) {
    throw invalid_argument("candidates", "must not be null");
  }
  const int64_t n_items = catalog.items.size();
  check_bits(r.allow_bits, r.n_allow_bytes, n_items, "allow_bits");
  check_bits(r.deny_bits, r.n_deny_bytes, n_items, "deny_bits");
  request.allow = r.allow_bits;
  request.deny = r.deny_bits;
}

// Where an answer of n rows goes: of k items, which the recommender judges, or of as many as there are candidates.
rec_output_t read_output(const rec_output_t* given, const Recommender& recommender, int64_t n, int64_t k) {
  const rec_output_t output = read_struct(&not_null(given, "output"), "output");
  const int64_t wanted = k >= 1 && k <= recommender.options().max_k ? checked_mul(n, k) : 0;
  check_room("rows", output.rows, output.n_rows, wanted);
  check_room("scores", output.scores, output.n_scores, wanted);
  check_room("status", output.status, output.n_status, n);
  return output;
}

}  // namespace

extern "C" {

rec_status_t rec_recommender_create(const rec_model_t* model, const rec_recommender_options_t* options,
                                    rec_recommender_t** out_recommender, rec_error_t** out_error) {
  if (out_recommender != nullptr) *out_recommender = nullptr;
  return guarded(out_error, [&] {
    not_null(out_recommender, "out_recommender");
    const auto object = object_of(model);
    const rec_recommender_options_t o = read_struct(options, "options");
    RecommenderOptions read;
    read.exclude_seen = o.exclude_seen != 0;
    read.strict = o.strict != 0;
    if (o.max_k != 0) read.max_k = o.max_k;
    if (o.n_callers != 0) read.n_callers = o.n_callers;
    *out_recommender = new_handle<rec_recommender_t>(std::make_shared<const Recommender>(object, read));
  });
}

rec_status_t rec_recommender_top_k(const rec_recommender_t* recommender, const rec_request_t* request,
                                   const rec_output_t* output, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(recommender);
    RequestRows rows;
    read_request(request, *object->model().catalog, false, rows);
    const rec_output_t out = read_output(output, *object, rows.request.queries.n, rows.request.k);
    object->top_k(rows.request, &not_null(out.rows, "rows"), out.scores, out.status);
  });
}

rec_status_t rec_recommender_score(const rec_recommender_t* recommender, const rec_request_t* request,
                                   const rec_output_t* output, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(recommender);
    RequestRows rows;
    read_request(request, *object->model().catalog, true, rows);
    const int64_t n = rows.request.queries.n;
    const rec_output_t out = read_output(output, *object, n, 0);
    check_room("scores", &not_null(out.scores, "scores"), out.n_scores, rows.request.candidate_offsets[n]);
    object->score(rows.request, out.scores, out.status);
  });
}

rec_status_t rec_recommender_similar_items(const rec_recommender_t* recommender, const rec_ids_t* items, int64_t k,
                                           const rec_output_t* output, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    const auto object = object_of(recommender);
    const IdList list(items, "items");
    const rec_output_t out = read_output(output, *object, list.size(), k);
    std::vector<int32_t> rows;
    for (int64_t i = 0; i < list.size(); ++i) rows.push_back(list.row(i, object->model().catalog->items));
    object->similar_items(rows.data(), list.size(), k, &not_null(out.rows, "rows"), out.scores, out.status);
  });
}

void rec_recommender_destroy(rec_recommender_t* recommender) { destroy_handle(recommender); }

}  // extern "C"
