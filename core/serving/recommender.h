#pragma once

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "core/serving/request.h"
#include "core/serving/scorer.h"

namespace rec {

struct RecommenderOptions {
  bool exclude_seen = false;
  bool strict = false;
  int64_t max_k = 1000;
  int n_callers = 64;
};

// A model made ready to answer. Options are checked and scratch is set up once; any number of threads may ask.
class Recommender {
 public:
  Recommender(std::shared_ptr<const Model> model, RecommenderOptions options);

  const Model& model() const { return scorer_->model(); }
  const RecommenderOptions& options() const { return options_; }

  void top_k(const Request& request, int64_t* out_rows, float* out_scores, rec_status_t* out_status) const;
  void score(const Request& request, float* out_scores, rec_status_t* out_status) const;
  void similar_items(const IdList& items, int64_t k, int64_t* out_rows, float* out_scores,
                     rec_status_t* out_status) const;

 private:
  // Memory of one call. It grows to what the calls need and stays, so that a call allocates nothing once its slot is
  // warm: Scorer::Scratch, and the rows of the request's ids with the scores of its candidates.
  struct Slot {
    RequestRows rows;
    Scorer::Scratch scoring;
    std::vector<float> scores;  // where the caller wants none
    std::vector<rec_status_t> status;
    std::vector<int64_t> seen_offsets;
    std::vector<int32_t> seen;
    std::vector<float> candidate_scores;
    std::vector<std::pair<float, int32_t>> ranked;

    bool has_seen(int64_t q, int32_t item) const {
      const auto row = seen.begin();
      return std::binary_search(row + seen_offsets[static_cast<size_t>(q)],
                                row + seen_offsets[static_cast<size_t>(q) + 1], item);
    }
  };
  // A slot for the time of a call; a caller beyond n_callers waits for one.
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
  void check_times(const Request& request) const;
  void find_seen(const Queries& queries, Slot& slot) const;
  void rank_all(const Request& request, int64_t begin, int64_t* rows, float* scores, Slot& slot) const;
  void rank_candidates(const Request& request, int64_t begin, int64_t* rows, float* scores, Slot& slot) const;
  void write_status(std::span<const rec_status_t> status, const char* argument, const char* why,
                    rec_status_t* out_status) const;

  std::unique_ptr<const Scorer> scorer_;
  RecommenderOptions options_;
  mutable std::mutex mutex_;
  mutable std::condition_variable returned_;
  mutable std::vector<std::unique_ptr<Slot>> free_;
};

}  // namespace rec
