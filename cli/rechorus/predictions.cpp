#include "cli/rechorus/predictions.h"

#include <cmath>
#include <filesystem>

#include "cli/output_file.h"

namespace rec::cli::rechorus {

namespace {

constexpr int64_t kTop = 100;

float sigmoid(float score) { return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(score)))); }

// The items of a row, or their scores, as one cell.
std::string items_cell(const std::vector<RankedItem>& list, char separator) {
  std::vector<std::string> ids;
  for (const RankedItem& item : list) ids.push_back(item.id);
  return cell(bracketed(ids), separator);
}

std::string scores_cell(const std::vector<RankedItem>& list, char separator) {
  std::vector<std::string> scores;
  for (const RankedItem& item : list) scores.push_back(shortest(item.score));
  return cell(bracketed(scores), separator);
}

}  // namespace

std::string predictions_path(const std::string& log_path, const std::string& model_and_mode, const std::string& part) {
  const std::filesystem::path log(log_path);
  const std::string name = log.filename().string();
  const std::filesystem::path folder = log.parent_path() / name.substr(0, name.find('.'));
  return (folder / ("rec-" + model_and_mode + "-" + part + ".csv")).string();
}

int64_t predictions_per_row(const std::string& mode, int64_t slots) {
  return mode == "CTR" ? 1 : mode == "Impression" ? slots : kTop;
}

void write_predictions(const std::string& path, const std::string& mode, char separator, const EvaluationRows& rows) {
  OutputFile file("save_final_results", path);
  std::ostream& out = file.stream();
  const auto line = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) out << (i > 0 ? std::string(1, separator) : "") << cells[i];
    out << '\n';
  };
  if (mode == "CTR")
    line({"user_id", "item_id", "pCTR", "label"});
  else if (mode == "Impression")
    line({"user_id", "pos_items", "pos_predictions", "neg_items", "neg_predictions"});
  else
    line({"user_id", "rec_items", "rec_predictions"});
  for (int64_t row = 0; row < rows.n(); ++row) {
    const std::string user = cell(rows.user(row), separator);
    const std::vector<RankedItem> list = rows.list(row);
    if (mode == "CTR") {
      for (const RankedItem& item : list)
        line({user, cell(item.text, separator), shortest(sigmoid(item.score)), item.relevant ? "1" : "0"});
    } else if (mode == "Impression") {
      std::vector<RankedItem> clicked, shown;
      for (const RankedItem& item : list) (item.relevant ? clicked : shown).push_back(item);
      line({user, items_cell(clicked, separator), scores_cell(clicked, separator), items_cell(shown, separator),
            scores_cell(shown, separator)});
    } else {
      line({user, items_cell(list, separator), scores_cell(list, separator)});
    }
  }
  file.close();
}

}  // namespace rec::cli::rechorus
