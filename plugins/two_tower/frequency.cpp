#include "plugins/two_tower/frequency.h"

namespace rec::two_tower {

FrequencyEstimator::FrequencyEstimator(const FrequencyOptions& options, int64_t n_items)
    : options_(options),
      n_hashes_(std::max<int64_t>(1, std::ssize(options.hashes))),
      n_slots_(options.hashes.empty() ? n_items : options.n_slots) {
  const int64_t size = n_hashes_ * n_slots_;
  last_seen_.resize(size);
  gap_.assign(size, options.b_init);
  update_of_.assign(size, -1);
}

int64_t FrequencyEstimator::slot(size_t hash, int64_t item) const {
  if (options_.hashes.empty()) return item;
  const auto [a, c] = options_.hashes[hash];
  return (a * item + c) % 2147483647 % n_slots_;
}

// gap = (1 - alpha) gap + alpha (t - last seen)
void FrequencyEstimator::observe(const int32_t* items, int64_t n, double* out_probabilities) {
  for (const Update& update : pending_) update_of_[update.at] = -1;
  pending_.clear();
  const int64_t t = step_ + 1;
  const auto places = [&](int64_t item, auto body) {
    for (int64_t k = 0; k < n_hashes_; ++k) body(k * n_slots_ + slot(k, item));
  };
  for (int64_t b = 0; b < n; ++b)
    places(items[b], [&](size_t at) {
      int32_t& update = update_of_[at];
      if (update < 0) {
        update = static_cast<int32_t>(pending_.size());
        pending_.push_back(
            {at, (1 - options_.alpha) * gap_[at] + options_.alpha * static_cast<double>(t - last_seen_[at])});
      } else if (!options_.dedup) {  // a second time in the same step: a gap of 0
        pending_[update].gap *= 1 - options_.alpha;
      }
    });
  for (int64_t b = 0; b < n; ++b) {
    double largest = 1;
    places(items[b], [&](size_t at) { largest = std::max(largest, pending_[update_of_[at]].gap); });
    out_probabilities[b] = 1 / largest;
  }
}

void FrequencyEstimator::commit() {
  ++step_;
  for (const Update& update : pending_) {
    gap_[update.at] = update.gap;
    last_seen_[update.at] = step_;
    update_of_[update.at] = -1;
  }
  pending_.clear();
}

void FrequencyEstimator::append_tensors(std::vector<plugin::TensorRef>& out) {
  out.push_back({"frequency.step", REC_DTYPE_I64, REC_TENSOR_STATE, {1}, &step_, 0, plugin::kMostSteps});
  out.push_back({"frequency.last_seen",
                 REC_DTYPE_I64,
                 REC_TENSOR_STATE,
                 {n_hashes_, n_slots_},
                 last_seen_.data(),
                 0,
                 plugin::kMostSteps});
  out.push_back({"frequency.gap", REC_DTYPE_F64, REC_TENSOR_STATE, {n_hashes_, n_slots_}, gap_.data()});
}

}  // namespace rec::two_tower
