#include "core/data/describe.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/data/interactions.h"

namespace rec {

namespace {

const char* type_name(const IdMap& ids) { return ids.type() == REC_ID_BYTES ? "bytes" : "int64"; }

// Nearest-rank quantiles of the number of interactions per row.
Json quantiles(const Csr& rows) {
  std::vector<int64_t> counts;
  for (int64_t r = 0; r < rows.n_rows(); ++r) counts.push_back(rows.offsets[r + 1] - rows.offsets[r]);
  std::sort(counts.begin(), counts.end());
  const auto at = [&](double q) {
    if (counts.empty()) return int64_t{0};
    return counts[q * static_cast<double>(counts.size() - 1) + 0.5];
  };
  const double mean = counts.empty() ? 0 : static_cast<double>(rows.nnz()) / static_cast<double>(counts.size());
  return {{"min", at(0)},   {"p10", at(0.1)},  {"p25", at(0.25)}, {"p50", at(0.5)}, {"p75", at(0.75)},
          {"p90", at(0.9)}, {"p99", at(0.99)}, {"max", at(1)},    {"mean", mean}};
}

template <class Named>
Json names_of(const std::vector<Named>& all) {
  Json names = Json::array();
  for (const Named& one : all) names.push_back(invalid_utf8(one.name) ? printable(one.name) : one.name);
  return names;
}

}  // namespace

std::string describe_dataset(const Dataset& dataset) {
  int64_t parts[3] = {};
  for (Part part : dataset.part) ++parts[static_cast<uint8_t>(part)];
  const Interactions all = build_interactions(dataset, true, true, true, Labels::kAll);
  const int64_t n_pairs = distinct_rows(all.by_user).nnz();
  const double cells = static_cast<double>(dataset.n_users()) * static_cast<double>(dataset.n_items());
  int64_t n_single = 0, n_titles = 0;
  for (int64_t u = 0; u < dataset.n_users(); ++u) n_single += all.by_user.offsets[u + 1] - all.by_user.offsets[u] == 1;
  for (int64_t i = 0; i + 1 < dataset.title_offsets.size(); ++i)
    n_titles += dataset.title_offsets[i + 1] > dataset.title_offsets[i];

  Json json = Json::object();
  json["n_users"] = dataset.n_users();
  json["n_items"] = dataset.n_items();
  json["n_interactions"] = dataset.n();
  json["n_train"] = parts[0];
  json["n_valid"] = parts[1];
  json["n_test"] = parts[2];
  json["n_duplicates"] = dataset.n() - n_pairs;
  json["n_users_with_one"] = n_single;
  json["density"] = cells > 0 ? static_cast<double>(n_pairs) / cells : 0.0;
  if (!dataset.time.empty()) {
    const auto [first, last] = std::minmax_element(dataset.time.begin(), dataset.time.end());
    json["time"] = {{"first", *first}, {"last", *last}};
  } else {
    json["time"] = nullptr;
  }
  if (!dataset.weight.empty()) {
    const auto [lowest, highest] = std::minmax_element(dataset.weight.begin(), dataset.weight.end());
    json["weight"] = {{"min", *lowest}, {"max", *highest}};
  } else {
    json["weight"] = nullptr;
  }
  if (!dataset.label.empty()) {
    const auto n_positive = std::count_if(dataset.label.begin(), dataset.label.end(), [](float y) { return y != 0; });
    json["label"] = {{"n_positive", n_positive}, {"n_negative", dataset.n() - n_positive}};
  } else {
    json["label"] = nullptr;
  }
  const auto last_list = std::max_element(dataset.impression.begin(), dataset.impression.end());
  json["n_impressions"] = dataset.impression.empty() ? 0 : int64_t{*last_list} + 1;
  json["user_id_type"] = type_name(dataset.users);
  json["item_id_type"] = type_name(dataset.items);
  json["n_titles"] = n_titles;
  json["user_features"] = names_of(dataset.user_features);
  json["item_features"] = names_of(dataset.item_features);
  json["relations"] = names_of(dataset.relations);
  json["n_candidates"] = dataset.candidates.size();
  json["format"] = dataset.format;
  // A path may hold any bytes; JSON may not.
  json["source"] = invalid_utf8(dataset.source) ? printable(dataset.source) : dataset.source;
  json["n_skipped"] = dataset.n_skipped;
  json["n_missing"] = dataset.n_missing;
  json["has_parts"] = dataset.has_parts;
  json["read_as"] = Json::object();
  for (const auto& [what, how] : dataset.read_as) json["read_as"][what] = how;
  json["notes"] = dataset.notes;
  json["interactions_per_user"] = quantiles(all.by_user);
  json["interactions_per_item"] = quantiles(all.by_item);
  return dump_json(json);
}

}  // namespace rec
