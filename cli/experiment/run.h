// Trains and measures an experiment, and tells what happens as events: terminal, JSON lines and a peer's log are listeners.
#pragma once

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
  virtual void on_stopped_early(int64_t /*epoch*/) {}
  virtual void on_saved(const TrainingSummary&) {}  // or, without training, loaded
  virtual bool can_resume() const { return true; }  // whether the command goes on from a checkpoint
  virtual void on_reading(const std::string& /*file*/) {}    // one of evaluation.files
  virtual void on_measuring(const std::string& /*part*/) {}  // a part, or a file that has been read
  virtual void on_measured(Moment, const std::string& /*part*/, const Evaluation&, const rec_protocol_t&) {}
};

// Returns what happened, also in listener's words. Failure: what is not trained, measured or written; a cancel after the
// first epoch saves the last finished one and says so.
TrainingSummary run_experiment(const Experiment& experiment, Listener& listener, Context& context);

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
