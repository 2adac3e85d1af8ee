#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/checked.h"
#include "core/data/dataset.h"
#include "core/data/impressions.h"
#include "core/data/interactions.h"
#include "core/serving/model.h"

namespace rec {

// The data of one training run as a plugin sees it: a schema, and views over memory that this object owns.
class TrainingData {
 public:
  // INVALID_DATA without a training interaction. Views and rows exist only after build().
  explicit TrainingData(std::shared_ptr<const Dataset> dataset);
  TrainingData(const TrainingData&) = delete;
  TrainingData& operator=(const TrainingData&) = delete;

  // What the plan asks for, charged before it is allocated.
  void build(const rec_plan_t& plan, MemoryBudget& budget, const CancelToken* cancel);

  const Dataset& dataset() const { return *dataset_; }
  const rec_schema_t& schema() const { return schema_; }
  const rec_dataset_view_t& view() const { return view_; }
  const Interactions& interactions() const { return interactions_; }
  const ImpressionLists& lists() const { return lists_; }  // of the train part, when rows are lists
  const std::shared_ptr<const Catalog>& catalog() const { return catalog_; }
  const std::string& hash() const { return hash_; }
  int64_t n_train_rows() const { return n_train_rows_; }  // of labelled rows, both kinds
  // The most rows that an epoch of REC_PLAN_ rows can have.
  int64_t n_rows(int32_t plan_rows) const;

 private:
  std::shared_ptr<const Dataset> dataset_;
  int64_t n_train_rows_ = 0;
  rec_schema_t schema_{};
  std::vector<const char*> schema_relations_;
  std::vector<rec_feature_t> schema_users_, schema_items_;

  Interactions interactions_;
  ImpressionLists lists_;
  Graph graph_;
  rec_dataset_view_t view_{};
  std::vector<rec_csr_t> relations_;
  std::vector<rec_feature_t> user_features_, item_features_;
  std::shared_ptr<const Catalog> catalog_;
  std::string hash_;
};

// A hash of ids, interactions and parts: names the data and its split.
std::string dataset_hash(const Dataset& dataset);

}  // namespace rec
