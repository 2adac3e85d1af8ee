// A search for parameters by trials that somebody else runs: ask, report, tell.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "core/tuning/journal.h"
#include "core/tuning/pruner.h"
#include "core/tuning/space.h"

namespace rec {

struct TunerOptions {
  int32_t sampler = REC_SAMPLER_TPE, pruner = REC_PRUNER_NONE;
  bool minimize = false;
  int64_t seed = 0;
  int64_t n_trials = 0;  // 0: kUsualTrials, or the whole grid
  int64_t parallel = 1, min_epochs = 1;
  std::string journal_path;
};

inline constexpr int64_t kUsualTrials = 50, kMaxTrials = 100000;
inline constexpr size_t kRandomTrials = 10;  // that have ended before the estimator is used

// Any thread may call it. Trial i, of round i / parallel, is made and pruned by the results of the rounds before, which have
// all ended: whatever the order in which the trials of a round end, the table is the same.
class Tuner {
 public:
  Tuner(std::string_view space_json, const TunerOptions& options);

  struct Asked {
    int64_t trial = -1;  // none
    Json parameters;
  };
  Asked ask();
  bool report(int64_t trial, int64_t epoch, double value);  // whether it should be pruned
  void tell(int64_t trial, int32_t state, double value, const std::string& message);
  Json describe() const;

 private:
  struct Trial {
    Json parameters;
    int32_t state = REC_TRIAL_RUNNING;
    bool is_asked = true;  // by this process; a journal may have one that was running when its process ended
    Curve curve;           // more is better
    std::optional<double> value;
    std::string message;
  };

  int64_t round_begin(int64_t trial) const { return trial - trial % options_.parallel; }
  double sign() const { return options_.minimize ? -1 : 1; }
  Json search() const;
  Json make_parameters(int64_t trial) const;
  int64_t next_trial() const;
  Trial& running(int64_t trial, const char* verb);
  void check_report(const Trial& trial, int64_t epoch, double value) const;
  Json begin(int64_t trial, const Json& parameters);
  void add_value(Trial& trial, int64_t epoch, double value) const;
  void end(Trial& trial, int32_t state, double value, const std::string& message) const;
  void replay(const Json& event);

  const Space space_;
  TunerOptions options_;
  mutable std::mutex mutex_;
  std::vector<Trial> trials_;
  std::optional<Journal> journal_;
};

}  // namespace rec
