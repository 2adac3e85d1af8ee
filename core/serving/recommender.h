#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "core/data/id_list.h"
#include "core/serving/scorer.h"

namespace rec {

// A caller's request, with ids; see rec_request_t. Counts and offsets are checked, ids are not looked up yet.
struct Request {
  int64_t k = 0;
  IdList users;
  IdList histories;                          // of all users
  const int64_t* history_offsets = nullptr;  // [n_users + 1], nullable: no histories are given
  const int64_t* history_times = nullptr;    // beside histories, nullable
  const int64_t* times = nullptr;            // [n_users], nullable
  bool has_candidates = false;
  IdList candidates;
  const int64_t* candidate_offsets = nullptr;  // [n_users + 1], nullable: the same candidates for every user
  const uint8_t* allow = nullptr;              // bit maps over item rows, nullable
  const uint8_t* deny = nullptr;

  bool allows(int32_t item) const {
    const auto bit = [item](const uint8_t* bits) { return (bits[item / 8] >> (item % 8) & 1) != 0; };
    return (allow == nullptr || bit(allow)) && (deny == nullptr || !bit(deny));
  }
};

struct RecommenderOptions {
  bool exclude_seen = false;
  bool strict = false;
  int64_t max_k = 1000;
  int n_callers = 64;
};

// A model prepared to answer. Options are checked and scratch is set up once; any number of threads may call.
class Recommender {
 public:
  Recommender(std::shared_ptr<const Model> model, RecommenderOptions options);
  ~Recommender();

  const Model& model() const { return scorer_->model(); }
  const std::shared_ptr<const Model>& shared_model() const { return scorer_->shared_model(); }
  const RecommenderOptions& options() const { return options_; }

  void top_k(const Request& request, int64_t* out_rows, float* out_scores, rec_status_t* out_status) const;
  void score(const Request& request, float* out_scores, rec_status_t* out_status) const;
  // Items like each item, or users like each user. Of the filter, allow and deny.
  void similar(Entity entity, const IdList& given, const kernels::ItemFilter& filter, int64_t k, int64_t* out_rows,
               float* out_scores, rec_status_t* out_status) const;

 private:
  struct CallMemory;  // working memory, lent to a call by a Lease
  class Lease;

  void check_k(int64_t k) const;
  void check_times(const Request& request) const;
  void find_seen(const Queries& queries, CallMemory& memory) const;
  const uint8_t* denied(const uint8_t* deny, CallMemory& memory) const;
  void top_k_of_all(const Request& request, int64_t begin, int64_t* rows, float* scores, CallMemory& memory) const;
  void top_k_of_candidates(const Request& request, int64_t begin, int64_t* rows, float* scores,
                           CallMemory& memory) const;
  void write_status(std::span<const rec_status_t> status, const char* argument, const char* why,
                    rec_status_t* out_status) const;

  std::unique_ptr<const Scorer> scorer_;  // TableScorer, WeightsScorer or PluginScorer: make_scorer chooses
  RecommenderOptions options_;
  mutable std::mutex mutex_;
  mutable std::condition_variable returned_;
  mutable std::vector<std::unique_ptr<CallMemory>> free_;
};

}  // namespace rec
