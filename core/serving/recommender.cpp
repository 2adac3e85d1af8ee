#include "core/serving/recommender.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rec {

Recommender::Recommender(std::shared_ptr<const Model> model, RecommenderOptions options)
    : ranker_(std::move(model)), options_(options) {
  if (options_.max_k < 1 || options_.max_k > int64_t{1} << 24)
    throw invalid_argument("max_k", "must be between 1 and 16777216, got ", options_.max_k);
  if (options_.n_callers < 1 || options_.n_callers > 4096)
    throw invalid_argument("n_callers", "must be between 1 and 4096, got ", options_.n_callers);
  if (options_.exclude_seen && !ranker_.model().catalog->has_user_data)
    throw Error(REC_UNSUPPORTED,
                "exclude_seen: the model was saved without user data, so it does not know what users have seen")
        .at_argument("exclude_seen");
  for (int i = 0; i < options_.n_callers; ++i) free_.push_back(std::make_unique<Slot>());
}

Recommender::Lease::Lease(const Recommender& owner) : owner_(owner) {
  std::unique_lock lock(owner_.mutex_);
  owner_.returned_.wait(lock, [&] { return !owner_.free_.empty(); });
  slot_ = std::move(owner_.free_.back());
  owner_.free_.pop_back();
}

Recommender::Lease::~Lease() {
  {
    const std::lock_guard lock(owner_.mutex_);
    owner_.free_.push_back(std::move(slot_));
  }
  owner_.returned_.notify_one();
}

void Recommender::check_k(int64_t k) const {
  if (k < 1) throw invalid_argument("k", "must be >= 1, got ", k);
  if (k > options_.max_k)
    throw invalid_argument("k", "must be <= the recommender's max_k ", options_.max_k, ", got ", k);
}

void Recommender::check_times(const Queries& queries) const {
  if (queries.history_offsets != nullptr && queries.history_times == nullptr &&
      ranker_.wants_query_column(REC_COLUMN_HISTORY_TIME))
    throw invalid_argument("history_times", "must be given: model '", model().name, "' looks at the histories' times");
}

void Recommender::finish_status(const Slot& slot, int64_t n, rec_status_t* out_status) const {
  for (int64_t q = 0; q < n; ++q) {
    const rec_status_t status = slot.status[static_cast<size_t>(q)];
    if (out_status != nullptr) out_status[q] = status;
    if (status != REC_OK && options_.strict)
      throw Error(status, cat("users: row ", q, " is unknown to the model and has no history")).at_argument("users");
  }
}

// Seen items of each known user as the kernel's exclusion lists.
void Recommender::exclude_seen(const Queries& queries, Slot& slot, kernels::ItemFilter& filter) const {
  const Csr& seen = ranker_.model().catalog->seen;
  slot.offsets.assign(1, 0);
  slot.rows.clear();
  for (int64_t q = 0; q < queries.n; ++q) {
    const size_t begin = slot.rows.size();
    if (queries.users != nullptr && queries.users[q] >= 0) {
      const std::span<const int32_t> row = seen.row(queries.users[q]);
      slot.rows.insert(slot.rows.end(), row.begin(), row.end());
    }
    if (const std::span<const int32_t> given = queries.given_history(q); !given.empty()) {
      slot.rows.insert(slot.rows.end(), given.begin(), given.end());
      std::sort(slot.rows.begin() + static_cast<int64_t>(begin), slot.rows.end());
      slot.rows.erase(std::unique(slot.rows.begin() + static_cast<int64_t>(begin), slot.rows.end()), slot.rows.end());
    }
    slot.offsets.push_back(static_cast<int64_t>(slot.rows.size()));
  }
  filter.exclude_offsets = slot.offsets.data();
  filter.exclude_rows = slot.rows.data();
}

void Recommender::top_k(const Request& request, int64_t* out_rows, float* out_scores, rec_status_t* out_status) const {
  check_k(request.k);
  check_times(request.queries);
  const Lease slot(*this);
  const int64_t n = request.queries.n, k = request.k;
  slot->status.resize(static_cast<size_t>(n));
  if (out_scores == nullptr) {
    slot->scores.resize(static_cast<size_t>(n * k));
    out_scores = slot->scores.data();
  }
  if (request.candidates != nullptr) {
    top_k_of_candidates(request, *slot, out_rows, out_scores);
    finish_status(*slot, n, out_status);
    return;
  }
  for (int64_t begin = 0; begin < n; begin += Ranker::kBlock) {
    Queries block = request.queries;
    block.n = std::min(Ranker::kBlock, n - begin);
    if (block.users != nullptr) block.users += begin;
    if (block.history_offsets != nullptr) block.history_offsets += begin;
    if (block.times != nullptr) block.times += begin;
    kernels::ItemFilter filter;
    filter.allow = request.allow;
    filter.deny = request.deny;
    if (options_.exclude_seen) exclude_seen(block, *slot, filter);
    ranker_.top_k(block, filter, k, out_rows + begin * k, out_scores + begin * k, slot->status.data() + begin,
                  slot->ranking);
  }
  finish_status(*slot, n, out_status);
}

// Ranks given candidates only: their scores, then a selection by (score descending, row ascending).
void Recommender::top_k_of_candidates(const Request& request, Slot& slot, int64_t* out_rows, float* out_scores) const {
  const Queries& queries = request.queries;
  const int64_t k = request.k;
  const auto allowed = [&](int32_t item) {
    const auto bit = [item](const uint8_t* bits) { return (bits[item / 8] >> (item % 8) & 1) != 0; };
    return item >= 0 && (request.allow == nullptr || bit(request.allow)) &&
           (request.deny == nullptr || !bit(request.deny));
  };
  kernels::ItemFilter filter;
  if (options_.exclude_seen) exclude_seen(queries, slot, filter);
  std::vector<float> scores(static_cast<size_t>(request.candidate_offsets[queries.n]));
  ranker_.candidate_scores(queries, request.candidate_offsets, request.candidates, scores.data(), slot.status.data(),
                           slot.ranking);
  for (int64_t q = 0; q < queries.n; ++q) {
    std::vector<std::pair<float, int32_t>> ranked;
    for (int64_t e = request.candidate_offsets[q]; e < request.candidate_offsets[q + 1]; ++e) {
      const int32_t item = request.candidates[e];
      const float score = scores[static_cast<size_t>(e)];
      const bool seen =
          options_.exclude_seen && std::binary_search(filter.exclude_rows + filter.exclude_offsets[q],
                                                      filter.exclude_rows + filter.exclude_offsets[q + 1], item);
      if (allowed(item) && !seen && score > -std::numeric_limits<float>::infinity()) ranked.emplace_back(score, item);
    }
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
    for (int64_t i = 0; i < k; ++i) {
      const bool there = i < static_cast<int64_t>(ranked.size());
      out_rows[q * k + i] = there ? ranked[static_cast<size_t>(i)].second : REC_NO_ROW;
      out_scores[q * k + i] = there ? ranked[static_cast<size_t>(i)].first : -std::numeric_limits<float>::infinity();
    }
  }
}

void Recommender::score(const Request& request, float* out_scores, rec_status_t* out_status) const {
  check_times(request.queries);
  const Lease slot(*this);
  slot->status.resize(static_cast<size_t>(request.queries.n));
  ranker_.candidate_scores(request.queries, request.candidate_offsets, request.candidates, out_scores,
                           slot->status.data(), slot->ranking);
  finish_status(*slot, request.queries.n, out_status);
}

void Recommender::similar_items(const int32_t* items, int64_t n, int64_t k, int64_t* out_rows, float* out_scores,
                                rec_status_t* out_status) const {
  check_k(k);
  const Lease slot(*this);
  if (out_scores == nullptr) {
    slot->scores.resize(static_cast<size_t>(n * k));
    out_scores = slot->scores.data();
  }
  ranker_.similar(items, n, k, out_rows, out_scores, slot->ranking);
  for (int64_t q = 0; q < n; ++q) {
    const rec_status_t status = items[q] < 0 ? REC_NOT_FOUND : REC_OK;
    if (out_status != nullptr) out_status[q] = status;
    if (status != REC_OK && options_.strict)
      throw Error(status, cat("items: row ", q, " is unknown to the model")).at_argument("items");
  }
}

}  // namespace rec
