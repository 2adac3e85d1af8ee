#include "core/tuning/tuner.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <functional>
#include <numeric>
#include <set>

#include "core/base/rng.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

constexpr const char* kSpace =
    R"({"lr": {"low": 1e-4, "high": 0.1, "log": true}, "n_layers": {"low": 1, "high": 3}, "emb_size": [16, 32, 64],
        "loss": ["bpr", "ce"], "dropout": {"low": -0.5, "high": 0.5}, "width": {"low": 1, "high": 1000, "log": true}})";

TunerOptions options(int32_t sampler, int64_t n_trials, int64_t parallel = 1, int32_t pruner = REC_PRUNER_NONE) {
  TunerOptions options;
  options.sampler = sampler;
  options.pruner = pruner;
  options.n_trials = n_trials;
  options.parallel = parallel;
  return options;
}

// Any function of the parameters that has no ties.
double value_of(const Json& parameters) {
  const double lr = std::log10(parameters["lr"].get<double>());
  return -std::abs(lr + 2.2) - 0.1 * std::abs(parameters["n_layers"].get<double>() - 2) +
         0.01 * parameters["emb_size"].get<double>() / 64;
}

// A trial of some epochs, as most are: better in each; every seventh fails.
void run_trial(Tuner& tuner, const Tuner::Asked& asked, int64_t n_epochs = 4) {
  if (asked.trial % 7 == 6) return tuner.tell(asked.trial, REC_TRIAL_FAILED, 0, "the loss is not finite");
  for (int64_t epoch = 1; epoch <= n_epochs; ++epoch)
    if (tuner.report(asked.trial, epoch, value_of(asked.parameters) - 1.0 / static_cast<double>(epoch)))
      return tuner.tell(asked.trial, REC_TRIAL_PRUNED, 0, "");
  tuner.tell(asked.trial, REC_TRIAL_COMPLETE, value_of(asked.parameters) - 1.0 / static_cast<double>(n_epochs), "");
}

TEST(Grid, IsEveryCombinationInOrder) {
  Tuner tuner(R"({"a": ["x", "y"], "b": {"low": -1, "high": 1}})", options(REC_SAMPLER_GRID, 0));
  std::vector<std::string> all;
  for (auto asked = tuner.ask(); asked.trial >= 0; asked = tuner.ask()) {
    EXPECT_EQ(asked.trial, std::ssize(all));
    all.push_back(dump_json(asked.parameters));
    tuner.tell(asked.trial, REC_TRIAL_COMPLETE, 0, "");
  }
  EXPECT_EQ(all, (std::vector<std::string>{R"({"a":"x","b":-1})", R"({"a":"x","b":0})", R"({"a":"x","b":1})",
                                           R"({"a":"y","b":-1})", R"({"a":"y","b":0})", R"({"a":"y","b":1})"}));
  EXPECT_EQ(Tuner(R"({"a": [1, 2, 3]})", options(REC_SAMPLER_GRID, 2)).describe()["n_trials"], 2);
}

class Samplers : public testing::TestWithParam<int32_t> {};

TEST_P(Samplers, GiveValuesOfTheSpaceInItsTypes) {
  Tuner tuner(kSpace, options(GetParam(), 200, 4));
  std::set<std::string> layers, sizes, losses;
  double least = 1, most = 0;
  int64_t n_narrow = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const auto asked = tuner.ask();
    const Json& p = asked.parameters;
    ASSERT_TRUE(Space(kSpace).contains(p)) << dump_json(p);
    EXPECT_TRUE(p["n_layers"].is_number_integer() && p["width"].is_number_integer() && p["lr"].is_number_float());
    layers.insert(dump_json(p["n_layers"]));
    sizes.insert(dump_json(p["emb_size"]));
    losses.insert(dump_json(p["loss"]));
    least = std::min(least, p["lr"].get<double>());
    most = std::max(most, p["lr"].get<double>());
    n_narrow += p["width"].get<double>() < 31.6;
    tuner.tell(asked.trial, REC_TRIAL_COMPLETE, 0.5, "");
  }
  EXPECT_EQ(layers.size(), 3);
  EXPECT_EQ(sizes.size(), 3);
  EXPECT_EQ(losses.size(), 2);
  EXPECT_LT(least, 5e-4);
  EXPECT_GT(most, 2e-2);
  EXPECT_NEAR(static_cast<double>(n_narrow) / 200, 0.5, 0.15) << "half of a logarithmic range";
}

INSTANTIATE_TEST_SUITE_P(All, Samplers, testing::Values(REC_SAMPLER_RANDOM, REC_SAMPLER_TPE));

TEST(Floats, HaveSixDigitsAndStayInTheirRange) {
  Tuner tuner(R"({"x": {"low": 0.12345678, "high": 0.12345679}, "y": {"low": 1.0, "high": 2.0}})",
              options(REC_SAMPLER_RANDOM, 0));
  const Json p = tuner.ask().parameters;
  EXPECT_GE(p["x"].get<double>(), 0.12345678);
  EXPECT_LE(p["x"].get<double>(), 0.12345679);
  EXPECT_EQ(std::round(p["y"].get<double>() * 1e5) / 1e5, p["y"].get<double>());
}

// The best value that a search of a smooth function finds.
double best_of(int32_t sampler, int64_t seed) {
  TunerOptions given = options(sampler, 60, 3);
  given.seed = seed;
  given.minimize = true;
  Tuner tuner(
      R"({"x": {"low": -1.0, "high": 1.0}, "lr": {"low": 1e-5, "high": 1.0, "log": true}, "n": {"low": 1, "high": 20},
                  "c": ["a", "b", "c", "d"]})",
      given);
  double best = INFINITY;
  for (auto asked = tuner.ask(); asked.trial >= 0; asked = tuner.ask()) {
    const Json& p = asked.parameters;
    const double x = p["x"].get<double>() - 0.3, lr = std::log10(p["lr"].get<double>()) + 2,
                 n = (p["n"].get<double>() - 13) / 10;
    const double value = x * x + lr * lr + n * n + (is_text(p["c"], "b") ? 0 : 0.5);
    best = std::min(best, value);
    tuner.tell(asked.trial, REC_TRIAL_COMPLETE, value, "");
  }
  return best;
}

TEST(TreeParzen, IsFarBetterThanChanceOnASmoothFunction) {
  const auto median_of = [](int32_t sampler) {
    std::vector<double> all;
    for (int64_t seed = 1; seed <= 31; ++seed) all.push_back(best_of(sampler, seed));
    std::nth_element(all.begin(), all.begin() + 15, all.end());
    return all[15];
  };
  EXPECT_LT(median_of(REC_SAMPLER_TPE), 0.5 * median_of(REC_SAMPLER_RANDOM));
}

TEST(TreeParzen, KeepsAwayFromWhatFails) {
  Tuner tuner(R"({"x": {"low": 0.0, "high": 1.0}})", options(REC_SAMPLER_TPE, 100));
  int64_t n_failed = 0;
  for (auto asked = tuner.ask(); asked.trial >= 0; asked = tuner.ask()) {
    const bool fails = asked.parameters["x"].get<double>() > 0.5;
    n_failed += fails && asked.trial >= 50;
    tuner.tell(asked.trial, fails ? REC_TRIAL_FAILED : REC_TRIAL_COMPLETE, 1, "");
  }
  EXPECT_LT(n_failed, 10);
}

// The rules in their plainest form.
struct SlowTrial {
  bool complete;
  std::vector<EpochValue> curve;
};

bool slow_median(int64_t min_epochs, const Curve& own, const std::vector<SlowTrial>& past) {
  const int64_t s = own.back().epoch;
  std::vector<double> means;
  for (const SlowTrial& trial : past) {
    std::vector<double> seen;
    for (const auto& [epoch, value] : trial.curve)
      if (epoch <= s) seen.push_back(value);
    if (trial.complete && !seen.empty())
      means.push_back(std::accumulate(seen.begin(), seen.end(), 0.0) / static_cast<double>(seen.size()));
  }
  if (s < min_epochs || means.size() < 5) return false;
  std::sort(means.begin(), means.end());
  const double median = (means[(means.size() - 1) / 2] + means[means.size() / 2]) / 2;
  double best = -INFINITY;
  for (const auto& [epoch, value] : own) best = std::max(best, value);
  return best < median;
}

bool slow_halving(int64_t min_epochs, const Curve& own, const std::vector<SlowTrial>& past) {
  for (int64_t j = 0; j < 8; ++j) {
    const int64_t rung = min_epochs * static_cast<int64_t>(std::pow(3, j));
    const auto at_rung = [&](const std::vector<EpochValue>& curve) {
      for (const auto& [epoch, value] : curve)
        if (epoch >= rung) return std::optional(value);
      return std::optional<double>();
    };
    const bool is_new = own.back().epoch >= rung && (own.size() == 1 || own[own.size() - 2].epoch < rung);
    if (!is_new) continue;
    std::vector<double> values{own.back().value};
    for (const SlowTrial& trial : past)
      if (const auto value = at_rung(trial.curve)) values.push_back(*value);
    std::sort(values.rbegin(), values.rend());
    const size_t kept = std::max<size_t>(1, values.size() / 3);
    if (own.back().value < values[kept - 1]) return true;
  }
  return false;
}

TEST(Pruners, AreTheirRules) {
  Rng rng(5, RngStream::kTuning);
  int64_t n_ended[3] = {}, n = 0;
  for (int world = 0; world < 900; ++world) {
    const auto curve = [&] {
      Curve made;
      for (int64_t epoch = 0; epoch < 1 + rng.next_below(20);) {
        epoch += 1 + rng.next_below(3);
        made.push_back({epoch, std::round(10 * rng.next_double()) / 10});  // with ties
      }
      return made;
    };
    std::vector<SlowTrial> trials(rng.next_below(15));
    for (SlowTrial& trial : trials) trial = {rng.next_below(4) != 0, curve()};
    std::vector<PastTrial> past;
    for (const SlowTrial& trial : trials) past.push_back({&trial.curve, trial.complete});
    const Curve own = curve();
    const int64_t min_epochs = 1 + rng.next_below(4);
    const bool median = wants_end(REC_PRUNER_MEDIAN, min_epochs, own, past);
    const bool halving = wants_end(REC_PRUNER_HALVING, min_epochs, own, past);
    EXPECT_EQ(median, slow_median(min_epochs, own, trials)) << "world " << world;
    EXPECT_EQ(halving, slow_halving(min_epochs, own, trials)) << "world " << world;
    EXPECT_FALSE(wants_end(REC_PRUNER_NONE, min_epochs, own, past));
    ++n, n_ended[1] += median, n_ended[2] += halving;
  }
  for (const int32_t pruner : {1, 2}) EXPECT_TRUE(n_ended[pruner] > 20 && n_ended[pruner] < n - 20) << n_ended[pruner];
}

TEST(Pruners, LookAtEarlierRoundsOnly) {
  Tuner tuner(R"({"x": {"low": 0.0, "high": 1.0}})", options(REC_SAMPLER_RANDOM, 4, 2, REC_PRUNER_HALVING));
  const auto a = tuner.ask(), b = tuner.ask();
  EXPECT_FALSE(tuner.report(a.trial, 1, 0.9));
  EXPECT_FALSE(tuner.report(b.trial, 1, 0.1)) << "of the same round";
  tuner.tell(b.trial, REC_TRIAL_COMPLETE, 0.1, "");
  tuner.tell(a.trial, REC_TRIAL_COMPLETE, 0.9, "");
  const auto c = tuner.ask();
  EXPECT_TRUE(tuner.report(c.trial, 1, 0.5));
}

// A search in which the trials of a round take their steps in some order.
std::string shuffled_search(int32_t pruner, uint64_t order) {
  Tuner tuner(kSpace, options(REC_SAMPLER_TPE, 40, 4, pruner));
  for (int64_t round = 0; round < 10; ++round) {
    std::vector<std::pair<Tuner::Asked, int64_t>> running;
    Rng rng(order, RngStream::kShuffle, static_cast<uint64_t>(round));
    for (int n_asked = 0; n_asked < 4 || !running.empty();) {
      if (running.empty() || (n_asked < 4 && rng.next_below(4) == 0)) {
        running.emplace_back(tuner.ask(), 0);
        ++n_asked;
        continue;
      }
      const auto at = running.begin() + rng.next_below(static_cast<uint32_t>(running.size()));
      auto& [asked, epoch] = *at;
      const double value = value_of(asked.parameters) - 1.0 / static_cast<double>(++epoch);
      bool ended = asked.trial % 7 == 6;
      if (ended)
        tuner.tell(asked.trial, REC_TRIAL_FAILED, 0, "it failed");
      else if (ended = tuner.report(asked.trial, epoch, value); ended)
        tuner.tell(asked.trial, REC_TRIAL_PRUNED, 0, "");
      else if (ended = epoch == 4; ended)
        tuner.tell(asked.trial, REC_TRIAL_COMPLETE, value, "");
      if (ended) running.erase(at);
    }
  }
  return dump_json(tuner.describe());
}

TEST(Table, IsTheSameInWhicheverOrderTheTrialsOfARoundEnd) {
  for (const int32_t pruner : {REC_PRUNER_NONE, REC_PRUNER_MEDIAN, REC_PRUNER_HALVING}) {
    const std::string first = shuffled_search(pruner, 1);
    for (const uint64_t order : {2, 3, 4}) EXPECT_EQ(shuffled_search(pruner, order), first) << "pruner " << pruner;
    EXPECT_EQ(first.find("pruned") != first.rfind("pruned"), pruner != REC_PRUNER_NONE);
  }
}

TEST(Table, HasTheBestCompleteTrialTheFirstOfEquals) {
  TunerOptions given = options(REC_SAMPLER_GRID, 0);
  given.minimize = true;
  Tuner tuner(R"({"a": [1, 2, 3, 4]})", given);
  EXPECT_TRUE(tuner.describe()["best"].is_null());
  tuner.ask();
  EXPECT_FALSE(tuner.report(0, 3, 0.1));
  tuner.tell(0, REC_TRIAL_PRUNED, 0, "");
  for (const double value : {0.5, 0.2, 0.2}) tuner.tell(tuner.ask().trial, REC_TRIAL_COMPLETE, value, "");
  const Json table = tuner.describe();
  EXPECT_EQ(table["best"], 2);
  EXPECT_EQ(dump_json(table["trials"][0]),
            R"({"trial":0,"parameters":{"a":1},"state":"pruned","value":0.1,"values":[[3,0.1]],"message":null})");
}

TEST(Calls, OutOfOrderAreRefused) {
  Tuner tuner(R"({"a": [1, 2, 3, 4, 5]})", options(REC_SAMPLER_GRID, 0, 2));
  tuner.ask(), tuner.ask();
  const Error wait = error_of([&] { tuner.ask(); });
  EXPECT_EQ(wait.status, REC_BAD_STATE);
  EXPECT_EQ(wait.message, "trial 2 is of the next round, and trial 0 has not ended: tell it first");
  tuner.report(0, 2, 0.5);
  for (const auto& [call, status, message] :
       {std::tuple<std::function<void()>, rec_status_t, const char*>{
            [&] { tuner.report(0, 2, 0.5); }, REC_INVALID_ARGUMENT, "epoch: must be at least 3, got 2"},
        {[&] { tuner.report(1, 0, 0.5); }, REC_INVALID_ARGUMENT, "epoch: must be at least 1, got 0"},
        {[&] { tuner.report(2, 1, 0.5); }, REC_INVALID_ARGUMENT,
         "trial: must be between 0 and 1, the last one asked for, got 2"},
        {[&] { tuner.report(1, 1, NAN); }, REC_INVALID_ARGUMENT, "value: must be finite, got nan"},
        {[&] { tuner.tell(1, REC_TRIAL_COMPLETE, INFINITY, ""); }, REC_INVALID_ARGUMENT,
         "value: must be finite, got inf"},
        {[&] { tuner.tell(1, REC_TRIAL_RUNNING, 1, ""); }, REC_INVALID_ARGUMENT,
         "state: must be REC_TRIAL_COMPLETE (1), _PRUNED (2) or _FAILED (3), got 0"}}) {
    const Error error = error_of(call);
    EXPECT_EQ(error.status, status);
    EXPECT_EQ(error.message, message);
  }
  tuner.tell(1, REC_TRIAL_FAILED, NAN, "");
  EXPECT_EQ(error_of([&] { tuner.tell(1, REC_TRIAL_COMPLETE, 1, ""); }).message,
            "trial: 1 is failed and cannot be told");
  EXPECT_EQ(error_of([&] { tuner.report(1, 1, 1); }).status, REC_BAD_STATE);
}

TEST(Space, SaysWhatIsWrong) {
  for (const auto& [space, message] : {
           std::pair{"{", "space: it is: not JSON"},
           {"[1]", "space: must be a JSON object, got [1]"},
           {"{}", "space: must have 1 to 256 parameters, got 0"},
           {R"({"": [1]})", "space: a parameter has no name"},
           {R"({"lr": 0.1})", "space: lr: must be a list of choices, or {\"low\": .., \"high\": ..}, got 0.1"},
           {R"({"lr": []})", "space: lr: must have 1 to 4096 choices, got 0"},
           {R"({"lr": [1, 2, 1.0]})", "space: lr: the choice 1.0 is there twice"},
           {R"({"lr": [null]})", "space: lr: a choice must be a number, a text, a bool or a list of them, got null"},
           {R"({"lr": {"low": 1}})", "space: lr: a range must have 'high', got {\"low\":1}"},
           {R"({"lr": {"low": 1, "hihg": 2}})", "space: lr: a range has no 'hihg', did you mean 'high'?"},
           {R"({"lr": {"low": "1", "high": 2}})", "space: lr: low must be a number, got \"1\""},
           {R"({"lr": {"low": 2, "high": 1}})", "space: lr: low must be less than high, got 2 and 1"},
           {R"({"lr": {"low": 0, "high": 1, "log": true}})", "space: lr: low must be more than 0 with log, got 0"},
           {R"({"lr": {"low": 0, "high": 1, "log": 1}})", "space: lr: log must be true or false, got 1"},
           {R"({"lr": {"low": -1e308, "high": 1e308}})", "space: lr: low and high are too far apart"},
           {R"({"lr": {"low": 0, "high": 9007199254740993}})",
            "space: lr: whole numbers must be between -2^53 and 2^53"},
       }) {
    const Error error = error_of([&, text = space] { Tuner(text, options(REC_SAMPLER_TPE, 0)); });
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT) << space;
    EXPECT_EQ(error.argument, "space") << space;
    EXPECT_EQ(error.message.substr(0, std::string_view(message).size()), message);
  }
  const Error error = error_of([] { Tuner(R"({"lr": {"low": 0.0, "high": 1}})", options(REC_SAMPLER_GRID, 0)); });
  EXPECT_EQ(error.status, REC_UNSUPPORTED);
  EXPECT_EQ(error.argument, "sampler");
  EXPECT_EQ(error_of([] { Tuner(R"({"n": {"low": 0, "high": 200000}})", options(REC_SAMPLER_GRID, 0)); }).message,
            "n_trials: must be at most 100000, got 200001");
}

class JournalFile : public testing::Test {
 protected:
  TunerOptions with_journal(int64_t parallel = 3) const {
    TunerOptions given = options(REC_SAMPLER_TPE, 16, parallel, REC_PRUNER_MEDIAN);
    given.journal_path = path_;
    return given;
  }
  std::string content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  Error refusal(const TunerOptions& given, const char* space = kSpace) const {
    return error_of([&] { Tuner(space, given); });
  }

  // In memory where that can be: each line of a journal waits for the disk.
  TempFolder folder_{std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path()};
  std::string path_ = folder_ / "search.journal";
};

// Round by round, so that a journal has trials that run beside each other.
std::string table_by_rounds(Tuner& tuner) {
  while (true) {
    std::vector<Tuner::Asked> round;
    try {
      for (auto asked = tuner.ask(); asked.trial >= 0; asked = tuner.ask()) round.push_back(asked);
    } catch (const Error& error) {
      if (error.status != REC_BAD_STATE) throw;
    }
    if (round.empty()) return dump_json(tuner.describe());
    for (auto asked = round.rbegin(); asked != round.rend(); ++asked) run_trial(tuner, *asked);
  }
}

TEST_F(JournalFile, CutAtAnyByteLeadsToTheSameTable) {
  std::string table;
  {
    Tuner whole(kSpace, with_journal());
    table = table_by_rounds(whole);
  }
  const std::string journal = content();
  EXPECT_NE(table.find("pruned"), std::string::npos);
  EXPECT_NE(table.find("failed"), std::string::npos);
  for (size_t n = 0; n <= journal.size(); ++n) {
    write(journal.substr(0, n));
    SCOPED_TRACE(cat("cut at byte ", n, " of ", journal.size()));
    std::optional<Tuner> tuner(std::in_place, kSpace, with_journal());
    ASSERT_EQ(table_by_rounds(*tuner), table);
    tuner.reset();
    tuner.emplace(kSpace, with_journal());  // what was written behind a cut is read as well
    ASSERT_EQ(dump_json(tuner->describe()), table);
  }
  Tuner again(kSpace, with_journal());
  EXPECT_EQ(refusal(with_journal()).status, REC_BUSY);
}

TEST_F(JournalFile, AsksAgainForTrialsThatHadNotEnded) {
  Json first;
  {
    Tuner tuner(kSpace, with_journal());
    first = tuner.ask().parameters;
    tuner.ask();
    tuner.report(0, 1, 0.5);
    tuner.tell(1, REC_TRIAL_COMPLETE, 1, "");
  }
  Tuner tuner(kSpace, with_journal());
  EXPECT_EQ(error_of([&] { tuner.report(0, 2, 0.5); }).message,
            "trial: 0 was running when the journal was closed: ask for it again");
  const auto again = tuner.ask();
  EXPECT_EQ(again.trial, 0);
  EXPECT_EQ(again.parameters, first);
  EXPECT_TRUE(tuner.describe()["trials"][0]["values"].empty());
  EXPECT_EQ(tuner.ask().trial, 2);
}

TEST_F(JournalFile, OfAnotherSearchIsRefusedWithWhatDiffers) {
  {
    Tuner tuner(kSpace, with_journal());
  }
  const auto differs = [&](const char* argument, const std::string& words, const auto& change,
                           const char* space = kSpace) {
    TunerOptions given = with_journal();
    change(given);
    const Error error = refusal(given, space);
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT) << error.message;
    EXPECT_EQ(error.argument, argument) << error.message;
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
  };
  differs("seed", "seed: is 7, and the journal " + path_ + " is of a search with 0",
          [](TunerOptions& o) { o.seed = 7; });
  differs("n_trials", "is 17", [](TunerOptions& o) { o.n_trials = 17; });
  differs("parallel", "is 4", [](TunerOptions& o) { o.parallel = 4; });
  differs("min_epochs", "is 2", [](TunerOptions& o) { o.min_epochs = 2; });
  differs("minimize", "is true", [](TunerOptions& o) { o.minimize = true; });
  differs("sampler", "is \"random\"", [](TunerOptions& o) { o.sampler = REC_SAMPLER_RANDOM; });
  differs("pruner", "is \"none\"", [](TunerOptions& o) { o.pruner = REC_PRUNER_NONE; });
  const auto same = [](TunerOptions&) {};
  differs("space", "lr: is [1,2], and the journal", same, R"({"lr": [1, 2]})");
  Json space = parse_json(kSpace, "space");
  space["more"] = Json::array({1});
  differs("space", "more: is [1], and the journal " + path_ + " is of a search with none", same,
          dump_json(space).c_str());
  EXPECT_EQ(refusal(with_journal()).status, REC_OK);
}

TEST_F(JournalFile, ThatIsNoneOrDamagedIsRefusedAndLeftAsItIs) {
  for (const char* text :
       {"user_id,item_id\n1,2\n", "user_id,item_id\n1,2", "no line end", "{}\n", "[1]\n", "{\"recore_tuner\": 1, "}) {
    write(text);
    const Error error = refusal(with_journal());
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT) << error.message;
    EXPECT_EQ(error.argument, "journal_path");
    EXPECT_EQ(content(), text);
  }
  write("{\"recore_tuner\":2}\n");
  EXPECT_EQ(refusal(with_journal()).status, REC_UNSUPPORTED);
  write("");
  {
    Tuner tuner(kSpace, with_journal());
    run_trial(tuner, tuner.ask());
  }
  const std::string journal = content();
  for (const char* line : {"x", "[]", "{}", R"({"ask":5,"parameters":{}})", R"({"ask":-1,"parameters":{}})",
                           R"({"ask":1})", R"({"ask":1,"parameters":{"lr":0.01}})",
                           R"({"report":0,"epoch":9,"value":1})", R"({"tell":7,"state":"complete","value":1})",
                           R"({"report":0,"epoch":1.5,"value":1})", R"({"ask":1.5,"parameters":{}})"}) {
    write(journal + line + "\n{\"as");
    const Error error = refusal(with_journal());
    EXPECT_EQ(content(), journal + line + "\n{\"as");
    EXPECT_EQ(error.status, REC_CORRUPT_DATA) << line << ": " << error.message;
    EXPECT_EQ(error.file, path_);
    EXPECT_EQ(error.line, 1 + std::count(journal.begin(), journal.end(), '\n'));
  }
  TunerOptions given = with_journal();
  given.journal_path = folder_.path();
  EXPECT_EQ(refusal(given).status, REC_INVALID_ARGUMENT);
  given.journal_path = "/dev/null";
  EXPECT_EQ(refusal(given).status, REC_INVALID_ARGUMENT);
  given.journal_path = folder_ / "none/x";
  EXPECT_EQ(refusal(given).status, REC_NOT_FOUND);
}

TEST_F(JournalFile, ThatCannotBeWrittenLeavesTheSearchAsItWas) {
  Tuner tuner(kSpace, with_journal());
  const std::string before = content();
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &usual), 0);
  rlimit full = usual;
  full.rlim_cur = before.size() + 5;
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const Error error = error_of([&] { tuner.ask(); });
  setrlimit(RLIMIT_FSIZE, &usual);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(error.status, REC_IO) << error.message;
  EXPECT_EQ(content(), before) << "five bytes of a line are taken back";
  EXPECT_TRUE(tuner.describe()["trials"].empty());
  EXPECT_EQ(tuner.ask().trial, 0);
}

}  // namespace
}  // namespace rec
