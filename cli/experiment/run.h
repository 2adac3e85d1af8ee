// Trains and measures an experiment, and tells what happens as events: terminal, JSON lines and a peer's log are listeners.
#pragma once

#include <memory>
#include <mutex>

#include "cli/experiment/experiment.h"
#include "cli/report.h"

namespace rec::cli {

enum class Moment { kUntrained, kTrained, kFile };  // kFile: one of evaluation.files, after training

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_data(const SplitData&) {}
  virtual void on_started_from(const std::string& /*model*/) {}  // --warm-start
  virtual void on_progress(const rec_event_t&) {}  // also of the start, which tells where a resumed run goes on
  virtual void on_epoch(const EpochResult&) {}
  // After on_epoch, of an epoch that was evaluated, with its main metric. False gives the training up: GivenUp is thrown.
  virtual bool goes_on(int64_t /*epoch*/, const NamedValue& /*main*/) { return true; }
  virtual void on_stopped_early(int64_t /*epoch*/) {}
  virtual void on_saved(const TrainingSummary&) {}  // or, without training, loaded
  virtual bool can_resume() const { return true; }  // whether the command goes on from a checkpoint
  virtual void on_reading(const std::string& /*file*/) {}    // one of evaluation.files
  virtual void on_measuring(const std::string& /*part*/) {}  // a part, or a file that has been read
  virtual void on_measured(Moment, const std::string& /*part*/, const Evaluation&, const rec_protocol_t&) {}
};

struct GivenUp {};

// The data of experiments that differ in their parameters only are read once, as long as the seed is the same. Any thread
// may ask.
class SharedData {
 public:
  std::shared_ptr<const SplitData> of(const DataOptions& options, int64_t seed, Context& context);

 private:
  std::mutex mutex_;
  std::shared_ptr<const SplitData> data_;
  int64_t seed_ = 0;
};

// Returns what happened, also in listener's words. Failure: what is not trained, measured or written; a cancel after the
// first epoch saves the last finished one and says so. Without a name for the model nothing is saved, nor checkpoints.
TrainingSummary run_experiment(const Experiment& experiment, Listener& listener, Context& context,
                               SharedData* shared = nullptr);

// Throws what run_experiment would before it reads data. Returns the seed, by which data are split.
int64_t check_experiment(const Experiment& experiment, Context& context);

// Whether less of a metric is better.
bool is_loss(const std::string& metric);

// The event "done" of a command that ran an experiment.
void tell_done(const char* command, const Experiment& experiment, const TrainingSummary& summary, Output& output);

// Prints as train does: a progress bar, a line for each epoch, what was saved; with --json, events.
class TerminalListener : public Listener {
 public:
  TerminalListener(const Experiment& experiment, Context& context) : experiment_(experiment), context_(context) {}
  void on_data(const SplitData& data) override { split_ = data.split; }
  void on_progress(const rec_event_t& event) override;
  void on_epoch(const EpochResult& epoch) override;
  void on_stopped_early(int64_t epoch) override;
  void on_saved(const TrainingSummary& summary) override;
  void on_measured(Moment moment, const std::string& part, const Evaluation& evaluation,
                   const rec_protocol_t& protocol) override;

 private:
  const Experiment& experiment_;
  Context& context_;
  std::optional<Split> split_;
  bool told_header_ = false;
  int64_t batch_ = 0;
};

}  // namespace rec::cli
