#include "core/serving/recommender.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// The rows of a request's ids. It keeps its memory for the next request.
class RequestRows {
 public:
  void read(const Request& request, const Catalog& catalog);

  const Queries& queries() const { return queries_; }
  const int64_t* candidate_offsets() const { return candidate_offsets_.data(); }  // [n + 1]
  const int32_t* candidates() const { return candidates_.data(); }                // -1 = unknown to the model

 private:
  void read_histories(const Request& request, const IdMap& items);
  void read_candidates(const Request& request, const IdMap& items);

  Queries queries_;  // over the vectors
  std::vector<int32_t> users_, history_, candidates_;
  std::vector<int64_t> history_offsets_, history_times_, candidate_offsets_;
};

void RequestRows::read(const Request& request, const Catalog& catalog) {
  queries_ = {};
  queries_.n = request.users.size();
  queries_.times = request.times;
  users_.clear();
  for (int64_t q = 0; q < queries_.n; ++q) users_.push_back(request.users.row(q, catalog.users));
  queries_.users = users_.data();
  if (request.history_offsets != nullptr) read_histories(request, catalog.items);
  if (request.has_candidates) read_candidates(request, catalog.items);
}

// Items that the model does not know are left out.
void RequestRows::read_histories(const Request& request, const IdMap& items) {
  history_.clear();
  history_times_.clear();
  history_offsets_.assign(1, 0);
  for (int64_t q = 0; q < queries_.n; ++q) {
    for (int64_t e = request.history_offsets[q]; e < request.history_offsets[q + 1]; ++e) {
      const int32_t row = request.histories.row(e, items);
      if (row < 0) continue;
      history_.push_back(row);
      if (request.history_times != nullptr) history_times_.push_back(request.history_times[e]);
    }
    history_offsets_.push_back(std::ssize(history_));
  }
  queries_.history_offsets = history_offsets_.data();
  queries_.history_items = history_.data();
  if (request.history_times != nullptr) queries_.history_times = history_times_.data();
}

void RequestRows::read_candidates(const Request& request, const IdMap& items) {
  const bool shared = request.candidate_offsets == nullptr;
  candidates_.clear();
  candidate_offsets_.assign(1, 0);
  for (int64_t q = 0; q < queries_.n; ++q) {
    const int64_t begin = shared ? 0 : request.candidate_offsets[q],
                  end = shared ? request.candidates.size() : request.candidate_offsets[q + 1];
    for (int64_t e = begin; e < end; ++e) candidates_.push_back(request.candidates.row(e, items));
    candidate_offsets_.push_back(std::ssize(candidates_));
  }
}

}  // namespace

// Grows to what the calls need and is kept, so that a warm call allocates nothing.
struct Recommender::CallMemory {
  RequestRows request;
  Scorer::Scratch scoring;
  std::vector<float> scores;  // when the caller wants none
  std::vector<rec_status_t> status;
  std::vector<int64_t> seen_offsets;
  std::vector<int32_t> seen;
  std::vector<uint8_t> denied;
  std::vector<float> candidate_scores;
  std::vector<std::pair<float, int32_t>> ranked;

  bool has_seen(int64_t q, int32_t item) const {
    const auto row = seen.begin();
    return std::binary_search(row + seen_offsets[q], row + seen_offsets[q + 1], item);
  }
};

// Lends memory for the duration of a call; a caller beyond n_callers waits for it.
class Recommender::Lease {
 public:
  explicit Lease(const Recommender& owner) : owner_(owner) {
    std::unique_lock lock(owner_.mutex_);
    owner_.returned_.wait(lock, [&] { return !owner_.free_.empty(); });
    memory_ = std::move(owner_.free_.back());
    owner_.free_.pop_back();
  }
  ~Lease() {
    {
      const std::lock_guard lock(owner_.mutex_);
      owner_.free_.push_back(std::move(memory_));
    }
    owner_.returned_.notify_one();
  }
  CallMemory* operator->() const { return memory_.get(); }
  CallMemory& operator*() const { return *memory_; }

 private:
  const Recommender& owner_;
  std::unique_ptr<CallMemory> memory_;
};

Recommender::Recommender(std::shared_ptr<const Model> model, RecommenderOptions options)
    : scorer_(make_scorer(std::move(model))), options_(options) {
  if (options_.max_k < 1 || options_.max_k > int64_t{1} << 24)
    throw invalid_argument("max_k", "must be between 1 and 16777216, got ", options_.max_k);
  if (options_.n_callers < 1 || options_.n_callers > 4096)
    throw invalid_argument("n_callers", "must be between 1 and 4096, got ", options_.n_callers);
  if (options_.exclude_seen && !this->model().catalog->has_user_data)
    throw argument_error(REC_UNSUPPORTED, "exclude_seen",
                         "the model was saved without user data, so it does not know what users have seen");
  for (int i = 0; i < options_.n_callers; ++i) free_.push_back(std::make_unique<CallMemory>());
}

Recommender::~Recommender() = default;

void Recommender::check_k(int64_t k) const {
  if (k < 1) throw invalid_argument("k", "must be >= 1, got ", k);
  if (k > options_.max_k)
    throw invalid_argument("k", "must be at most max_k of the recommender, which is ", options_.max_k);
}

void Recommender::check_times(const Request& request) const {
  if (request.history_offsets != nullptr && request.history_times == nullptr &&
      scorer_->wants_query_column(REC_COLUMN_HISTORY_TIME))
    throw invalid_argument("history_times", "must be given: model '", model().name, "' looks at the histories' times");
}

// Writes the status of each row. A strict recommender throws at the first row that is not OK.
void Recommender::write_status(std::span<const rec_status_t> status, const char* argument, const char* why,
                               rec_status_t* out_status) const {
  for (size_t q = 0; q < status.size(); ++q) {
    if (out_status != nullptr) out_status[q] = status[q];
    if (status[q] != REC_OK && options_.strict)
      throw argument_error(status[q], argument, "row ", q, " is unknown to the model", why);
  }
}

void Recommender::top_k(const Request& request, int64_t* out_rows, float* out_scores, rec_status_t* out_status) const {
  check_k(request.k);
  check_times(request);
  const Lease memory(*this);
  memory->request.read(request, *model().catalog);
  const int64_t n = request.users.size(), k = request.k;
  memory->status.resize(n);
  if (out_scores == nullptr) memory->scores.resize(Scorer::kQueries * k);
  for (int64_t begin = 0; begin < n; begin += Scorer::kQueries) {
    int64_t* rows = out_rows + begin * k;
    float* scores = out_scores != nullptr ? out_scores + begin * k : memory->scores.data();
    if (request.has_candidates)
      top_k_of_candidates(request, begin, rows, scores, *memory);
    else
      top_k_of_all(request, begin, rows, scores, *memory);
  }
  write_status(memory->status, "users",
               scorer_->answers_unknown_users() ? " and has no history" : ", which answers only users that it knows",
               out_status);
}

// The items that each user of a block has seen, ascending: from the model file, also those that were held out of training,
// and from the given history.
void Recommender::find_seen(const Queries& queries, CallMemory& memory) const {
  const Catalog& catalog = *model().catalog;
  memory.seen_offsets.assign(1, 0);
  memory.seen.clear();
  for (int64_t q = 0; q < queries.n; ++q) {
    const auto begin = std::ssize(memory.seen);
    const auto add = [&](std::span<const int32_t> items) {
      memory.seen.insert(memory.seen.end(), items.begin(), items.end());
      return !items.empty();
    };
    bool sorted = true;
    if (const int32_t user = queries.user(q); user >= 0) {
      add(catalog.seen.row(user));
      if (!catalog.held_out.offsets.empty() && add(catalog.held_out.row(user))) sorted = false;
    }
    if (add(queries.given_history(q))) sorted = false;
    if (!sorted) {
      std::sort(memory.seen.begin() + begin, memory.seen.end());
      memory.seen.erase(std::unique(memory.seen.begin() + begin, memory.seen.end()), memory.seen.end());
    }
    memory.seen_offsets.push_back(std::ssize(memory.seen));
  }
}

// What the request denies and what the model cannot speak of.
const uint8_t* Recommender::denied(const uint8_t* deny, CallMemory& memory) const {
  const std::vector<uint8_t>& untrained = model().untrained;
  if (untrained.empty()) return deny;
  if (deny == nullptr) return untrained.data();
  memory.denied.resize(untrained.size());
  std::ranges::transform(untrained, std::span(deny, untrained.size()), memory.denied.begin(), std::bit_or());
  return memory.denied.data();
}

void Recommender::top_k_of_all(const Request& request, int64_t begin, int64_t* rows, float* scores,
                               CallMemory& memory) const {
  const Queries queries = memory.request.queries().block(begin, Scorer::kQueries);
  kernels::ItemFilter filter;
  filter.allow = request.allow;
  filter.deny = denied(request.deny, memory);
  if (options_.exclude_seen) {
    find_seen(queries, memory);
    filter.exclude_offsets = memory.seen_offsets.data();
    filter.exclude_rows = memory.seen.data();
  }
  scorer_->top_k(queries, filter, request.k, rows, scores, memory.status.data() + begin, memory.scoring);
}

// Ranks only the given candidates, each once, by (score descending, row ascending).
void Recommender::top_k_of_candidates(const Request& request, int64_t begin, int64_t* rows, float* scores,
                                      CallMemory& memory) const {
  const Queries queries = memory.request.queries().block(begin, Scorer::kQueries);
  const int64_t k = request.k, *offsets = memory.request.candidate_offsets() + begin;
  memory.candidate_scores.resize(offsets[queries.n]);
  scorer_->candidate_scores(queries, offsets, memory.request.candidates(), memory.candidate_scores.data(),
                            memory.status.data() + begin, memory.scoring);
  if (options_.exclude_seen) find_seen(queries, memory);
  for (int64_t q = 0; q < queries.n; ++q, rows += k, scores += k) {
    memory.ranked.clear();
    for (int64_t e = offsets[q]; e < offsets[q + 1]; ++e) {
      const int32_t item = memory.request.candidates()[e];
      const float score = memory.candidate_scores[e];
      if (score > kNone && request.allows(item) && !(options_.exclude_seen && memory.has_seen(q, item)))
        memory.ranked.emplace_back(score, item);
    }
    std::sort(memory.ranked.begin(), memory.ranked.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    memory.ranked.erase(std::unique(memory.ranked.begin(), memory.ranked.end()), memory.ranked.end());
    for (int64_t i = 0; i < k; ++i) {
      const bool there = i < std::ssize(memory.ranked);
      rows[i] = there ? memory.ranked[i].second : REC_NO_ROW;
      scores[i] = there ? memory.ranked[i].first : kNone;
    }
  }
}

void Recommender::score(const Request& request, float* out_scores, rec_status_t* out_status) const {
  check_times(request);
  const Lease memory(*this);
  memory->request.read(request, *model().catalog);
  const int64_t n = request.users.size();
  memory->status.resize(n);
  for (int64_t begin = 0; begin < n; begin += Scorer::kQueries)
    scorer_->candidate_scores(memory->request.queries().block(begin, Scorer::kQueries),
                              memory->request.candidate_offsets() + begin, memory->request.candidates(), out_scores,
                              memory->status.data() + begin, memory->scoring);
  write_status(memory->status, "users",
               scorer_->answers_unknown_users() ? " and has no history" : ", which answers only users that it knows",
               out_status);
}

void Recommender::similar(Entity entity, const IdList& given, const kernels::ItemFilter& filter, int64_t k,
                          int64_t* out_rows, float* out_scores, rec_status_t* out_status) const {
  check_k(k);
  const Lease memory(*this);
  memory->status.clear();
  if (out_scores == nullptr) memory->scores.resize(k);
  const bool of_users = entity == Entity::kUser;
  kernels::ItemFilter left = filter;
  if (!of_users) left.deny = denied(filter.deny, *memory);
  for (int64_t q = 0; q < given.size(); ++q) {
    int32_t row = given.row(q, of_users ? model().catalog->users : model().catalog->items);
    if (!of_users && row >= 0 && model().is_untrained(row)) row = -1;
    memory->status.push_back(row < 0 ? REC_NOT_FOUND : REC_OK);
    scorer_->similar(entity, row, left, k, out_rows + q * k,
                     out_scores != nullptr ? out_scores + q * k : memory->scores.data(), memory->scoring);
  }
  write_status(memory->status, of_users ? "users" : "items", "", out_status);
}

}  // namespace rec
