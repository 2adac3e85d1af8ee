// What main.py prints, on stdout and in its log file, so that scripts that read either go on working.
#pragma once

#include <filesystem>
#include <fstream>

#include "cli/experiment/run.h"
#include "cli/rechorus/flags.h"

namespace rec::cli::rechorus {

// A metric under ReChorus's name and under ours: "HR@5", "rechorus.hr@5".
struct NamedMetric {
  std::string printed, ours;
};

class Log : public Listener {
 public:
  Log(const std::string& path, std::vector<NamedMetric> metrics);

  void line(const std::string& text);
  void rule(const char* word);
  void arguments(const Flags& flags);
  std::string& model_path() { return model_path_; }

  // The files of predictions, of each part that was measured after training.
  void write_predictions(const std::string& model_and_mode, const std::string& mode, const std::string& separator);
  // Ends the log; IO when a line of it could not be written.
  void close();
  // Of a model without epochs, whose lines are left out.
  void has_no_epochs() { has_epochs_ = false; }

  bool can_resume() const override { return false; }
  void on_started_from(const std::string& model) override { line("Load model from " + model); }
  void on_data(const SplitData& data) override;
  void on_epoch(const EpochResult& epoch) override;
  void on_stopped_early(int64_t epoch) override;
  void on_saved(const TrainingSummary& summary) override;
  void on_measured(Moment moment, const std::string& part, const Evaluation& evaluation,
                   const rec_protocol_t& protocol) override;

 private:
  void make_folder(const std::filesystem::path& folder);
  std::string values(const std::vector<NamedValue>& measured) const;

  std::string path_;
  std::ofstream file_;
  std::vector<NamedMetric> metrics_;
  std::string model_path_;
  bool told_optimizer_ = false, has_epochs_ = true;
  std::string optimizer_;
  double seconds_ = 0;
  std::vector<std::pair<std::string, std::shared_ptr<const EvaluationRows>>> rows_;  // of a part: dev, test
};

}  // namespace rec::cli::rechorus
