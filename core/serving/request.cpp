#include "core/serving/request.h"

namespace rec {

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
    history_offsets_.push_back(static_cast<int64_t>(history_.size()));
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
    candidate_offsets_.push_back(static_cast<int64_t>(candidates_.size()));
  }
}

}  // namespace rec
