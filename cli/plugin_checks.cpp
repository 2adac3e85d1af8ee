// What the author of a plugin wants to know before users do: the promises of rec_plugin_api.h, tested on small data.
#include "cli/plugin_checks.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <thread>

#include "cli/exit_codes.h"

namespace rec::cli {

namespace {

constexpr int64_t kUsers = 40, kItems = 20;

struct Broken {
  std::string why;
};

// Even users like even items; the last of each user's ten is the test part, the one before it valid. Times rise.
Dataset world() {
  std::vector<int64_t> users, items, times;
  std::vector<int32_t> parts;
  for (int64_t u = 0; u < kUsers; ++u)
    for (int64_t j = 0; j < kItems / 2; ++j) {
      users.push_back(u);
      items.push_back(u % 2 + 2 * ((7 * j + u) % (kItems / 2)));
      times.push_back(1'600'000'000 + 1000 * u + j);
      parts.push_back(j == 9 ? REC_PART_TEST : j == 8 ? REC_PART_VALID : REC_PART_TRAIN);
    }
  auto user_ids = initialized<rec_ids_t>(rec_ids_init), item_ids = user_ids;
  user_ids.type = item_ids.type = REC_ID_INT64;
  user_ids.n = item_ids.n = std::ssize(users);
  user_ids.i64 = users.data();
  item_ids.i64 = items.data();
  auto columns = initialized<rec_columns_t>(rec_columns_init);
  columns.users = &user_ids;
  columns.items = &item_ids;
  columns.times = times.data();
  columns.n_times = std::ssize(times);
  columns.parts = parts.data();
  columns.n_parts = std::ssize(parts);
  return make<Dataset>(rec_dataset_create_from_columns, &columns, nullptr);
}

Answers answers(const Recommender& recommender, int64_t first, int64_t n) {
  std::vector<int64_t> users(n);
  std::iota(users.begin(), users.end(), first);
  return top_k(recommender, REC_ID_INT64, users, 5);
}

// What malloc has given and not got back.
int64_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

class Checks {
 public:
  Checks(const std::string& model, Json params) : model_(model), params_(std::move(params)), data_(world()) {
    std::string folder = (std::filesystem::temp_directory_path() / "recore-check-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) throw Failure{REC_IO, "cannot make a folder " + folder, {}, folder, -1};
    folder_ = folder;
    const Json described = json_of(rec_plugin_describe, model.c_str());
    for (const Json& capability : described["capabilities"])
      deterministic_ = deterministic_ || capability == "deterministic";
    has_doc_ = !value_text(described["doc"]).empty();
    for (const Json& parameter : described["parameters"])
      if (parameter.contains("min") && parameter["default"].is_number() &&
          (parameter["default"] < parameter["min"] || parameter["default"] > parameter["max"]))
        bad_default_ = value_text(parameter["name"]);
  }
  ~Checks() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Checks(const Checks&) = delete;
  Checks& operator=(const Checks&) = delete;

  void describes_itself() const {
    if (!has_doc_) throw Broken{"the plugin's doc is empty"};
    if (!bad_default_.empty()) throw Broken{"the default of " + bad_default_ + " is outside its own range"};
  }

  void trains() {
    whole_ = bytes_of(train(1));
    if (whole_.empty()) throw Broken{"the model file is empty"};
  }

  void repeats_itself() {
    if (!deterministic_) return;
    for (int threads : {1, 2, 7})
      if (bytes_of(train(threads)) != whole_)
        throw Broken{"says it is deterministic, but " + std::to_string(threads) +
                     " threads and the same seed give a different model file"};
    if (bytes_of(train(1, REC_ISOLATION_PROCESS)) != whole_)  // a worker: other addresses, another clock
      throw Broken{"says it is deterministic, but the same seed gives a different model file in another process"};
  }

  void survives_save_and_load() {
    const Model trained = train(1);
    const std::string path = (folder_ / "a.rec").string();
    call(rec_model_save, trained.get(), path.c_str(), nullptr, nullptr);
    const auto loaded = make<Model>(rec_model_load, path.c_str(), nullptr, nullptr);
    if (bytes_of(loaded) != whole_ && deterministic_) throw Broken{"saved, loaded and saved again, the file differs"};
    if (all_answers(loaded) != all_answers(trained)) throw Broken{"the loaded model gives different answers"};
  }

  // Stopped after two epochs, and in the middle of the second.
  void resumes() {
    resumes_after([](const rec_event_t& event) { return event.kind == REC_EVENT_EPOCH && event.epoch == 2; });
    resumes_after([](const rec_event_t& event) {
      return event.kind == REC_EVENT_CHECKPOINT && event.epoch == 1 && event.batch == 5;
    });
  }

  void answers_alike() {
    const auto recommender = make<Recommender>(rec_recommender_create, train(1).get(), nullptr);
    const Answers all = answers(recommender, 0, kUsers);
    for (int64_t u = 0; u < kUsers; ++u) {
      const Answers one = answers(recommender, u, 1);
      if (!std::equal(one.rows.begin(), one.rows.end(), all.rows.begin() + 5 * u) ||
          !std::equal(one.scores.begin(), one.scores.end(), all.scores.begin() + 5 * u))
        throw Broken{"user " + std::to_string(u) + " alone gets another answer than among others"};
    }
    std::vector<char> same(8, 0);
    std::vector<std::thread> threads;
    for (char& mine : same)
      threads.emplace_back([&] {
        for (int round = 0; round < 20; ++round)
          if (answers(recommender, 0, kUsers) != all) return;
        mine = 1;
      });
    for (std::thread& thread : threads) thread.join();
    if (std::count(same.begin(), same.end(), 1) != 8) throw Broken{"eight threads get different answers from one"};
  }

  // Caches of the allocator and of the library grow at first; a leak grows with every training.
  void gives_memory_back() {
    constexpr int kLives = 10;
    std::array<int64_t, 5> in_use;
    for (int64_t& bytes : in_use) {
      for (int life = 0; life < kLives; ++life) train(1);
      bytes = bytes_in_use();
    }
    int64_t least = INT64_MAX;
    for (size_t i = 1; i < in_use.size(); ++i) least = std::min(least, in_use[i] - in_use[i - 1]);
    if (least >= kLives * 16)
      throw Broken{"each training leaves about " + std::to_string(least / kLives) + " bytes behind"};
  }

 private:
  void resumes_after(bool (*stops)(const rec_event_t&)) {
    std::filesystem::remove(folder_ / "check.ckpt");
    std::filesystem::remove(folder_ / "check.ckpt.prev");
    const std::string path = (folder_ / "check.ckpt").string();
    auto options = initialized<rec_trainer_options_t>(rec_trainer_options_init);
    options.checkpoint_path = path.c_str();
    options.checkpoint_batches = 1;
    struct Halt {
      Handle<rec_cancel_t, rec_cancel_destroy> cancel;
      bool (*stops)(const rec_event_t&);
    } halt{make<Handle<rec_cancel_t, rec_cancel_destroy>>(rec_cancel_create), stops};
    auto run = initialized<rec_run_options_t>(rec_run_options_init);
    run.cancel = halt.cancel.get();
    run.user_data = &halt;
    run.on_event = [](const rec_event_t* event, void* given) -> rec_status_t {
      const auto& self = *static_cast<Halt*>(given);
      if (self.stops(*event)) rec_cancel_request(self.cancel.get(), nullptr);
      return REC_OK;
    };
    {
      const Trainer first = trainer(1, &options);
      const rec_status_t status = rec_trainer_run(first.get(), &run, nullptr);
      if (status != REC_OK && status != REC_CANCELLED)  // a closed form finishes before it can be stopped
        throw Broken{std::string("a cancelled training ends with ") + rec_status_name(status)};
    }
    options.resume = 1;
    const Trainer second = trainer(1, &options);
    call(rec_trainer_run, second.get(), nullptr);
    if (bytes_of(make<Model>(rec_trainer_create_model, second.get(), REC_MODEL_LAST, nullptr)) != whole_ &&
        deterministic_)
      throw Broken{
          "stopped and resumed, the model differs: is every tensor listed by tensor_info, and is each up to "
          "date when it is read?"};
  }

  // In this process unless asked otherwise, so that its memory can be checked.
  Trainer trainer(int threads, const rec_trainer_options_t* options = nullptr,
                  int32_t isolation = REC_ISOLATION_IN_PROCESS) const {
    Json params = {{"epochs", 4}, {"batch_size", 32}, {"patience", 0}};
    params.update(params_);
    params["threads"] = threads;
    auto given = options != nullptr ? *options : initialized<rec_trainer_options_t>(rec_trainer_options_init);
    given.isolation = isolation;
    return make<Trainer>(rec_trainer_create, data_.get(), model_.c_str(), params.dump().c_str(), &given, nullptr);
  }

  Model train(int threads, int32_t isolation = REC_ISOLATION_IN_PROCESS) const {
    const Trainer t = trainer(threads, nullptr, isolation);
    call(rec_trainer_run, t.get(), nullptr);
    return make<Model>(rec_trainer_create_model, t.get(), REC_MODEL_LAST, nullptr);
  }

  std::string bytes_of(const Model& model) const {
    const std::string path = (folder_ / "m.rec").string();
    call(rec_model_save, model.get(), path.c_str(), nullptr, nullptr);
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static Answers all_answers(const Model& model) {
    return answers(make<Recommender>(rec_recommender_create, model.get(), nullptr), 0, kUsers);
  }

  const std::string model_;
  const Json params_;
  const Dataset data_;
  std::filesystem::path folder_;
  bool deterministic_ = false, has_doc_ = false;
  std::string bad_default_;  // a parameter
  std::string whole_;        // the file of an uninterrupted training
};

std::string model_in(const std::string& path) {
  call(rec_plugin_load, path.c_str());
  const std::filesystem::path wanted = std::filesystem::weakly_canonical(path);
  for (const Json& plugin : json_of(rec_plugin_list))
    if (std::filesystem::weakly_canonical(value_text(plugin["path"])) == wanted) return value_text(plugin["name"]);
  throw Failure{REC_PLUGIN_FAILED, "the plugin of " + path + " is not among those that were found", {}, path, -1};
}

}  // namespace

int check_plugin(const std::string& path, const std::vector<std::string>& settings, Context& context) {
  const Stop::Abandonable abandonable(context.stop);
  call(rec_log_set_sink, nullptr, REC_LOG_ERROR, nullptr, nullptr);  // what is printed is the plugin's
  std::string model;
  std::unique_ptr<Checks> checks;
  const std::pair<const char*, std::function<void()>> all[] = {
      {"loads",
       [&] {
         model = model_in(path);
         checks = std::make_unique<Checks>(model, read_params(settings, context.common));
       }},
      {"describes itself", [&] { checks->describes_itself(); }},
      {"trains", [&] { checks->trains(); }},
      {"gives the same model for the same seed, 1, 2, 7 threads and another process",
       [&] { checks->repeats_itself(); }},
      {"survives save and load", [&] { checks->survives_save_and_load(); }},
      {"resumes as if it had not been stopped", [&] { checks->resumes(); }},
      {"answers one, many and eight threads alike", [&] { checks->answers_alike(); }},
      {"gives memory back", [&] { checks->gives_memory_back(); }},
  };
  std::FILE* const events = fdopen(kEventsDescriptor, "w");
  if (events == nullptr) throw Failure{REC_IO, "the descriptor of the events is not open", {}, {}, -1};
  const auto tell = [&](const Json& event) {
    std::fprintf(events, "%s\n", dump(event).c_str());
    std::fflush(events);
  };
  int64_t n_broken = 0;
  for (const auto& [name, body] : all) {
    tell({{"event", "begin"}, {"check", name}});
    std::string why;
    try {
      body();
    } catch (const Broken& broken) {
      why = broken.why;
    } catch (const Failure& failure) {
      why = std::string(rec_status_name(failure.status)) + ": " + failure.message;
    }
    n_broken += !why.empty();
    tell({{"event", "check"}, {"check", name}, {"found", why}});
    const bool essential = name == std::string_view("loads") || name == std::string_view("trains");
    if (!why.empty() && essential) break;  // the others would say the same
  }
  checks.reset();
  tell({{"event", "done"}, {"model", model}});
  return n_broken == 0 ? 0 : exit_code(REC_PLUGIN_FAILED);
}

}  // namespace rec::cli
