// What every plugin must do, shipped or third-party. models.h lists what each can do, so that no test skips itself.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/conformance/models.h"
#include "tests/conformance/worlds.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {
namespace {

std::string json(const Model& model, const std::string& more = "") {
  std::string text = model.params;
  if (!more.empty()) text += (text.empty() ? "" : ", ") + more;
  return "{" + text + "}";
}

class Conformance : public testing::TestWithParam<Model>, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }

  static std::vector<int64_t> users(int64_t n) {
    std::vector<int64_t> ids;
    for (int64_t u = 0; u < n; ++u) ids.push_back(1000 + u);
    return ids;
  }
  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const Model& model() const { return GetParam(); }
  bool sequential() const { return model().capabilities == kSequences || model().capabilities == kLabelledSequences; }
  TempFolder folder_;
};

TEST_P(Conformance, DeclaresTheCapabilitiesExpectedOfIt) {
  const auto text = make<rec_text_t>(
      [&](rec_text_t** out, rec_error_t** error) { return rec_plugin_describe(model().name.c_str(), out, error); });
  const auto description = nlohmann::json::parse(rec_text_data(text.get()));
  auto got = description["capabilities"].get<std::vector<std::string>>();
  auto want = model().capabilities;
  std::sort(got.begin(), got.end());
  std::sort(want.begin(), want.end());
  EXPECT_EQ(got, want);
  EXPECT_FALSE(description["doc"].get<std::string>().empty());
}

TEST_P(Conformance, LearnsAWorldWhoseAnswerIsKnown) {
  const auto data = sequential() ? cycle() : checkerboard();
  const auto trained = train(data.get(), model().name, json(model(), R"("patience": 0)"));
  // Only a model that is given the item just before can learn what follows it.
  const double ndcg = evaluate(trained.get(), data.get(), "ndcg@5", sequential() ? REC_ROWS_EVENT : REC_ROWS_USER);
  if (model().personal) {
    EXPECT_GT(ndcg, 0.95);
  } else {
    EXPECT_LT(ndcg, 0.9);  // one list for everybody cannot suit both halves
  }
}

TEST_P(Conformance, AnswersABatchAsItAnswersOneByOne) {
  const auto trained = train(checkerboard().get(), model().name, json(model()));
  const auto r = recommender(trained.get());
  const TopK batch = top_k(r.get(), users(40), 7);
  for (int64_t u = 0; u < 40; ++u) {
    const TopK one = top_k(r.get(), {1000 + u}, 7);
    EXPECT_TRUE(std::equal(one.rows.begin(), one.rows.end(), batch.rows.begin() + u * 7)) << "user " << u;
    EXPECT_EQ(std::memcmp(one.scores.data(), batch.scores.data() + u * 7, 7 * sizeof(float)), 0) << "user " << u;
  }
}

TEST_P(Conformance, LeavesSeenItemsOutAndSignsShortRows) {
  const auto data = checkerboard();
  const auto trained = train(data.get(), model().name, json(model()));
  const auto r = recommender(trained.get(), true);
  const TopK top = top_k(r.get(), users(40), 25);  // more than the 20 items
  const TopK all = top_k(recommender(trained.get()).get(), users(40), 25);
  for (int64_t u = 0; u < 40; ++u) {
    std::vector<int64_t> rows(top.rows.begin() + u * 25, top.rows.begin() + (u + 1) * 25);
    const auto n = std::find(rows.begin(), rows.end(), REC_NO_ROW) - rows.begin();
    EXPECT_EQ(n, 10) << "20 items, 10 in train, valid and test";
    for (int64_t k = n; k < 25; ++k) {
      EXPECT_EQ(rows[k], REC_NO_ROW);
      EXPECT_EQ(top.scores[u * 25 + k], -INFINITY);
    }
    EXPECT_EQ(std::count(all.rows.begin() + u * 25, all.rows.begin() + (u + 1) * 25, REC_NO_ROW), 5);
    std::vector<int64_t> sorted(rows.begin(), rows.begin() + n);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
  }
}

TEST_P(Conformance, ScoresGivenCandidatesAsItRanksThem) {
  const auto trained = train(checkerboard().get(), model().name, json(model()));
  const auto r = recommender(trained.get());
  const TopK top = top_k(r.get(), {1003}, 20);
  const std::vector<int64_t> user{1003};
  const rec_ids_t user_ids = int64_ids(user), candidates = int64_ids(top.rows, REC_ID_ROW);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.users = &user_ids;
  request.candidates = &candidates;
  const std::vector<float> scores = score(r.get(), request, 20);
  EXPECT_EQ(std::memcmp(scores.data(), top.scores.data(), 20 * sizeof(float)), 0);
}

TEST_P(Conformance, GivesTheSameBytesAfterSaveAndLoad) {
  const auto trained = train(checkerboard().get(), model().name, json(model()));
  save(trained.get(), folder_ / "a.rec");
  const auto loaded = load(folder_ / "a.rec");
  save(loaded.get(), folder_ / "b.rec");
  EXPECT_EQ(bytes_of(folder_ / "a.rec"), bytes_of(folder_ / "b.rec"));
  const TopK before = top_k(recommender(trained.get(), true).get(), users(40), 10);
  const TopK after = top_k(recommender(loaded.get(), true).get(), users(40), 10);
  EXPECT_EQ(before.rows, after.rows);
  EXPECT_EQ(std::memcmp(before.scores.data(), after.scores.data(), before.scores.size() * sizeof(float)), 0);
}

TEST_P(Conformance, GivesTheSameFileForOneTwoAndSevenThreads) {
  const auto data = checkerboard(300, 60);
  auto params = nlohmann::json::parse(json(model()));
  if (params.contains("epochs")) params["epochs"] = 3;  // several batches of each, on data of several blocks of rows
  std::string first;
  for (int threads : {1, 2, 7}) {
    params["threads"] = threads;
    const auto trained = train(data.get(), model().name, params.dump());
    save(trained.get(), folder_ / "m.rec");
    const std::string bytes = bytes_of(folder_ / "m.rec");
    if (first.empty()) first = bytes;
    EXPECT_TRUE(bytes == first) << threads << " threads";
  }
}

// The protocol decides what a model may know about a row's user, not what its file holds.
TEST_P(Conformance, IsJudgedAlikeWithAndWithoutUserData) {
  const auto data = sequential() ? cycle() : checkerboard();
  const auto whole = train(data.get(), model().name, json(model()));
  rec_save_options_t options{};
  options.struct_size = sizeof options;
  options.no_user_data = 1;
  const std::string path = folder_ / "m.rec";
  call([&](rec_error_t** error) { return rec_model_save(whole.get(), path.c_str(), &options, nullptr, error); });
  const auto bare = load(path);
  for (const int32_t rows : {REC_ROWS_USER, REC_ROWS_EVENT})
    for (const int32_t history : {REC_HISTORY_DEFAULT, REC_HISTORY_TRAINING, REC_HISTORY_BEFORE}) {
      rec_protocol_t protocol{};
      protocol.struct_size = sizeof protocol;
      protocol.rows = rows;
      protocol.history = history;
      std::vector<double> values[2];
      for (const bool is_bare : {false, true}) {
        const auto report = make<rec_report_t>([&](rec_report_t** out, rec_error_t** error) {
          return rec_model_evaluate((is_bare ? bare : whole).get(), data.get(), "ndcg@5", &protocol, nullptr, out,
                                    error);
        });
        const double* row_values = nullptr;
        int64_t n_rows = 0;
        call([&](rec_error_t** error) { return rec_report_get_values(report.get(), &row_values, error); });
        call([&](rec_error_t** error) { return rec_report_counts(report.get(), nullptr, &n_rows, error); });
        values[is_bare].assign(row_values, row_values + n_rows);
      }
      EXPECT_EQ(values[0], values[1]) << "rows " << rows << ", history " << history;
    }
}

TEST_P(Conformance, StopsWithinABatchWhenCancelledAndKeepsTheLastEpoch) {
  const auto data = checkerboard();
  const auto t = trainer(data.get(), model().name, json(model(), R"("patience": 0)"));
  const auto cancel =
      make<rec_cancel_t>([](rec_cancel_t** out, rec_error_t** error) { return rec_cancel_create(out, error); });
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.cancel = cancel.get();
  run.user_data = cancel.get();
  run.on_event = [](const rec_event_t* event, void* user_data) -> rec_status_t {
    if (event->kind == REC_EVENT_EPOCH) rec_cancel_request(static_cast<rec_cancel_t*>(user_data), nullptr);
    return REC_OK;
  };
  const rec_status_t status = rec_trainer_run(t.get(), &run, nullptr);
  EXPECT_EQ(status, model().closed_form ? REC_OK : REC_CANCELLED);  // a closed form's only epoch was its last
  const auto last = model_of(t.get(), REC_MODEL_LAST);
  EXPECT_EQ(top_k(recommender(last.get()).get(), {1000}, 3).status[0], REC_OK);
}

TEST_P(Conformance, ReturnsTheStatusOfTheCallback) {
  const auto data = checkerboard();
  const auto t = trainer(data.get(), model().name, json(model()));
  rec_run_options_t run{};
  run.struct_size = sizeof run;
  run.on_event = [](const rec_event_t*, void*) -> rec_status_t { return REC_BUSY; };
  EXPECT_EQ(rec_trainer_run(t.get(), &run, nullptr), REC_BUSY);
}

TEST_P(Conformance, NamesABadParameter) {
  const auto data = checkerboard();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"epochz": 3})", "epochz"},
      {R"({"epochs": 0})", "epochs"},
      {R"({"epochs": "many"})", "epochs"},
      {R"({"epochs": 1.5})", "epochs"},
      {R"({"sampler": "uniformly"})", "sampler"},
      {R"({"batch_size": [1]})", "batch_size"},
  };
  for (const auto& [params, name] : cases) {
    SCOPED_TRACE(params);
    try {
      trainer(data.get(), model().name, params);
      ADD_FAILURE() << "accepted";
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.status, REC_INVALID_ARGUMENT);
      EXPECT_EQ(failure.argument, name);
    }
  }
  try {
    trainer(data.get(), model().name, R"({"epochz": 3})");
  } catch (const CallFailed& failure) {
    EXPECT_NE(std::string(failure.what()).find("'epochs'"), std::string::npos) << failure.what();
  }
}

TEST_P(Conformance, TellsAnUnknownUserPerRow) {
  const auto trained = train(checkerboard().get(), model().name, json(model()));
  const TopK top = top_k(recommender(trained.get()).get(), {1000, 77, 1001}, 3);
  const bool everybody = model().name == "popularity";
  EXPECT_EQ(top.status, (std::vector<rec_status_t>{REC_OK, everybody ? REC_OK : REC_NOT_FOUND, REC_OK}));
  EXPECT_EQ(top.rows[3] == REC_NO_ROW, !everybody);

  // The same user with a history is answered from that history.
  const std::vector<int64_t> user{77}, history{-50, -48, -46}, offsets{0, 3}, times{1, 2, 3};
  const rec_ids_t user_ids = int64_ids(user), items = int64_ids(history);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.k = 5;
  request.users = &user_ids;
  request.history_items = &items;
  request.history_offsets = offsets.data();
  request.n_history_offsets = std::ssize(offsets);
  request.history_times = times.data();
  request.n_history_times = std::ssize(times);
  TopK out{std::vector<int64_t>(5), {}, {REC_INTERNAL}};
  const rec_output_t output = output_to(out.rows, out.scores, out.status);
  const auto r = recommender(trained.get());
  call([&](rec_error_t** error) { return rec_recommender_top_k(r.get(), &request, &output, error); });
  const std::vector<int64_t>& rows = out.rows;
  const rec_status_t status = out.status[0];
  const auto& can = model().capabilities;
  const auto has = [&](const char* name) { return std::find(can.begin(), can.end(), name) != can.end(); };
  const bool by_id_only = has("score") && !has("cold_user");  // it has neither vectors nor a history to use
  EXPECT_EQ(status, by_id_only ? REC_NOT_FOUND : REC_OK);
  EXPECT_EQ(rows[0] == REC_NO_ROW, by_id_only);
  if (!model().personal || by_id_only || sequential()) return;
  rec_ids_t ids{sizeof(rec_ids_t), 0, nullptr, nullptr, 0, nullptr, 0};
  rec_text_t* owner = nullptr;
  call([&](rec_error_t** error) { return rec_model_item_ids(trained.get(), rows.data(), 5, &ids, &owner, error); });
  const Handle<rec_text_t> keep(owner);
  for (int k = 0; k < 5; ++k) EXPECT_EQ(ids.i64[k] % 2, 0) << "an even user likes even items";
}

// For the models whose loss can be made to explode.
class Explosion : public Conformance {};

TEST_P(Explosion, ReportsALossThatIsNotANumber) {
  const auto data = checkerboard();
  const auto t = trainer(data.get(), model().name, "{" + model().exploding_params + "}");
  try {
    call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
    ADD_FAILURE() << "trained on";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.status, REC_NUMERIC) << failure.what();
    EXPECT_NE(std::string(failure.what()).find("epoch"), std::string::npos) << failure.what();
  }
}

TEST_P(Conformance, ServesSixteenThreadsAtOnce) {
  const auto trained = train(checkerboard().get(), model().name, json(model()));
  const auto r = recommender(trained.get(), true);
  const TopK expected = top_k(r.get(), users(40), 5);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int n = 0; n < 16; ++n)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) wrong += top_k(r.get(), users(40), 5).rows != expected.rows;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(Conformance, DoesNotGrowOverAHundredLives) {
  const auto data = checkerboard(10, 10);
  const auto resident = [] {
    std::ifstream file("/proc/self/statm");
    int64_t total = 0, pages = 0;
    file >> total >> pages;
    return pages * 4096;
  };
  auto params = nlohmann::json::parse(json(model()));
  if (params.contains("epochs")) params["epochs"] = 1;  // one epoch is enough for a lifetime
  const auto live = [&](int n) {
    for (int i = 0; i < n; ++i) train(data.get(), model().name, params.dump());
  };
  live(20);
  const int64_t before = resident();
  live(100);
  EXPECT_LT(resident() - before, int64_t{REC_GROWTH_MIB} << 20);
}

// Runs tests/conformance/train_program.cpp, which trains with checkpoints and dies of SIGKILL where it is told to.
struct Outcome {
  int signal;
  std::string output;
};
Outcome run_program(const std::vector<std::string>& arguments) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) throw std::runtime_error("pipe");
  std::vector<char*> argv;
  std::string program = REC_BUILD_FOLDER "/bin/rec_train_program";
  argv.push_back(program.data());
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
  posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
  pid_t child = 0;
  if (posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ) != 0)
    throw std::runtime_error("no " + program);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  Outcome outcome{0, {}};
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) outcome.output.append(buffer, n);
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) outcome.output += " exit " + std::to_string(WEXITSTATUS(status));
  return outcome;
}

TEST_P(Conformance, ResumesAfterSigkillWithTheBitsOfTheUnbrokenRun) {
  const std::string params = json(model(), R"("threads": 2)");
  const auto run = [&](const std::string& name, const std::string& die) {
    return run_program({model().name, params, folder_ / (name + ".rec"), folder_ / (name + ".ckpt"), die});
  };
  const Outcome whole = run("whole", "never");
  ASSERT_EQ(whole.signal, 0) << whole.output;
  const auto number = [](const Outcome& outcome, const std::string& key) {
    const size_t at = outcome.output.find(key + "=");
    return at == std::string::npos ? int64_t{-1} : std::stoll(outcome.output.substr(at + key.size() + 1));
  };
  const int64_t batches = number(whole, "batches");
  ASSERT_GT(batches, 2) << "a world this small leaves nothing to resume";

  // Killed after the second checkpoint, and in the middle of writing the third.
  for (const char* die : {"after_checkpoint=2", "in_save=3"}) {
    SCOPED_TRACE(die);
    const std::string name = std::string(die).substr(0, 5);
    const Outcome broken = run(name, die);
    ASSERT_EQ(broken.signal, SIGKILL) << broken.output;
    EXPECT_EQ(bytes_of(folder_ / (name + ".rec")), "");
    const Outcome resumed = run(name, "never");
    ASSERT_EQ(resumed.signal, 0) << resumed.output;
    EXPECT_GT(number(resumed, "start"), 0) << resumed.output;
    EXPECT_EQ(number(resumed, "start") + number(resumed, "batches"), batches) << "only the remaining batches";
    EXPECT_TRUE(bytes_of(folder_ / (name + ".rec")) == bytes_of(folder_ / "whole.rec"));
  }
}

std::vector<Model> explosive_models() {
  std::vector<Model> models;
  for (const Model& model : kModels)
    if (!model.exploding_params.empty()) models.push_back(model);
  return models;
}

const auto kNameOf = [](const auto& test) { return test.param.name + test.param.variant; };
INSTANTIATE_TEST_SUITE_P(Plugins, Conformance, testing::ValuesIn(kModels), kNameOf);
INSTANTIATE_TEST_SUITE_P(Plugins, Explosion, testing::ValuesIn(explosive_models()), kNameOf);

TEST(ConformanceTable, ListsEveryShippedPlugin) {
  call([&](rec_error_t** error) { return rec_plugin_add_folder(REC_PLUGINS_FOLDER, error); });
  const auto torch_is_mapped = [] {
    std::ifstream maps("/proc/self/maps");
    return std::string(std::istreambuf_iterator<char>(maps), {}).find("libtorch_cpu") != std::string::npos;
  };
  const bool before = torch_is_mapped();
  const auto text = make<rec_text_t>([](rec_text_t** out, rec_error_t** error) { return rec_plugin_list(out, error); });
  EXPECT_EQ(torch_is_mapped(), before) << "a list loads no runtime";
  for (const auto& plugin : nlohmann::json::parse(rec_text_data(text.get()))) {
    EXPECT_EQ(plugin["error"], "") << plugin;
    EXPECT_TRUE(std::any_of(kModels.begin(), kModels.end(), [&](const Model& m) { return m.name == plugin["name"]; }))
        << plugin["name"] << " is shipped but not in this suite";
  }
}

}  // namespace
}  // namespace rec::test
