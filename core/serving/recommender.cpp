#include "core/serving/recommender.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

}  // namespace

Recommender::Recommender(std::shared_ptr<const Model> model, RecommenderOptions options)
    : scorer_(make_scorer(std::move(model))), options_(options) {
  if (options_.max_k < 1 || options_.max_k > int64_t{1} << 24)
    throw invalid_argument("max_k", "must be between 1 and 16777216, got ", options_.max_k);
  if (options_.n_callers < 1 || options_.n_callers > 4096)
    throw invalid_argument("n_callers", "must be between 1 and 4096, got ", options_.n_callers);
  if (options_.exclude_seen && !this->model().catalog->has_user_data)
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

void Recommender::check_times(const Request& request) const {
  if (request.history_offsets != nullptr && request.history_times == nullptr &&
      scorer_->wants_query_column(REC_COLUMN_HISTORY_TIME))
    throw invalid_argument("history_times", "must be given: model '", model().name, "' looks at the histories' times");
}

// Of row q of the request; the batch fails for one row only if the recommender is strict.
void Recommender::write_status(std::span<const rec_status_t> status, const char* argument, const char* why,
                               rec_status_t* out_status) const {
  for (size_t q = 0; q < status.size(); ++q) {
    if (out_status != nullptr) out_status[q] = status[q];
    if (status[q] != REC_OK && options_.strict)
      throw Error(status[q], cat(argument, ": row ", q, " is unknown to the model", why)).at_argument(argument);
  }
}

void Recommender::top_k(const Request& request, int64_t* out_rows, float* out_scores, rec_status_t* out_status) const {
  check_k(request.k);
  check_times(request);
  const Lease slot(*this);
  slot->rows.read(request, *model().catalog);
  const int64_t n = request.users.size(), k = request.k;
  slot->status.resize(static_cast<size_t>(n));
  if (out_scores == nullptr) slot->scores.resize(static_cast<size_t>(Scorer::kQueries * k));
  for (int64_t begin = 0; begin < n; begin += Scorer::kQueries) {
    int64_t* rows = out_rows + begin * k;
    float* scores = out_scores != nullptr ? out_scores + begin * k : slot->scores.data();
    if (request.has_candidates)
      rank_candidates(request, begin, rows, scores, *slot);
    else
      rank_all(request, begin, rows, scores, *slot);
  }
  write_status(slot->status, "users", " and has no history", out_status);
}

// The items that each user of a block has seen, ascending: from the model file and from the given history.
void Recommender::find_seen(const Queries& queries, Slot& slot) const {
  const Csr& known = model().catalog->seen;
  slot.seen_offsets.assign(1, 0);
  slot.seen.clear();
  for (int64_t q = 0; q < queries.n; ++q) {
    const auto begin = static_cast<int64_t>(slot.seen.size());
    if (const int32_t user = queries.user(q); user >= 0)
      slot.seen.insert(slot.seen.end(), known.row(user).begin(), known.row(user).end());
    if (const std::span<const int32_t> given = queries.given_history(q); !given.empty()) {
      slot.seen.insert(slot.seen.end(), given.begin(), given.end());
      std::sort(slot.seen.begin() + begin, slot.seen.end());
      slot.seen.erase(std::unique(slot.seen.begin() + begin, slot.seen.end()), slot.seen.end());
    }
    slot.seen_offsets.push_back(static_cast<int64_t>(slot.seen.size()));
  }
}

void Recommender::rank_all(const Request& request, int64_t begin, int64_t* rows, float* scores, Slot& slot) const {
  const Queries queries = slot.rows.queries().block(begin, Scorer::kQueries);
  kernels::ItemFilter filter;
  filter.allow = request.allow;
  filter.deny = request.deny;
  if (options_.exclude_seen) {
    find_seen(queries, slot);
    filter.exclude_offsets = slot.seen_offsets.data();
    filter.exclude_rows = slot.seen.data();
  }
  scorer_->top_k(queries, filter, request.k, rows, scores, slot.status.data() + begin, slot.scoring);
}

// Only the given candidates, each once, by (score descending, row ascending).
void Recommender::rank_candidates(const Request& request, int64_t begin, int64_t* rows, float* scores,
                                  Slot& slot) const {
  const Queries queries = slot.rows.queries().block(begin, Scorer::kQueries);
  const int64_t k = request.k, *offsets = slot.rows.candidate_offsets() + begin;
  slot.candidate_scores.resize(static_cast<size_t>(offsets[queries.n]));
  scorer_->candidate_scores(queries, offsets, slot.rows.candidates(), slot.candidate_scores.data(),
                            slot.status.data() + begin, slot.scoring);
  if (options_.exclude_seen) find_seen(queries, slot);
  for (int64_t q = 0; q < queries.n; ++q, rows += k, scores += k) {
    slot.ranked.clear();
    for (int64_t e = offsets[q]; e < offsets[q + 1]; ++e) {
      const int32_t item = slot.rows.candidates()[e];
      const float score = slot.candidate_scores[static_cast<size_t>(e)];
      if (score > kNone && request.allows(item) && !(options_.exclude_seen && slot.has_seen(q, item)))
        slot.ranked.emplace_back(score, item);
    }
    std::sort(slot.ranked.begin(), slot.ranked.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    slot.ranked.erase(std::unique(slot.ranked.begin(), slot.ranked.end()), slot.ranked.end());
    for (size_t i = 0; i < static_cast<size_t>(k); ++i) {
      const bool there = i < slot.ranked.size();
      rows[i] = there ? slot.ranked[i].second : REC_NO_ROW;
      scores[i] = there ? slot.ranked[i].first : kNone;
    }
  }
}

void Recommender::score(const Request& request, float* out_scores, rec_status_t* out_status) const {
  check_times(request);
  const Lease slot(*this);
  slot->rows.read(request, *model().catalog);
  const int64_t n = request.users.size();
  slot->status.resize(static_cast<size_t>(n));
  for (int64_t begin = 0; begin < n; begin += Scorer::kQueries)
    scorer_->candidate_scores(slot->rows.queries().block(begin, Scorer::kQueries),
                              slot->rows.candidate_offsets() + begin, slot->rows.candidates(), out_scores,
                              slot->status.data() + begin, slot->scoring);
  write_status(slot->status, "users", " and has no history", out_status);
}

void Recommender::similar_items(const IdList& items, int64_t k, int64_t* out_rows, float* out_scores,
                                rec_status_t* out_status) const {
  check_k(k);
  const Lease slot(*this);
  slot->status.clear();
  if (out_scores == nullptr) slot->scores.resize(static_cast<size_t>(k));
  for (int64_t q = 0; q < items.size(); ++q) {
    const int32_t item = items.row(q, model().catalog->items);
    slot->status.push_back(item < 0 ? REC_NOT_FOUND : REC_OK);
    scorer_->similar(item, k, out_rows + q * k, out_scores != nullptr ? out_scores + q * k : slot->scores.data(),
                     slot->scoring);
  }
  write_status(slot->status, "items", "", out_status);
}

}  // namespace rec
