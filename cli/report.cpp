#include "cli/report.h"

#include <algorithm>
#include <cmath>

#include "cli/charts.h"
#include "cli/page.h"
#include "cli/protocol_options.h"

namespace rec::cli {

namespace {

std::string key(const std::string& first, const std::string& second) {
  return "<div class=key><span><i class=k1></i>" + escape(first) + "</span><span><i class=k2></i>" + escape(second) +
         "</span></div>";
}

std::string pairs(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string html = "<div class=box><table>";
  for (const auto& [name, value] : rows)
    html += "<tr><td>" + escape(name) + "</td><td class=number style=\"white-space:normal\">" + escape(value) +
            "</td></tr>";
  return html + "</table></div>";
}

const NamedValue* find(const std::vector<NamedValue>& metrics, const std::string& name) {
  const auto it =
      std::find_if(metrics.begin(), metrics.end(), [&](const NamedValue& metric) { return metric.name == name; });
  return it == metrics.end() ? nullptr : &*it;
}

int64_t never_recommended(const PopularityPlot& plot) {
  return std::count(plot.recommendations.begin(), plot.recommendations.end(), 0);
}

std::string head(const TrainingSummary& s) {
  std::string html = "<h1>" + escape(s.model) + " on " + escape(s.data) + "</h1><p class=soft>" + escape(s.model_doc) +
                     "</p><div class=tiles>";
  const std::string epoch = value_text(s.card["epoch"]);
  if (const NamedValue* test = find(s.test, s.main_metric))
    html += tile(fixed(test->value, 4), s.main_metric + " on test");
  if (const auto valid = s.card["valid_metrics"]; valid.contains(s.main_metric))
    html += tile(fixed(valid[s.main_metric], 4), s.main_metric + " on valid, epoch " + epoch);
  html += tile(epoch, s.saved_best ? "best epoch, the one saved" : "last epoch, the one saved");
  html += tile(grouped(s.dataset["n_users"]), "users");
  html += tile(grouped(s.dataset["n_items"]), "items");
  html += tile(grouped(s.dataset["n_train"]), "training interactions");
  html += tile(seconds_text(s.seconds), "from data to model");
  return html + "</div>";
}

std::string curves(const TrainingSummary& s) {
  const auto saved = s.card["epoch"].get<int64_t>();
  const std::string mark_text = (s.saved_best ? "best, epoch " : "saved, epoch ") + std::to_string(saved);
  std::vector<std::string> names;
  for (const EpochResult& epoch : s.epochs)
    for (const NamedValue& metric : epoch.metrics)
      if (std::find(names.begin(), names.end(), metric.name) == names.end()) names.push_back(metric.name);
  names.insert(names.begin(), "");  // the loss
  std::string html;
  for (const std::string& name : names) {
    Chart chart;
    chart.title = name.empty() ? "loss, mean of the epoch's batches" : name + " on valid";
    chart.x_label = "epoch";
    chart.whole_x = true;
    chart.mark_text = mark_text;
    Series series{name.empty() ? "loss" : name, name.empty() ? 2 : 1, false, {}};
    for (const EpochResult& epoch : s.epochs) {
      const NamedValue* metric = find(epoch.metrics, name);
      if (!name.empty() && metric == nullptr) continue;
      series.points.emplace_back(epoch.epoch, name.empty() ? epoch.loss : metric->value);
      if (epoch.epoch == saved) chart.mark = series.points.back();
    }
    chart.series.push_back(std::move(series));
    html += figure(chart.title, "", draw(chart), "");
  }
  if (html.empty())
    return "<h2>Learning</h2><p class=soft>This run has a single epoch, so there is no curve to draw.</p>";
  const int64_t first = s.epochs.front().epoch;
  const std::string resumed =
      first > 1 ? "<p class=soft>The run was resumed: epochs before " + std::to_string(first) + " are not drawn.</p>"
                : "";
  return "<h2>Learning</h2>" + resumed + "<div class=grid>" + html + "</div>";
}

// What is ranked, in words.
std::string ranking_text(const TrainingSummary& s) {
  const rec_protocol_t& p = s.protocol;
  const auto slots = [](int64_t n) { return grouped(n > 0 ? n : 20); };
  if (p.rows == REC_ROWS_LABEL) return "The prediction for each labelled row is compared with its label";
  if (p.rows == REC_ROWS_LIST)
    return "Each impression list is ranked by itself, its first " + slots(p.max_pos) + " clicked and " +
           slots(p.max_neg) + " shown items; near ties count against the clicked";
  const std::string each = p.rows == REC_ROWS_EVENT ? " for each event" : " for each user";
  std::string text;
  switch (p.candidates) {
    case REC_CANDIDATES_GIVEN: text = "Ranking of the candidates that came with the data" + each; break;
    case REC_CANDIDATES_UNIFORM:
    case REC_CANDIDATES_POPULAR:
      text = "Ranking" + each + " among " + grouped(p.n_candidates) + " items drawn for each positive, " +
             (p.candidates == REC_CANDIDATES_UNIFORM ? "uniformly" : "by their training count") + ", with seed " +
             std::to_string(p.seed) + ", outside all that the user has";
      break;
    default:
      text = "Full ranking over all items" + each;
      text += p.mask == REC_MASK_NONE    ? "; nothing is left out"
              : p.mask == REC_MASK_TRAIN ? "; what the user had in training is left out"
                                         : "; what the user had before the part is left out";
  }
  return text +
         (p.ties == REC_TIES_AGAINST_TARGET ? "; ties count against the target" : "; ties go to the lower item row") +
         ", unless a metric has a rule of its own";
}

// How the metrics were measured, in words.
std::string protocol_text(const TrainingSummary& s) {
  return ranking_text(s) + (history_name(s.protocol) == "training"
                                ? "; of a user the model knows the training part"
                                : "; of a user the model knows what happened before the row");
}

std::string metrics(const TrainingSummary& s) {
  const Json valid = s.card["valid_metrics"];
  if (valid.empty() && s.test.empty()) return {};
  std::string html = "<h2>Metrics</h2><div class=box><table><tr><th>metric</th><th class=number>valid, epoch " +
                     escape(value_text(s.card["epoch"])) + "</th><th class=number>test</th></tr>";
  std::vector<std::string> names;
  for (const auto& [name, value] : valid.items()) names.push_back(name);
  for (const NamedValue& metric : s.test)
    if (!valid.contains(metric.name)) names.push_back(metric.name);
  for (const std::string& name : names) {
    const NamedValue* test = find(s.test, name);
    html += "<tr><td>" + escape(name) + "</td><td class=number>" +
            (valid.contains(name) ? fixed(valid[name], 4) : "-") + "</td><td class=number>" +
            (test != nullptr ? fixed(test->value, 4) : "-") + "</td></tr>";
  }
  html += "</table></div><p class=soft style=\"margin-top:8px\">" + protocol_text(s);
  if (s.n_test_rows > 0) {
    html += "; the test part has " + grouped(s.n_test_rows) + row_noun(s.protocol.rows);
  }
  return html + ".</p>";
}

// Ranks are put in bins of equal width on the log axis, so that a million items draw as quickly as a hundred.
std::string popularity(const TrainingSummary& s) {
  const PopularityPlot& plot = s.popularity;
  const auto n = std::ssize(plot.interactions);
  double all = 0, shown = 0;
  for (int64_t i = 0; i < n; ++i) {
    all += static_cast<double>(plot.interactions[i]);
    shown += static_cast<double>(plot.recommendations[i]);
  }
  if (n < 2 || all <= 0 || shown <= 0) return {};
  Chart chart;
  chart.title = "share of an item, by its popularity rank";
  chart.x_label = "popularity rank of the item in training";
  chart.log_x = chart.log_y = chart.percent_y = true;
  Series training{"share of training", 1, false, {}}, served{"share of recommendations", 2, true, {}};
  const double growth = std::pow(static_cast<double>(n), 1.0 / 150);
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = std::min(n, std::max(begin + 1, static_cast<int64_t>(static_cast<double>(begin + 1) * growth)));
    double in_training = 0, in_served = 0;
    for (int64_t i = begin; i < end; ++i) {
      in_training += static_cast<double>(plot.interactions[i]);
      in_served += static_cast<double>(plot.recommendations[i]);
    }
    const double middle = std::sqrt(static_cast<double>(begin + 1) * static_cast<double>(end)),
                 size = static_cast<double>(end - begin);
    training.points.emplace_back(middle, in_training / all / size);
    served.points.emplace_back(middle, in_served / shown / size);
    begin = end;
  }
  chart.series = {std::move(training), std::move(served)};
  const int64_t never = never_recommended(plot);
  return figure(chart.title, key("of training interactions", "of recommendations"), draw(chart),
                "Top " + std::to_string(plot.k) + " of " + grouped(plot.n_users) +
                    " users, what they already had left out. " + grouped(never) + " of " + grouped(n) + " items (" +
                    fixed(100.0 * static_cast<double>(never) / static_cast<double>(n), 1) +
                    " %) are recommended to none of them.");
}

std::string timing(const TrainingSummary& s) {
  constexpr size_t kMostBars = 120;
  const size_t group = s.epochs.size() / kMostBars + 1;
  std::vector<Bar> bars;
  double train = 0, eval = 0;
  for (size_t begin = 0; begin < s.epochs.size(); begin += group) {
    const size_t end = std::min(begin + group, s.epochs.size());
    double t = 0, e = 0;
    for (size_t i = begin; i < end; ++i) {
      t += s.epochs[i].train_seconds;
      e += s.epochs[i].eval_seconds;
    }
    train += t;
    eval += e;
    const auto n = static_cast<double>(end - begin);
    bars.push_back({"epoch " + std::to_string(s.epochs[begin].epoch) +
                        (end - begin > 1 ? " to " + std::to_string(s.epochs[end - 1].epoch) : "") + ": train " +
                        seconds_text(t / n) + ", evaluate " + seconds_text(e / n),
                    {t / n, e / n}});
  }
  if (s.epochs.empty()) return {};
  return figure("seconds of an epoch", key("train", "evaluate"),
                draw_bars("seconds of each epoch", "epoch", static_cast<double>(s.epochs.front().epoch),
                          static_cast<double>(s.epochs.back().epoch), bars),
                seconds_text(train) + " of training and " + seconds_text(eval) + " of evaluation in " +
                    grouped(std::ssize(s.epochs)) + (s.epochs.size() == 1 ? " epoch." : " epochs.") +
                    (group > 1 ? " A bar is the mean of " + std::to_string(group) + " epochs." : ""));
}

std::string dataset(const TrainingSummary& s) {
  const Json& d = s.dataset;
  std::vector<std::pair<std::string, std::string>> rows = {{"source", value_text(d["source"])},
                                                           {"format", value_text(d["format"])}};
  for (const auto& [key, what] : {std::pair{"n_users", "users"},
                                  {"n_items", "items"},
                                  {"n_interactions", "interactions"},
                                  {"n_train", "in train"},
                                  {"n_valid", "in valid"},
                                  {"n_test", "in test"},
                                  {"n_duplicates", "repeated pairs"},
                                  {"n_skipped", "skipped rows"}})
    rows.emplace_back(what, grouped(d[key]));
  rows.emplace_back("density", fixed(d["density"].get<double>() * 100, 3) + " %");
  for (const char* of : {"user", "item"}) {
    const Json& q = d[std::string("interactions_per_") + of];
    rows.emplace_back(std::string("interactions per ") + of, "median " + grouped(q["p50"]) +
                                                                 ", 10 % to 90 %: " + grouped(q["p10"]) + " to " +
                                                                 grouped(q["p90"]) + ", most " + grouped(q["max"]));
  }
  rows.emplace_back("split", s.split ? s.split->ratio + " by " + s.split->by + ", seed " + std::to_string(s.split->seed)
                                     : "as the files have it");
  return pairs(rows);
}

std::string versions(const TrainingSummary& s) {
  return pairs({{"model file", s.out},
                {"library", value_text(s.card["library_version"])},
                {"plugin", s.model + " " + value_text(s.card["plugin_version"])},
                {"seed", value_text(s.card["seed"])},
                {"data hash", value_text(s.card["data_hash"])}});
}

std::string parameters(const TrainingSummary& s) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& [name, value] : s.card["parameters"].items()) rows.emplace_back(name, value_text(value));
  return pairs(rows);
}

}  // namespace

void write_report(const std::string& path, const TrainingSummary& s) {
  std::string html = head(s) + curves(s) + metrics(s);
  html += "<h2>Popularity and time</h2><div class=grid>" + popularity(s) + timing(s) + "</div>";
  html += "<div class=grid><div><h2>Data set</h2>" + dataset(s) + "<h2>Versions</h2>" + versions(s) +
          "</div><div><h2>Parameters</h2>" + parameters(s) + "</div></div>";
  write_page("report", path, s.model + " on " + s.data, html);
}

}  // namespace rec::cli
