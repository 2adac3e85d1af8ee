#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "core/serving/ranker.h"

namespace rec {

struct RecommenderOptions {
  bool exclude_seen = false;
  bool strict = false;
  int64_t max_k = 1000;
  int n_callers = 64;
};

// A request after its ids became rows; see rec_request_t.
struct Request {
  int64_t k = 0;
  Queries queries;
  const int64_t* candidate_offsets = nullptr;  // [n + 1], nullable
  const int32_t* candidates = nullptr;         // -1 = unknown item
  const uint8_t* allow = nullptr;
  const uint8_t* deny = nullptr;
};

// A model made ready to answer. Checks and scratch are made once; any number of threads may ask.
class Recommender {
 public:
  Recommender(std::shared_ptr<const Model> model, RecommenderOptions options);

  const Model& model() const { return ranker_.model(); }
  const RecommenderOptions& options() const { return options_; }

  void top_k(const Request& request, int64_t* out_rows, float* out_scores, rec_status_t* out_status) const;
  void score(const Request& request, float* out_scores, rec_status_t* out_status) const;
  void similar_items(const int32_t* items, int64_t n, int64_t k, int64_t* out_rows, float* out_scores,
                     rec_status_t* out_status) const;

 private:
  struct Slot {
    Ranker::Scratch ranking;
    std::vector<float> scores;
    std::vector<rec_status_t> status;
    std::vector<int64_t> offsets;
    std::vector<int32_t> rows;
  };
  // One slot of scratch for the time of a call; a caller beyond n_callers waits for one.
  class Lease {
   public:
    explicit Lease(const Recommender& owner);
    ~Lease();
    Slot* operator->() const { return slot_.get(); }
    Slot& operator*() const { return *slot_; }

   private:
    const Recommender& owner_;
    std::unique_ptr<Slot> slot_;
  };

  void check_k(int64_t k) const;
  void check_times(const Queries& queries) const;
  void finish_status(const Slot& slot, int64_t n, rec_status_t* out_status) const;
  void exclude_seen(const Queries& queries, Slot& slot, kernels::ItemFilter& filter) const;
  void top_k_of_candidates(const Request& request, Slot& slot, int64_t* out_rows, float* out_scores) const;

  Ranker ranker_;
  RecommenderOptions options_;
  mutable std::mutex mutex_;
  mutable std::condition_variable returned_;
  mutable std::vector<std::unique_ptr<Slot>> free_;
};

}  // namespace rec
