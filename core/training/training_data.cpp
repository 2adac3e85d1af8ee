#include "core/training/training_data.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "core/training/batch_plan.h"

namespace rec {

namespace {

constexpr int64_t kMostRows = std::numeric_limits<int32_t>::max();

rec_csr_t view_of(const Csr& csr, int64_t n_columns) {
  return {csr.offsets.data(), csr.columns.data(), csr.n_rows(), n_columns};
}

bool is_labelled(int32_t plan_rows) { return plan_rows == REC_PLAN_LISTS || plan_rows == REC_PLAN_LABELLED; }

// Number of items of each history that the model's file keeps.
int64_t history_kept(const rec_plan_t& plan) {
  if (plans_column(plan, REC_COLUMN_HISTORY) && plan.history_max == 0) return std::numeric_limits<int64_t>::max();
  return std::max(kHistoryKept, plan.history_max);
}

}  // namespace

TrainingData::TrainingData(std::shared_ptr<const Dataset> dataset) : dataset_(std::move(dataset)) {
  const Dataset& data = *dataset_;
  n_train_rows_ = static_cast<int64_t>(std::count(data.part.begin(), data.part.end(), Part::kTrain));
  int64_t n_train = 0;
  for (int64_t i = 0; i < data.n(); ++i) n_train += data.part[i] == Part::kTrain && data.is_positive(i);
  if (n_train == 0)
    throw argument_error(REC_INVALID_DATA, "dataset", "no training interaction ",
                         data.label.empty() ? "" : "with label 1 ", "among ", data.n(), " rows");
  for (const Relation& relation : data.relations) schema_relations_.push_back(relation.name.c_str());
  schema_users_ = views_of(data.user_features, FeatureData::kNone);
  schema_items_ = views_of(data.item_features, FeatureData::kNone);
  schema_ = {sizeof schema_,
             !data.time.empty(),
             data.n_users(),
             data.n_items(),
             n_train,
             !data.weight.empty(),
             static_cast<int32_t>(data.relations.size()),
             schema_relations_.data(),
             schema_users_.data(),
             std::ssize(schema_users_),
             schema_items_.data(),
             std::ssize(schema_items_)};
}

int64_t TrainingData::n_rows(int32_t plan_rows) const {
  return plan_rows == REC_PLAN_ITEMS   ? schema_.n_items
         : plan_rows == REC_PLAN_USERS ? schema_.n_users
         : is_labelled(plan_rows)      ? n_train_rows_
                                       : schema_.n_interactions;
}

void TrainingData::build(const rec_plan_t& plan, MemoryBudget& budget, const CancelToken* cancel) {
  const Dataset& data = *dataset_;
  const int64_t n_train = schema_.n_interactions;
  const bool labelled = is_labelled(plan.rows);
  if (std::max(n_train, labelled ? data.n() : 0) > kMostRows)
    throw argument_error(REC_LIMIT, "dataset", "", std::max(n_train, data.n()), " rows are more than the ", kMostRows,
                         " that training can number");
  budget.charge(checked_mul(n_train, 24 + (plan.wants_graph ? 8 : 0)), "the training interactions");
  if (labelled) budget.charge(checked_mul(n_train_rows_, 16), "the labelled rows");

  throw_if_cancelled(cancel);
  interactions_ = build_interactions(data, true, false, false);
  throw_if_cancelled(cancel);
  if (plan.rows == REC_PLAN_LISTS) lists_ = impression_lists(data, Part::kTrain);
  if (plan.wants_graph) graph_ = build_graph(interactions_.by_user, data.n_items());
  throw_if_cancelled(cancel);
  catalog_ = make_catalog(data, interactions_, history_kept(plan));
  throw_if_cancelled(cancel);
  hash_ = dataset_hash(data);

  view_ = {};
  view_.struct_size = sizeof view_;
  view_.by_user = view_of(interactions_.by_user, data.n_items());
  view_.by_item = view_of(interactions_.by_item, data.n_users());
  view_.user_times = interactions_.entry_time.empty() ? nullptr : interactions_.entry_time.data();
  view_.user_weights = interactions_.entry_weight.empty() ? nullptr : interactions_.entry_weight.data();
  if (plan.wants_graph) {
    view_.graph_users = view_of(graph_.users, data.n_items());
    view_.graph_items = view_of(graph_.items, data.n_users());
  }
  if (plan.wants_relations != 0) {
    relations_ = views_of(catalog_->relations);
    view_.relations = relations_.data();
    view_.n_relations = std::ssize(relations_);
  }
  if (plan.wants_features != 0) {
    user_features_ = views_of(data.user_features, FeatureData::kAll);
    item_features_ = views_of(data.item_features, FeatureData::kAll);
    view_.user_features = user_features_.data();
    view_.n_user_features = std::ssize(user_features_);
    view_.item_features = item_features_.data();
    view_.n_item_features = std::ssize(item_features_);
  }
}

std::string dataset_hash(const Dataset& data) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  const auto add = [&](const auto& buffer) {
    const auto n = std::ssize(buffer);
    XXH3_64bits_update(&state, &n, sizeof n);
    if (n > 0) XXH3_64bits_update(&state, buffer.data(), static_cast<size_t>(n) * sizeof(*buffer.data()));
  };
  for (const IdMap* ids : {&data.users, &data.items}) {
    add(ids->i64());
    add(ids->offsets());
    add(ids->bytes());
  }
  add(data.user);
  add(data.item);
  add(data.time);
  add(data.weight);
  add(data.part);
  for (const Relation& relation : data.relations) {
    add(relation.items.offsets);
    add(relation.items.columns);
  }
  for (const auto* features : {&data.user_features, &data.item_features})
    for (const Feature& feature : *features) {
      add(std::span(feature.name));
      add(feature.dense);
      add(feature.values);
    }
  if (!data.label.empty()) add(data.label);
  if (!data.impression.empty()) add(data.impression);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits_digest(&state)));
  return text;
}

}  // namespace rec
