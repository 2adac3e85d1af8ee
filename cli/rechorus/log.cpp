#include "cli/rechorus/log.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "cli/rechorus/predictions.h"

namespace rec::cli::rechorus {

namespace {

std::string padded(std::string text, size_t width) {
  text.append(width - std::min(width, text.size()), ' ');
  return text;
}

}  // namespace

Log::Log(const std::string& path, std::vector<NamedMetric> metrics) : path_(path), metrics_(std::move(metrics)) {
  make_folder(std::filesystem::path(path).parent_path());
  file_.open(path, std::ios::app);
  if (!file_) throw Failure{REC_IO, "--log_file: " + plain(path) + " could not be opened", "log_file", path, -1};
}

void Log::make_folder(const std::filesystem::path& folder) {
  std::error_code none;
  if (folder.empty() || std::filesystem::is_directory(folder, none)) return;
  std::filesystem::create_directories(folder, none);
  std::printf("make dirs: %s\n", folder.c_str());
}

void Log::line(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  file_ << "INFO:root:" << text << '\n' << std::flush;
}

void Log::rule(const char* word) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char time[32];
  std::strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", &parts);
  const std::string dashes(45, '-');
  line((word == std::string_view("END") ? "\n" : "") + dashes + " " + word + ": " + time + " " + dashes);
}

void Log::write_predictions(const std::string& model_and_mode, const std::string& mode, const std::string& separator) {
  for (const auto& [part, rows] : rows_) {
    const std::string path = predictions_path(path_, model_and_mode, part);
    make_folder(std::filesystem::path(path).parent_path());
    line("Saving " +
         std::string(mode == "CTR"  ? "CTR prediction"
                     : mode.empty() ? "top-100 recommendation"
                                    : "all recommendation") +
         " results to: " + path);
    rechorus::write_predictions(path, mode, separator.empty() ? '\t' : separator[0], *rows);
    line(part + " Prediction results saved!");
  }
}

void Log::close() {
  rule("END");
  file_.close();
  if (!file_) throw Failure{REC_IO, "--log_file: " + plain(path_) + " could not be written", "log_file", path_, -1};
}

// Flags that its table leaves out.
void Log::arguments(const Flags& flags) {
  constexpr std::string_view kLeftOut[] = {"check_epoch", "log_file",   "model_path", "path",       "pin_memory",
                                           "load",        "regenerate", "sep",        "train",      "verbose",
                                           "metric",      "test_epoch", "buffer",     "model_name", "model_mode"};
  std::vector<std::pair<std::string, std::string>> rows;
  size_t keys = 0, values = 0;
  for (const auto& [name, value] : flags.all()) {
    if (std::ranges::find(kLeftOut, name) != std::end(kLeftOut)) continue;
    rows.emplace_back(name, value.size() > 20 ? value.substr(0, 17) + "..." : value);
    keys = std::max(keys, name.size());
    values = std::max(values, rows.back().second.size());
  }
  const std::string rule(keys + values + 5, '=');
  std::string table = "\n" + rule + "\n " + padded("Arguments", keys) + " | " + padded("Values", values) + " \n" + rule;
  for (const auto& [name, value] : rows) table += "\n " + padded(name, keys) + " | " + padded(value, values);
  line(table + "\n" + rule);
  optimizer_ = flags.text("optimizer");
}

void Log::on_data(const SplitData& data) {
  const Json& d = data.description;
  const auto number = [&](const char* key) { return value_text(d[key]); };
  line("Counting dataset statistics...");
  line("\"# user\": " + number("n_users") + ", \"# item\": " + number("n_items") +
       ", \"# entry\": " + number("n_interactions"));
  if (d["label"].is_null()) return;
  const double clicked = d["label"]["n_positive"], all = d["n_interactions"];
  line("\"# positive interaction\": " + value_text(d["label"]["n_positive"]) + " (" + fixed(100 * clicked / all, 1) +
       "%)");
}

std::string Log::values(const std::vector<NamedValue>& measured) const {
  std::string text;
  for (const NamedMetric& metric : metrics_) {
    const auto found = std::ranges::find_if(
        measured, [&](const NamedValue& value) { return value.name.substr(0, value.name.find('[')) == metric.ours; });
    if (found != measured.end()) text += (text.empty() ? "" : ",") + metric.printed + ":" + fixed(found->value, 4);
  }
  return "(" + text + ")";
}

void Log::on_epoch(const EpochResult& epoch) {
  if (!has_epochs_) return;
  if (!std::exchange(told_optimizer_, true)) line("Optimizer: " + optimizer_);
  seconds_ += epoch.train_seconds + epoch.eval_seconds;
  line("Epoch " + padded(std::to_string(epoch.epoch), 5) + " loss=" + fixed(epoch.loss, 4) + " [" +
       fixed(epoch.train_seconds, 1) + " s]\tdev=" + values(epoch.metrics) + " [" + fixed(epoch.eval_seconds, 1) +
       " s]" + (epoch.is_best ? " *" : ""));
}

void Log::on_stopped_early(int64_t epoch) { line("Early stop at " + std::to_string(epoch) + " based on dev result."); }

void Log::on_saved(const TrainingSummary& summary) {
  if (!has_epochs_) return;
  if (!summary.epochs.empty()) {
    const auto best = std::ranges::find_if(
        summary.epochs, [&](const EpochResult& epoch) { return summary.card["epoch"] == epoch.epoch; });
    const std::string number = value_text(summary.card["epoch"]);
    line("\nBest Iter(dev)=" + std::string(5 - std::min<size_t>(5, number.size()), ' ') + number + "\t dev=" +
         (best != summary.epochs.end() ? values(best->metrics) : "()") + " [" + fixed(seconds_, 1) + " s] ");
  }
  line("Load model from " + model_path_);
}

void Log::on_measured(Moment moment, const std::string& part, const Evaluation& evaluation, const rec_protocol_t&) {
  const std::string measured = values(evaluation.metrics);
  if (moment == Moment::kUntrained) {
    line("Test Before Training: " + measured);
  } else {
    line((part == "test" ? "\nTest After Training: " : "\nDev  After Training: ") + measured);
    rows_.emplace_back(part == "test" ? "test" : "dev", evaluation.rows);
  }
}

}  // namespace rec::cli::rechorus
