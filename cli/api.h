// The C API as C++ values: handles that release themselves, and failures as exceptions.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rec_c_api.h"

namespace rec::cli {

// Why a command fails: an error of the library, or the command's own.
struct Failure {
  rec_status_t status = REC_INTERNAL;
  std::string message;
  std::string argument, file;
  int64_t line = -1;
};

inline Failure usage_error(std::string argument, std::string message) {
  return {REC_INVALID_ARGUMENT, argument + ": " + message, argument, {}, -1};
}

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* handle) const { destroy(handle); }
};
template <class T, void (*destroy)(T*)>
using Handle = std::unique_ptr<T, Destroy<T, destroy>>;

using Text = Handle<rec_text_t, rec_text_destroy>;
using Dataset = Handle<rec_dataset_t, rec_dataset_destroy>;
using Trainer = Handle<rec_trainer_t, rec_trainer_destroy>;
using Model = Handle<rec_model_t, rec_model_destroy>;
using Report = Handle<rec_report_t, rec_report_destroy>;
using Recommender = Handle<rec_recommender_t, rec_recommender_destroy>;
using Tuner = Handle<rec_tuner_t, rec_tuner_destroy>;

// A message of the library with the values of options as the command spells them: event, not REC_ROWS_EVENT.
std::string in_words_of_the_command(std::string message);

inline void check(rec_status_t status, rec_error_t* error) {
  const Handle<rec_error_t, rec_error_destroy> owner(error);
  if (status == REC_OK) return;
  // A command that has saved something says so itself.
  if (status == REC_CANCELLED) throw Failure{status, "cancelled; nothing was saved", {}, {}, -1};
  throw Failure{status, in_words_of_the_command(error != nullptr ? rec_error_message(error) : rec_status_name(status)),
                rec_error_argument(error), rec_error_file(error), rec_error_line(error)};
}

// call(rec_plugin_load, path): the trailing out_error is added, a failure is thrown.
template <class Function, class... Arguments>
void call(Function function, Arguments&&... arguments) {
  rec_error_t* error = nullptr;
  const rec_status_t status = function(std::forward<Arguments>(arguments)..., &error);
  check(status, error);
}

// make<Model>(rec_model_load, path, options): as call, for functions whose last result is a handle.
template <class Owner, class Function, class... Arguments>
Owner make(Function function, Arguments&&... arguments) {
  typename Owner::pointer handle = nullptr;
  call(function, std::forward<Arguments>(arguments)..., &handle);
  return Owner(handle);
}

// A struct of the API, initialised by its _init function.
template <class Struct, class Init>
Struct initialized(Init init) {
  Struct value;
  call(init, &value, uint32_t{sizeof value});
  return value;
}

// The answers to n queries of k items.
struct Answers {
  std::vector<int64_t> rows;
  std::vector<float> scores;
  std::vector<rec_status_t> status;

  Answers(size_t n, int64_t k) : rows(n * k), scores(rows.size()), status(n) {}
  friend bool operator==(const Answers&, const Answers&) = default;

  // For the library to fill; this object owns the memory.
  rec_output_t output() {
    auto output = initialized<rec_output_t>(rec_output_init);
    output.rows = rows.data();
    output.n_rows = std::ssize(rows);
    output.scores = scores.data();
    output.n_scores = std::ssize(scores);
    output.status = status.data();
    output.n_status = std::ssize(status);
    return output;
  }
};

// The k best items of users, given as ids or, with REC_ID_ROW, as rows of the model.
inline Answers top_k(const Recommender& recommender, int32_t id_type, const std::vector<int64_t>& users, int64_t k) {
  auto ids = initialized<rec_ids_t>(rec_ids_init);
  ids.type = id_type;
  ids.n = std::ssize(users);
  ids.i64 = users.data();
  auto request = initialized<rec_request_t>(rec_request_init);
  request.users = &ids;
  request.k = k;
  Answers answers(users.size(), k);
  const rec_output_t output = answers.output();
  call(rec_recommender_top_k, recommender.get(), &request, &output);
  return answers;
}

inline Recommender make_recommender(const Model& model, int64_t max_k, bool exclude_seen, int64_t n_callers = 1) {
  auto options = initialized<rec_recommender_options_t>(rec_recommender_options_init);
  options.exclude_seen = exclude_seen;
  options.max_k = max_k;
  options.n_callers = n_callers;
  return make<Recommender>(rec_recommender_create, model.get(), &options);
}

}  // namespace rec::cli
