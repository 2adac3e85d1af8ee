#include "core/sampling/negatives.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/sampling/rules.h"

namespace rec {

namespace {

// After this many consecutive draws from the user's own set, the sampler draws from the complement instead.
constexpr int kMaxRedraws = 32;
// With eight bits per positive, one draw in eight goes on to the binary search.
constexpr int64_t kFilterBits = 8;

uint32_t hash(int32_t item) { return static_cast<uint32_t>(item) * 0x9E3779B1u; }

}  // namespace

NegativeSampler::NegativeSampler(const Csr& positives, std::span<const int64_t> item_counts,
                                 const NegativeOptions& options)
    : positives_(positives), options_(options), n_items_(std::ssize(item_counts)) {
  if (n_items_ < 1) throw invalid_argument("sampler", "there are no items to draw from");
  if (!std::isfinite(options.alpha)) throw invalid_argument("alpha", "must be finite, got ", options.alpha);
  if (options.kind == NegativeKind::kPopularity) build_guide(item_counts);
  build_filters();
}

void NegativeSampler::build_guide(std::span<const int64_t> item_counts) {
  const std::vector<double> cdf = cdf_of(popularity_probabilities(item_counts, options_.alpha));
  if (std::none_of(item_counts.begin(), item_counts.end(), [](int64_t count) { return count > 0; }))
    throw invalid_argument("sampler", "no item has a training interaction to count");
  cdf_ = Buffer<double>(std::span<const double>(cdf));
  guide_ = Buffer<int32_t>::uninitialized(n_items_);
  for (int64_t part = 0; part < n_items_; ++part)
    guide_[part] = draw_from_cdf(cdf, static_cast<double>(part) / static_cast<double>(n_items_));
}

void NegativeSampler::build_filters() {
  filters_ = Buffer<Filter>(positives_.n_rows());
  const auto all_bits = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(n_items_, 64))));
  int64_t n_words = 0;
  for (int64_t user = 0; user < positives_.n_rows(); ++user) {
    const auto n = static_cast<int64_t>(positives_.row(user).size());
    const auto wanted =
        static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(n * kFilterBits, 64))));
    const int64_t bits = std::min(wanted, all_bits);
    filters_[user] = {n_words, 32 - std::countr_zero(static_cast<uint64_t>(bits)), bits == all_bits};
    n_words += bits / 64;
  }
  words_ = Buffer<uint64_t>(n_words);
  for (int64_t user = 0; user < positives_.n_rows(); ++user) {
    const Filter& filter = filters_[user];
    for (int32_t item : positives_.row(user)) {
      const uint32_t bit = filter.exact ? static_cast<uint32_t>(item) : hash(item) >> filter.shift;
      words_[filter.begin + bit / 64] |= uint64_t{1} << bit % 64;
    }
  }
}

bool NegativeSampler::has(int64_t user, int32_t item) const {
  const Filter& filter = filters_[user];
  const uint32_t bit = filter.exact ? static_cast<uint32_t>(item) : hash(item) >> filter.shift;
  if ((words_[filter.begin + bit / 64] >> bit % 64 & 1) == 0) return false;
  return filter.exact || positives_.row_contains(user, item);
}

int32_t NegativeSampler::draw(Rng& rng) const {
  if (cdf_.empty()) return static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(n_items_)));
  const double u = rng.next_double();
  int32_t item = guide_[static_cast<int64_t>(u * static_cast<double>(n_items_))];
  // The part's beginning may round above u by a hair.
  while (item > 0 && cdf_[item - 1] > u) --item;
  while (cdf_[item] <= u) ++item;
  return item;
}

// Draws one of the items that the user does not have.
int32_t NegativeSampler::draw_outside(Rng& rng, std::span<const int32_t> row) const {
  if (cdf_.empty()) {
    const int64_t n_outside = n_items_ - std::ssize(row);
    if (n_outside <= 0) return draw(rng);
    const auto rank = static_cast<int32_t>(rng.next_below(static_cast<uint32_t>(n_outside)));
    // row[k] - k items outside lie below row[k]: the first k where that passes rank tells how many to step over.
    size_t low = 0, high = row.size();
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (row[middle] - static_cast<int32_t>(middle) > rank)
        high = middle;
      else
        low = middle + 1;
    }
    return rank + static_cast<int32_t>(low);
  }
  const auto walk = [&](double stop) {
    double sum = 0;
    int32_t last = -1;
    auto next = row.begin();
    for (int32_t item = 0; item < n_items_; ++item) {
      if (next != row.end() && *next == item) {
        ++next;
        continue;
      }
      const double probability = cdf_[item] - (item == 0 ? 0.0 : cdf_[item - 1]);
      if (probability <= 0) continue;
      last = item;
      if ((sum += probability) > stop) break;
    }
    return std::pair{sum, last};
  };
  const auto [total, last] = walk(2.0);
  return last < 0 ? draw(rng) : walk(rng.next_double() * total).second;
}

void NegativeSampler::fill(int64_t user, int64_t row_key, int64_t epoch, int64_t n, int32_t* out) const {
  Rng rng(options_.seed, RngStream::kNegatives, static_cast<uint64_t>(epoch), static_cast<uint64_t>(row_key));
  for (int64_t k = 0; k < n; ++k) {
    int32_t item = draw(rng);
    int redraws = 0;
    while (has(user, item)) {
      if (++redraws > kMaxRedraws) {
        item = draw_outside(rng, positives_.row(user));
        break;
      }
      item = draw(rng);
    }
    out[k] = item;
  }
}

void NegativeSampler::fill_shared(int64_t epoch, int64_t batch, int64_t n, int32_t* out) const {
  Rng rng(options_.seed, RngStream::kSharedNegatives, static_cast<uint64_t>(epoch), static_cast<uint64_t>(batch));
  for (int64_t k = 0; k < n; ++k) out[k] = draw(rng);
}

}  // namespace rec
