#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "rec_c_api.h"

// The C API with RAII, for tests: what a caller in any language sees.
namespace rec::test {

struct Deleter {
  void operator()(rec_error_t* p) const { rec_error_destroy(p); }
  void operator()(rec_text_t* p) const { rec_text_destroy(p); }
  void operator()(rec_cancel_t* p) const { rec_cancel_destroy(p); }
  void operator()(rec_dataset_t* p) const { rec_dataset_destroy(p); }
  void operator()(rec_trainer_t* p) const { rec_trainer_destroy(p); }
  void operator()(rec_model_t* p) const { rec_model_destroy(p); }
  void operator()(rec_report_t* p) const { rec_report_destroy(p); }
  void operator()(rec_recommender_t* p) const { rec_recommender_destroy(p); }
  void operator()(rec_tuner_t* p) const { rec_tuner_destroy(p); }
};
template <class T>
using Handle = std::unique_ptr<T, Deleter>;

struct CallFailed : std::runtime_error {
  rec_status_t status;
  std::string argument;
  CallFailed(rec_status_t status_, const rec_error_t* error)
      : std::runtime_error(std::string(rec_status_name(status_)) + ": " +
                           (error != nullptr ? rec_error_message(error) : "")),
        status(status_),
        argument(error != nullptr ? rec_error_argument(error) : "") {}
};

// call([&](rec_error_t** e) { return rec_...(..., e); }) throws CallFailed with the library's message.
template <class Call>
void call(Call&& body) {
  rec_error_t* error = nullptr;
  const rec_status_t status = body(&error);
  const Handle<rec_error_t> owner(error);
  if (status != REC_OK) throw CallFailed(status, error);
}

// Makes a call that returns a handle.
template <class T, class Call>
Handle<T> make(Call&& body) {
  T* handle = nullptr;
  call([&](rec_error_t** error) { return body(&handle, error); });
  return Handle<T>(handle);
}

inline rec_ids_t int64_ids(const std::vector<int64_t>& ids, int32_t type = REC_ID_INT64) {
  return {sizeof(rec_ids_t), type, ids.data(), nullptr, 0, nullptr, std::ssize(ids)};
}

// Where the answers, rows of k, go; an empty vector is not asked for.
inline rec_output_t output_to(std::vector<int64_t>& rows, std::vector<float>& scores,
                              std::vector<rec_status_t>& status) {
  return {sizeof(rec_output_t), 0,
          rows.empty() ? nullptr : rows.data(), std::ssize(rows),
          scores.empty() ? nullptr : scores.data(), std::ssize(scores),
          status.empty() ? nullptr : status.data(), std::ssize(status)};
}

// users[i] interacted with items[i]; parts may be empty.
inline Handle<rec_dataset_t> dataset(const std::vector<int64_t>& users, const std::vector<int64_t>& items,
                                     const std::vector<int32_t>& parts = {}) {
  const rec_ids_t user_ids = int64_ids(users), item_ids = int64_ids(items);
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &user_ids;
  columns.items = &item_ids;
  columns.parts = parts.empty() ? nullptr : parts.data();
  columns.n_parts = std::ssize(parts);
  std::vector<int64_t> times(users.size());  // in the order of the rows
  std::iota(times.begin(), times.end(), int64_t{1});
  columns.times = times.data();
  columns.n_times = std::ssize(times);
  return make<rec_dataset_t>([&](rec_dataset_t** out, rec_error_t** error) {
    return rec_dataset_create_from_columns(&columns, nullptr, out, error);
  });
}

// Unless told otherwise a plugin runs in this process, so that its memory and its faults count as the test's.
inline Handle<rec_trainer_t> trainer(const rec_dataset_t* data, const std::string& model, const std::string& params,
                                     const rec_trainer_options_t* options = nullptr) {
  rec_trainer_options_t given{};
  given.struct_size = sizeof given;
  if (options != nullptr) given = *options;
  if (given.isolation == REC_ISOLATION_AUTO) given.isolation = REC_ISOLATION_IN_PROCESS;
  return make<rec_trainer_t>([&](rec_trainer_t** out, rec_error_t** error) {
    return rec_trainer_create(data, model.c_str(), params.c_str(), &given, nullptr, out, error);
  });
}

inline Handle<rec_model_t> model_of(rec_trainer_t* t, int32_t which = REC_MODEL_BEST) {
  return make<rec_model_t>(
      [&](rec_model_t** out, rec_error_t** error) { return rec_trainer_create_model(t, which, nullptr, out, error); });
}

inline Handle<rec_model_t> train(const rec_dataset_t* data, const std::string& model, const std::string& params) {
  const auto t = trainer(data, model, params);
  call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
  return model_of(t.get());
}

// Runs the training; returns the loss of its last epoch.
inline double run_training(rec_trainer_t* t) {
  double loss = NAN;  // until an epoch is told
  rec_run_options_t options{};
  options.struct_size = sizeof options;
  options.user_data = &loss;
  options.on_event = [](const rec_event_t* event, void* user_data) -> rec_status_t {
    if (event->kind == REC_EVENT_EPOCH) *static_cast<double*>(user_data) = event->loss;
    return REC_OK;
  };
  call([&](rec_error_t** error) { return rec_trainer_run(t, &options, error); });
  return loss;
}

inline void save(const rec_model_t* model, const std::string& path) {
  call([&](rec_error_t** error) { return rec_model_save(model, path.c_str(), nullptr, nullptr, error); });
}
inline Handle<rec_model_t> load(const std::string& path) {
  return make<rec_model_t>(
      [&](rec_model_t** out, rec_error_t** error) { return rec_model_load(path.c_str(), nullptr, nullptr, out, error); });
}

inline Handle<rec_recommender_t> recommender(const rec_model_t* model, bool exclude_seen = false) {
  rec_recommender_options_t options{};
  options.struct_size = sizeof options;
  options.exclude_seen = exclude_seen;
  return make<rec_recommender_t>([&](rec_recommender_t** out, rec_error_t** error) {
    return rec_recommender_create(model, &options, out, error);
  });
}

struct TopK {
  std::vector<int64_t> rows;
  std::vector<float> scores;
  std::vector<rec_status_t> status;
};

inline TopK top_k(const rec_recommender_t* recommender, const std::vector<int64_t>& users, int64_t k,
                  int32_t id_type = REC_ID_INT64) {
  const rec_ids_t ids = int64_ids(users, id_type);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.k = k;
  request.users = &ids;
  const size_t n = users.size() * static_cast<size_t>(k > 0 ? k : 0);
  TopK out{std::vector<int64_t>(n), std::vector<float>(n), std::vector<rec_status_t>(users.size())};
  const rec_output_t output = output_to(out.rows, out.scores, out.status);
  call([&](rec_error_t** error) { return rec_recommender_top_k(recommender, &request, &output, error); });
  return out;
}

// Scores [n] of the request's candidates.
inline std::vector<float> score(const rec_recommender_t* recommender, const rec_request_t& request, size_t n) {
  TopK out{{}, std::vector<float>(n), {}};
  const rec_output_t output = output_to(out.rows, out.scores, out.status);
  call([&](rec_error_t** error) { return rec_recommender_score(recommender, &request, &output, error); });
  return out.scores;
}

inline double evaluate(const rec_model_t* model, const rec_dataset_t* data, const std::string& metric,
                       int32_t rows = REC_ROWS_USER) {
  rec_protocol_t protocol{};
  protocol.struct_size = sizeof protocol;
  protocol.rows = rows;
  const auto report = make<rec_report_t>([&](rec_report_t** out, rec_error_t** error) {
    return rec_model_evaluate(model, data, metric.c_str(), &protocol, nullptr, out, error);
  });
  double mean = 0;
  call([&](rec_error_t** error) { return rec_report_get_metric(report.get(), 0, nullptr, &mean, error); });
  return mean;
}

}  // namespace rec::test
