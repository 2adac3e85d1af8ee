// Calls of the C API in any order, with handles that are open, closed, of another kind or invented, and odd arguments.
// Arrays are as long as they are said to be: what C cannot express is not tried.
#include <deque>

#include "core/data/arrow_abi.h"
#include "rec_c_api.h"
#include "tests/fuzz/models.h"

namespace rec::fuzz {
namespace {

struct Seeds {
  TempFolder folder;
  std::vector<std::string> models;
};

const Seeds& seeds() {
  static const Seeds& all = *[] {
    auto* made = new Seeds;
    rec_plugin_add_folder(REC_PLUGINS_FOLDER, nullptr);
    const auto data = small_data();
    for (const ModelKind& kind : {kModelKinds[0], kModelKinds[1], kModelKinds[5], kModelKinds[8], kModelKinds[9]}) {
      Trainer trainer(data, kind.name, params_of(kind, 1), {});
      trainer.run([](const TrainingEvent&) {}, nullptr);
      TextWriter file;
      write_model(file, *trainer.model(REC_MODEL_BEST), true);
      made->folder.file(cat(kind.name, ".rec"), file.text);
      made->models.push_back(file.text);
    }
    made->folder.file("a.csv", "user_id,item_id,time\n1,10,5\n1,11,6\n2,10,7\n2,12,8\n3,11,9\n3,12,10\n");
    return made;
  }();
  return all;
}

rec_status_t on_event(const rec_event_t* event, void* user_data) {
  if (event->struct_size != sizeof *event) finding("an event of another size");
  return static_cast<rec_status_t>(reinterpret_cast<intptr_t>(user_data));
}

class Session {
 public:
  explicit Session(Input& in) : in_(in) {}
  Session(const Session&) = delete;
  ~Session() {
    for (const auto& [kind, handle] : made_) destroy(kind, handle);
  }

  void call() {
    rec_error_t* error = nullptr;
    rec_error_t** out = in_.one_in(8) ? nullptr : &error;
    const rec_status_t status = one_call(out);
    if (status < REC_OK || status > REC_CANCELLED) {
      finding(cat("status ", status, ": ", error != nullptr ? rec_error_message(error) : "no message"));
    }
    if ((error != nullptr) != (status != REC_OK && out != nullptr))
      finding("an error without a failure, or the reverse");
    if (error == nullptr) return;
    if (rec_error_code(error) != status) finding("an error of another status");
    check_message(rec_error_message(error));
    rec_error_argument(error), rec_error_file(error), rec_error_line(error), rec_error_byte_offset(error);
    keep(REC_OBJECT_ERROR, error);
  }

 private:
  void keep(int kind, void* handle) {
    if (handle != nullptr) made_.emplace_back(kind, handle);
  }
  static void destroy(int kind, void* handle) {
    switch (kind) {
      case REC_OBJECT_ERROR: return rec_error_destroy(static_cast<rec_error_t*>(handle));
      case REC_OBJECT_TEXT: return rec_text_destroy(static_cast<rec_text_t*>(handle));
      case REC_OBJECT_CANCEL: return rec_cancel_destroy(static_cast<rec_cancel_t*>(handle));
      case REC_OBJECT_DATASET: return rec_dataset_destroy(static_cast<rec_dataset_t*>(handle));
      case REC_OBJECT_TRAINER: return rec_trainer_destroy(static_cast<rec_trainer_t*>(handle));
      case REC_OBJECT_MODEL: return rec_model_destroy(static_cast<rec_model_t*>(handle));
      case REC_OBJECT_REPORT: return rec_report_destroy(static_cast<rec_report_t*>(handle));
      case REC_OBJECT_TUNER: return rec_tuner_destroy(static_cast<rec_tuner_t*>(handle));
      default: return rec_recommender_destroy(static_cast<rec_recommender_t*>(handle));
    }
  }
  // Most often of the kind that is wanted; else closed, of another kind, null or a number.
  template <class T>
  T* handle(int kind) {
    if (in_.one_in(12)) return nullptr;
    if (in_.one_in(24)) return reinterpret_cast<T*>(static_cast<intptr_t>(odd_integer(in_, 7)));
    const bool any = in_.one_in(12);
    std::vector<void*> fitting;
    for (const auto& [made_kind, made] : made_)
      if (any || made_kind == kind) fitting.push_back(made);
    return fitting.empty() ? nullptr : static_cast<T*>(fitting[in_.below(fitting.size())]);
  }
  template <class T>
  T* maybe(T* pointer) {
    return in_.one_in(16) ? nullptr : pointer;
  }
  uint32_t struct_size(size_t actual) {
    return in_.one_in(16) ? in_.one_of<uint32_t>({0, 7, 8, static_cast<uint32_t>(actual) - 8}) : actual;
  }
  // A count that the array behind it has room for, or a negative one.
  int64_t count(int64_t room) {
    return in_.one_in(8) ? (in_.one_in(2) ? -1 : INT64_MIN) : static_cast<int64_t>(in_.below(room + 1));
  }
  int64_t k() { return in_.one_in(4) ? odd_integer(in_, 1000) : 3; }
  int32_t choice(int32_t last) {
    return in_.one_in(8) ? static_cast<int32_t>(odd_integer(in_)) : static_cast<int32_t>(in_.below(last + 1));
  }
  const char* text(std::initializer_list<const char*> values) {
    return in_.one_in(16) ? nullptr
                          : texts_.emplace_back(in_.one_in(16) ? in_.text(in_.below(40)) : in_.one_of(values)).c_str();
  }
  const char* path() {
    const std::string& folder = seeds().folder.path();
    return in_.one_in(16) ? nullptr
                          : texts_
                                .emplace_back(in_.one_of<std::string>(
                                    {folder + "/a.csv", folder + "/bprmf.rec", folder + "/out", "", "/", "/dev/null",
                                     "/proc/self/cmdline", folder + "/none/x", std::string(5000, 'a'), folder}))
                                .c_str();
  }
  int64_t* numbers(size_t n) {
    auto& values = numbers_.emplace_back(n);
    for (int64_t& value : values) value = in_.one_in(8) ? odd_integer(in_) : static_cast<int64_t>(in_.below(14)) - 1;
    return values.data();
  }
  int64_t* offsets(size_t n) {
    auto& values = numbers_.emplace_back(n);
    for (size_t i = 0; i < n; ++i) values[i] = in_.one_in(16) ? odd_integer(in_) : static_cast<int64_t>(i);
    return values.data();
  }
  rec_ids_t* ids() {
    rec_ids_t& out = ids_.emplace_back();
    out.struct_size = struct_size(sizeof out);
    out.type = in_.one_in(2) ? REC_ID_ROW : choice(3);
    out.n = count(4);
    out.i64 = in_.one_in(16) ? nullptr : numbers(4);
    out.bytes = in_.one_in(16) ? nullptr : texts_.emplace_back("abcdefgh").c_str();
    out.n_bytes = count(8);
    out.offsets = in_.one_in(16) ? nullptr : offsets(5);
    return in_.one_in(32) ? nullptr : &out;
  }
  rec_run_options_t* run() {
    rec_run_options_t& out = runs_.emplace_back();
    out.struct_size = struct_size(sizeof out);
    out.threads = in_.one_in(8) ? -1 : 1;
    out.on_event = in_.one_in(2) ? on_event : nullptr;
    out.user_data = reinterpret_cast<void*>(static_cast<intptr_t>(in_.one_in(4) ? in_.below(17) : 0));
    if (in_.one_in(4)) out.cancel = handle<rec_cancel_t>(REC_OBJECT_CANCEL);
    out.isolation = in_.one_in(16) ? 9 : REC_ISOLATION_IN_PROCESS;
    return in_.one_in(2) ? nullptr : &out;
  }
  rec_protocol_t* protocol() {
    rec_protocol_t& out = protocols_.emplace_back();
    out.struct_size = struct_size(sizeof out);
    out.part = choice(2);
    out.rows = choice(3);
    out.candidates = choice(3);
    out.mask = choice(2);
    out.ties = choice(1);
    out.history = choice(2);
    out.n_candidates = in_.one_in(4) ? odd_integer(in_) : 0;
    return in_.one_in(2) ? nullptr : &out;
  }
  rec_request_t* request() {
    rec_request_t& out = requests_.emplace_back();
    out.struct_size = struct_size(sizeof out);
    out.k = k();
    out.users = ids();
    if (in_.one_in(2)) {
      out.history_items = ids();
      out.history_offsets = in_.one_in(8) ? nullptr : offsets(5);
      out.n_history_offsets = count(5);
      if (in_.one_in(2)) out.history_times = numbers(4);
      out.n_history_times = count(4);
    }
    if (in_.one_in(4)) out.request_times = numbers(4);
    out.n_request_times = count(4);
    if (in_.one_in(2)) {
      out.candidates = ids();
      if (in_.one_in(2)) out.candidate_offsets = offsets(5);
      out.n_candidate_offsets = count(5);
    }
    if (in_.one_in(4)) out.allow_bits = reinterpret_cast<const uint8_t*>(numbers(1));
    if (in_.one_in(4)) out.deny_bits = reinterpret_cast<const uint8_t*>(numbers(1));
    out.n_allow_bytes = count(8);
    out.n_deny_bytes = count(8);
    return maybe(&out);
  }
  rec_output_t* output() {
    rec_output_t& out = outputs_.emplace_back();
    out.struct_size = struct_size(sizeof out);
    out.n_rows = count(64);
    out.n_scores = count(64);
    out.n_status = count(64);
    const auto room = [](int64_t n) { return static_cast<size_t>(std::max<int64_t>(n, 0)); };
    if (!in_.one_in(8)) out.rows = numbers_.emplace_back(room(out.n_rows)).data();
    if (!in_.one_in(8)) out.scores = scores_.emplace_back(room(out.n_scores)).data();
    if (!in_.one_in(8)) out.status = statuses_.emplace_back(room(out.n_status)).data();
    return maybe(&out);
  }
  const char* params() {
    return text({"{}", R"({"epochs": 1, "threads": 1})", R"({"epochs": 1, "threads": 1, "batch_size": 2})", "{", "[]",
                 "null", R"({"epochs": 0})", R"({"epochs": 1e400})", R"({"x": 1})"});
  }

  rec_status_t one_call(rec_error_t** error);
  rec_status_t make_dataset(rec_error_t** error);
  rec_status_t make_model(rec_error_t** error);
  rec_status_t use_model(rec_error_t** error);
  rec_status_t train(rec_error_t** error);
  rec_status_t look_at_dataset(rec_error_t** error);
  rec_status_t measure_lists(rec_error_t** error);
  rec_status_t tune(rec_error_t** error);

  Input& in_;
  std::vector<std::pair<int, void*>> made_;
  std::deque<std::string> texts_;
  std::deque<std::vector<int64_t>> numbers_;
  std::deque<std::vector<float>> scores_;
  std::deque<std::vector<rec_status_t>> statuses_;
  std::deque<rec_ids_t> ids_;
  std::deque<rec_run_options_t> runs_;
  std::deque<rec_protocol_t> protocols_;
  std::deque<rec_request_t> requests_;
  std::deque<rec_output_t> outputs_;
};

rec_status_t Session::make_dataset(rec_error_t** error) {
  rec_dataset_t* data = nullptr;
  rec_status_t status;
  switch (in_.below(3)) {
    case 0: {
      rec_dataset_options_t options{};
      options.struct_size = struct_size(sizeof options);
      options.memory_limit_bytes = 1 << 20;
      options.bad_rows = choice(1);
      options.user_id_type = choice(2);
      options.min_weight = odd_number(in_);
      options.has_min_weight = in_.one_in(4);
      options.format = in_.one_in(2) ? nullptr : text({"csv", "movielens", "zzz", "auto"});
      options.separator = in_.one_in(2) ? nullptr : text({",", "", "ab", "\n"});
      status = rec_dataset_load(path(), maybe(&options), run(), maybe(&data), error);
      break;
    }
    case 1: {
      rec_columns_t columns{};
      columns.struct_size = struct_size(sizeof columns);
      columns.users = ids();
      columns.items = ids();
      if (in_.one_in(2)) columns.times = numbers(4);
      columns.n_times = count(4);
      if (in_.one_in(4)) columns.impressions = numbers(4);
      columns.n_impressions = count(4);
      std::vector<float>& weights = scores_.emplace_back(4);
      for (float& weight : weights) weight = in_.one_in(8) ? NAN : static_cast<float>(in_.below(2));
      if (in_.one_in(4)) columns.weights = weights.data();
      columns.n_weights = count(4);
      if (in_.one_in(4)) columns.labels = weights.data();
      columns.n_labels = count(4);
      auto& parts = statuses_.emplace_back(4);
      for (int32_t& part : parts) part = choice(2);
      if (in_.one_in(2)) columns.parts = parts.data();
      columns.n_parts = count(4);
      if (in_.one_in(4)) columns.title_items = ids(), columns.titles = ids();
      columns.memory_limit_bytes = in_.one_in(8) ? odd_integer(in_) : 0;
      status = rec_dataset_create_from_columns(maybe(&columns), run(), maybe(&data), error);
      break;
    }
    default: {
      rec_split_options_t options{};
      options.struct_size = struct_size(sizeof options);
      options.kind = choice(5);
      if (in_.one_in(2)) {
        options.train_ratio = odd_number(in_);
        options.valid_ratio = odd_number(in_);
        options.test_ratio = odd_number(in_);
      }
      status =
          rec_dataset_split(handle<rec_dataset_t>(REC_OBJECT_DATASET), maybe(&options), run(), maybe(&data), error);
    }
  }
  keep(REC_OBJECT_DATASET, data);
  return status;
}

rec_status_t Session::make_model(rec_error_t** error) {
  rec_model_t* model = nullptr;
  rec_load_options_t options{};
  options.struct_size = struct_size(sizeof options);
  options.memory_limit_bytes = in_.one_in(8) ? odd_integer(in_) : 0;
  rec_status_t status;
  if (in_.one_in(4)) {
    status = rec_model_load(path(), maybe(&options), run(), maybe(&model), error);
  } else {
    const std::string& bytes = seeds().models[in_.below(seeds().models.size())];
    const int64_t n = in_.one_in(8) ? count(std::ssize(bytes)) : std::ssize(bytes);
    status = rec_model_load_bytes(maybe(bytes.data()), n, maybe(&options), run(), maybe(&model), error);
  }
  keep(REC_OBJECT_MODEL, model);
  return status;
}

rec_status_t Session::use_model(rec_error_t** error) {
  auto* model = handle<rec_model_t>(REC_OBJECT_MODEL);
  rec_text_t* owner = nullptr;
  rec_status_t status = REC_OK;
  switch (in_.below(8)) {
    case 0: status = rec_model_describe(model, maybe(&owner), error); break;
    case 1: {
      int64_t n[2];
      return rec_model_counts(model, maybe(&n[0]), maybe(&n[1]), error);
    }
    case 2:
    case 3: {
      rec_ids_t out{};
      out.struct_size = struct_size(sizeof out);
      const auto function = in_.one_of({rec_model_item_ids, rec_model_user_ids, rec_model_item_titles});
      status = function(model, maybe(numbers(4)), count(4), maybe(&out), maybe(&owner), error);
      if (status == REC_OK && out.struct_size == sizeof out && out.type == REC_ID_BYTES &&
          out.offsets[out.n] != out.n_bytes)
        finding("offsets that do not end with the bytes");
      break;
    }
    case 4: {
      const auto function = in_.one_in(2) ? rec_model_item_rows : rec_model_user_rows;
      return function(model, ids(), maybe(numbers(4)), count(4), error);
    }
    case 5: {
      rec_save_options_t options{};
      options.struct_size = struct_size(sizeof options);
      options.no_user_data = in_.one_in(2);
      const std::string out = seeds().folder / "out.rec";
      return rec_model_save(model, in_.one_in(4) ? in_.one_of({"", "/dev/null/x", "/none/x"}) : out.c_str(),
                            maybe(&options), run(), error);
    }
    case 6: {
      rec_report_t* report = nullptr;
      status = rec_model_evaluate(model, handle<rec_dataset_t>(REC_OBJECT_DATASET),
                                  text({"ndcg@3", "auc", "ndcg@0", "gauc,recall@3", "rechorus.hr@2", "mae", ",,",
                                        "ndcg@-1", "spark.ndcg@2147483648"}),
                                  protocol(), run(), maybe(&report), error);
      keep(REC_OBJECT_REPORT, report);
      return status;
    }
    default: {
      rec_recommender_options_t options{};
      options.struct_size = struct_size(sizeof options);
      options.exclude_seen = in_.one_in(2);
      options.max_k = in_.one_in(4) ? odd_integer(in_) : 0;
      options.n_callers = in_.one_in(4) ? static_cast<int32_t>(odd_integer(in_)) : 1;
      options.strict = in_.one_in(4);
      rec_recommender_t* recommender = nullptr;
      status = rec_recommender_create(model, maybe(&options), maybe(&recommender), error);
      keep(REC_OBJECT_RECOMMENDER, recommender);
      return status;
    }
  }
  keep(REC_OBJECT_TEXT, owner);
  return status;
}

rec_status_t Session::train(rec_error_t** error) {
  auto* trainer = handle<rec_trainer_t>(REC_OBJECT_TRAINER);
  switch (in_.below(5)) {
    case 0:
    case 1: {
      rec_trainer_options_t options{};
      options.struct_size = struct_size(sizeof options);
      options.resume = in_.one_in(4);
      options.checkpoint_path = in_.one_in(2) ? nullptr : texts_.emplace_back(seeds().folder / "a.ckpt").c_str();
      options.checkpoint_seconds = in_.one_in(8) ? odd_number(in_) : 0;
      options.metrics = in_.one_in(2) ? nullptr : text({"ndcg@3", "auc", "zzz", ""});
      options.main_metric = in_.one_in(2) ? nullptr : text({"ndcg@3", "auc", ""});
      options.protocol = protocol();
      options.isolation = in_.one_in(16) ? 9 : REC_ISOLATION_IN_PROCESS;
      options.memory_limit_bytes = in_.one_in(8) ? odd_integer(in_) : 0;
      const char* model = text({"popularity", "bprmf", "itemknn", "nobody", "../x", ""});
      if (in_.one_in(4)) return rec_trainer_check(model, params(), maybe(&options), error);
      rec_trainer_t* made = nullptr;
      const rec_status_t status = rec_trainer_create(handle<rec_dataset_t>(REC_OBJECT_DATASET), model,
                                                     in_.one_in(4) ? params() : R"({"epochs": 1, "threads": 1})",
                                                     maybe(&options), run(), maybe(&made), error);
      keep(REC_OBJECT_TRAINER, made);
      return status;
    }
    case 2: return rec_trainer_run(trainer, run(), error);
    case 3: return rec_trainer_warm_start(trainer, handle<rec_model_t>(REC_OBJECT_MODEL), error);
    default: {
      rec_model_t* model = nullptr;
      const rec_status_t status = rec_trainer_create_model(trainer, choice(1), run(), maybe(&model), error);
      keep(REC_OBJECT_MODEL, model);
      return status;
    }
  }
}

// Its counts, or its rows to the end or a part of them.
rec_status_t Session::look_at_dataset(rec_error_t** error) {
  const auto* data = handle<rec_dataset_t>(REC_OBJECT_DATASET);
  int64_t n[3];
  if (in_.one_in(2)) return rec_dataset_counts(data, maybe(&n[0]), maybe(&n[1]), maybe(&n[2]), error);
  ArrowArrayStream stream{};
  const rec_status_t status = rec_dataset_export_arrow(data, maybe(&stream), error);
  if (stream.release == nullptr) return status;
  ArrowSchema schema{};
  if (stream.get_schema(&stream, &schema) == 0) schema.release(&schema);
  for (ArrowArray batch{}; !in_.one_in(4) && stream.get_next(&stream, &batch) == 0 && batch.release != nullptr;)
    batch.release(&batch);
  stream.release(&stream);
  return status;
}

rec_status_t Session::measure_lists(rec_error_t** error) {
  rec_lists_t lists{};
  lists.struct_size = struct_size(sizeof lists);
  lists.ranked = ids();
  lists.ranked_offsets = in_.one_in(16) ? nullptr : offsets(4);
  lists.n_ranked_offsets = count(4);
  lists.truth = ids();
  lists.truth_offsets = in_.one_in(16) ? nullptr : offsets(4);
  lists.n_truth_offsets = count(4);
  const float gains[4] = {1, 0, in_.one_in(8) ? -1.f : 2.f, 0.5f};
  if (in_.one_in(2)) lists.gains = gains;
  lists.n_gains = count(4);
  rec_report_t* report = nullptr;
  const rec_status_t status =
      rec_lists_evaluate(maybe(&lists), text({"ndcg@3,recall@2", "rbp@5[0.5]", "auc", "spark.ndcg@2", ""}), maybe(&report), error);
  keep(REC_OBJECT_REPORT, report);
  return status;
}

rec_status_t Session::tune(rec_error_t** error) {
  auto* tuner = handle<rec_tuner_t>(REC_OBJECT_TUNER);
  int64_t trial = in_.one_in(8) ? odd_integer(in_) : static_cast<int64_t>(in_.below(4));
  const double value = in_.one_in(8) ? odd_number(in_) : static_cast<double>(in_.below(8));
  int32_t prune = 0;
  rec_text_t* json = nullptr;
  rec_status_t status = REC_OK;
  switch (in_.below(5)) {
    case 0: {
      rec_tuner_options_t options{};
      options.struct_size = struct_size(sizeof options);
      options.sampler = choice(REC_SAMPLER_GRID);
      options.pruner = choice(REC_PRUNER_HALVING);
      options.minimize = choice(1);
      options.seed = odd_integer(in_);
      options.n_trials = in_.one_in(8) ? odd_integer(in_) : 0;
      options.parallel = in_.one_in(2) ? odd_integer(in_, 4) : 0;
      options.min_epochs = in_.one_in(8) ? odd_integer(in_) : 0;
      options.journal_path = in_.one_in(2) ? nullptr : texts_.emplace_back(seeds().folder / "a.journal").c_str();
      rec_tuner_t* made = nullptr;
      status =
          rec_tuner_create(text({R"({"a": {"low": 1, "high": 9, "log": true}, "b": [1, "x", [2]]})", R"({"a": [1, 2]})",
                                 R"({"a": {"low": 0, "high": 1e308}})", R"({"a": {"low": 2, "high": 1}})", "[]", "{"}),
                           maybe(&options), maybe(&made), error);
      keep(REC_OBJECT_TUNER, made);
      return status;
    }
    case 1: status = rec_tuner_ask(tuner, maybe(&trial), maybe(&json), error); break;
    case 2: return rec_tuner_report(tuner, trial, odd_integer(in_, 4), value, maybe(&prune), error);
    case 3: return rec_tuner_tell(tuner, trial, choice(REC_TRIAL_FAILED), value, text({"it failed", ""}), error);
    default: status = rec_tuner_describe(tuner, maybe(&json), error);
  }
  keep(REC_OBJECT_TEXT, json);
  return status;
}

rec_status_t Session::one_call(rec_error_t** error) {
  switch (in_.below(16)) {
    case 0: {
      rec_cancel_t* cancel = nullptr;
      const rec_status_t status = rec_cancel_create(maybe(&cancel), error);
      keep(REC_OBJECT_CANCEL, cancel);
      return status;
    }
    case 1: return in_.one_in(2) ? tune(error) : rec_cancel_request(handle<rec_cancel_t>(REC_OBJECT_CANCEL), error);
    case 2:
    case 3: return make_dataset(error);
    case 4: {
      if (in_.one_in(3)) return look_at_dataset(error);
      if (in_.one_in(3)) return measure_lists(error);
      rec_text_t* text = nullptr;
      const rec_status_t status = rec_dataset_describe(handle<rec_dataset_t>(REC_OBJECT_DATASET), maybe(&text), error);
      keep(REC_OBJECT_TEXT, text);
      return status;
    }
    case 5: {
      const std::string folder = seeds().folder / "saved";
      return rec_dataset_save(handle<rec_dataset_t>(REC_OBJECT_DATASET),
                              in_.one_in(4) ? in_.one_of({"", "/dev/null/x"}) : folder.c_str(), run(), error);
    }
    case 6: return make_model(error);
    case 7:
    case 8:
    case 9: return use_model(error);
    case 10:
    case 11: return train(error);
    case 12:
    case 13: {
      auto* recommender = handle<rec_recommender_t>(REC_OBJECT_RECOMMENDER);
      switch (in_.below(3)) {
        case 0: return rec_recommender_top_k(recommender, request(), output(), error);
        case 1: return rec_recommender_score(recommender, request(), output(), error);
        default: {
          const uint8_t* allow = in_.one_in(4) ? reinterpret_cast<const uint8_t*>(numbers(1)) : nullptr;
          const uint8_t* deny = in_.one_in(4) ? reinterpret_cast<const uint8_t*>(numbers(1)) : nullptr;
          const auto similar = in_.one_in(2) ? rec_recommender_similar_users : rec_recommender_similar_items;
          return similar(recommender, ids(), k(), allow, count(8), deny, count(8), output(), error);
        }
      }
    }
    case 14: {
      auto* report = handle<rec_report_t>(REC_OBJECT_REPORT);
      int64_t n[2];
      const double* values = nullptr;
      const int64_t* users = nullptr;
      const char* name = nullptr;
      double mean = 0;
      switch (in_.below(6)) {
        case 0: return rec_report_counts(report, maybe(&n[0]), maybe(&n[1]), error);
        case 1: return rec_report_get_metric(report, odd_integer(in_), maybe(&name), maybe(&mean), error);
        case 2: return rec_report_get_values(report, maybe(&values), error);
        case 3: return rec_report_get_interactions(report, maybe(&users), error);
        case 4: return rec_report_get_lists(report, maybe(&users), maybe(&users), nullptr, nullptr, error);
        default: return rec_report_get_users(report, maybe(&users), error);
      }
    }
    default: {
      if (made_.empty()) return REC_OK;
      const auto [kind, handle] = made_[in_.below(made_.size())];  // stays in the list: later calls get a closed one
      destroy(in_.one_in(8) ? static_cast<int>(1 + in_.below(9)) : kind, handle);
      return REC_OK;
    }
  }
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  rec::fuzz::seeds();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Input in(data, size);
  {
    Session session(in);
    for (int n = 0; n < 40 && !in.empty(); ++n) session.call();
  }
  int64_t n_live = 0;
  rec_live_objects(REC_OBJECT_ANY, &n_live, nullptr);
  if (n_live != 0) finding(rec::cat(n_live, " objects are left"));
  std::filesystem::remove_all(seeds().folder / "saved");
  for (const char* name : {"out.rec", "a.ckpt", "a.ckpt.prev", "a.journal"})
    std::filesystem::remove(seeds().folder / name);
  return 0;
}
