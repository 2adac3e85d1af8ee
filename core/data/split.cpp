#include "core/data/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/rng.h"

namespace rec {

namespace {

void check_ratios(const SplitOptions& options) {
  const auto check = [](const char* name, double ratio) {
    if (!(ratio >= 0 && ratio <= 1)) throw invalid_argument(name, "must be within 0 .. 1, got ", ratio);
  };
  check("train_ratio", options.train_ratio);
  check("valid_ratio", options.valid_ratio);
  check("test_ratio", options.test_ratio);
  const double sum = options.train_ratio + options.valid_ratio + options.test_ratio;
  if (std::abs(sum - 1) > 1e-6) throw invalid_argument("train_ratio", "the three ratios must sum to 1, got ", sum);
  if (options.train_ratio == 0) throw invalid_argument("train_ratio", "must be above 0");
}

// Interactions grouped by user, in input order within a group.
struct ByUser {
  Buffer<int64_t> offsets, order;
};

ByUser group_by_user(const Dataset& dataset) {
  ByUser out{Buffer<int64_t>(dataset.n_users() + 1), Buffer<int64_t>::uninitialized(dataset.n())};
  for (int32_t user : dataset.user) ++out.offsets[user + 1];
  for (int64_t u = 0; u < dataset.n_users(); ++u) out.offsets[u + 1] += out.offsets[u];
  Buffer<int64_t> cursor = out.offsets.copy();
  for (int64_t i = 0; i < dataset.n(); ++i) out.order[cursor[dataset.user[i]]++] = i;
  return out;
}

// The first counts.train of the order are train, then valid, then test.
void assign(const int64_t* order, const PartCounts& counts, Buffer<Part>& part) {
  for (int64_t i = 0; i < counts.train + counts.valid + counts.test; ++i)
    part[order[i]] = i < counts.train ? Part::kTrain : i < counts.train + counts.valid ? Part::kValid : Part::kTest;
}

PartCounts counts_for(int64_t n, const SplitOptions& options) {
  const double sum = options.train_ratio + options.valid_ratio + options.test_ratio;
  return recbole_split_counts(n, options.valid_ratio / sum, options.test_ratio / sum);
}

void split_ratio(const Dataset& dataset, const SplitOptions& options, const CancelToken* cancel, Buffer<Part>& part) {
  ByUser users = group_by_user(dataset);
  for (int64_t u = 0; u < dataset.n_users(); ++u) {
    throw_if_cancelled(cancel);
    int64_t* order = users.order.data() + users.offsets[u];
    const int64_t n = users.offsets[u + 1] - users.offsets[u];
    shuffle(order, n, Rng(options.seed, RngStream::kSplit, 0, static_cast<uint64_t>(u)));
    assign(order, counts_for(n, options), part);
  }
}

void split_leave_one_out(const Dataset& dataset, const CancelToken* cancel, Buffer<Part>& part) {
  ByUser users = group_by_user(dataset);
  const int64_t* time = dataset.time.empty() ? nullptr : dataset.time.data();
  for (int64_t u = 0; u < dataset.n_users(); ++u) {
    throw_if_cancelled(cancel);
    int64_t* begin = users.order.data() + users.offsets[u];
    const int64_t n = users.offsets[u + 1] - users.offsets[u];
    if (time != nullptr)
      std::sort(begin, begin + n,
                [time](int64_t a, int64_t b) { return time[a] != time[b] ? time[a] < time[b] : a < b; });
    const PartCounts counts{std::max<int64_t>(n - 2, std::min<int64_t>(n, 1)), n > 2 ? 1 : 0, n > 1 ? 1 : 0};
    assign(begin, counts, part);
  }
}

// Splits whole groups by the time of their last event; groups without events are ignored.
void split_session(const Dataset& dataset, const SplitOptions& options, Buffer<Part>& part) {
  Buffer<int64_t> last(dataset.n_users(), INT64_MIN);
  Buffer<char> seen(dataset.n_users(), 0);
  for (int64_t i = 0; i < dataset.n(); ++i) {
    last[dataset.user[i]] = std::max(last[dataset.user[i]], dataset.time[i]);
    seen[dataset.user[i]] = 1;
  }
  std::vector<int64_t> users;
  for (int64_t u = 0; u < dataset.n_users(); ++u)
    if (seen[u]) users.push_back(u);
  std::sort(users.begin(), users.end(),
            [&](int64_t a, int64_t b) { return last[a] != last[b] ? last[a] < last[b] : a < b; });
  Buffer<Part> of_user(dataset.n_users(), Part::kTrain);
  assign(users.data(), counts_for(std::ssize(users), options), of_user);
  for (int64_t i = 0; i < dataset.n(); ++i) part[i] = of_user[dataset.user[i]];
}

void split_all(const Dataset& dataset, const SplitOptions& options, const CancelToken* cancel, Buffer<Part>& part) {
  auto order = Buffer<int64_t>::uninitialized(dataset.n());
  std::iota(order.begin(), order.end(), int64_t{0});
  if (options.kind == REC_SPLIT_TEMPORAL) {
    const int64_t* time = dataset.time.data();
    CancelCheck check(cancel);
    std::sort(order.begin(), order.end(), [&check, time](int64_t a, int64_t b) {
      check();
      return time[a] != time[b] ? time[a] < time[b] : a < b;
    });
  } else {
    // A stream that no user has: user rows are below 2^31.
    shuffle(order.data(), order.size(), Rng(options.seed, RngStream::kSplit, 0, UINT64_MAX));
  }
  assign(order.data(), counts_for(dataset.n(), options), part);
}

}  // namespace

PartCounts recbole_split_counts(int64_t n, double valid_ratio, double test_ratio) {
  const double valid_share = valid_ratio * static_cast<double>(n), test_share = test_ratio * static_cast<double>(n);
  PartCounts counts;
  counts.valid = static_cast<int64_t>(valid_share);
  counts.test = static_cast<int64_t>(test_share);
  counts.train = n - counts.valid - counts.test;
  const auto raise = [&counts](int64_t& part, double share) {
    if (share > 0 && share < 1 && counts.train > 1) {
      ++part;
      --counts.train;
    }
  };
  raise(counts.test, test_share);
  raise(counts.valid, valid_share);
  return counts;
}

Dataset copy_dataset(const Dataset& dataset) {
  Dataset out;
  out.users = dataset.users.copy();
  out.items = dataset.items.copy();
  out.user = dataset.user.copy();
  out.item = dataset.item.copy();
  out.time = dataset.time.copy();
  out.weight = dataset.weight.copy();
  out.part = dataset.part.copy();
  out.label = dataset.label.copy();
  out.impression = dataset.impression.copy();
  out.candidate_offsets = dataset.candidate_offsets.copy();
  out.candidates = dataset.candidates.copy();
  out.title_offsets = dataset.title_offsets.copy();
  out.title_bytes = dataset.title_bytes.copy();
  for (const Relation& relation : dataset.relations) out.relations.push_back(relation.copy());
  for (const Feature& feature : dataset.user_features) out.user_features.push_back(feature.copy());
  for (const Feature& feature : dataset.item_features) out.item_features.push_back(feature.copy());
  out.format = dataset.format;
  out.source = dataset.source;
  out.n_skipped = dataset.n_skipped;
  out.n_missing = dataset.n_missing;
  out.has_parts = dataset.has_parts;
  out.read_as = dataset.read_as;
  out.notes = dataset.notes;
  return out;
}

Dataset split_dataset(const Dataset& dataset, const SplitOptions& options, const CancelToken* cancel) {
  if (options.kind < REC_SPLIT_RATIO || options.kind > REC_SPLIT_RATIO_GLOBAL)
    throw invalid_argument("kind", "must be one of REC_SPLIT_, got ", options.kind);
  if (options.kind != REC_SPLIT_LEAVE_ONE_OUT) check_ratios(options);
  const bool by_time = options.kind == REC_SPLIT_TEMPORAL || options.kind == REC_SPLIT_SESSION;
  if (by_time && dataset.time.empty())
    throw argument_error(REC_INVALID_DATA, "kind", "a split by time needs times, and the data set has none");
  Dataset out = copy_dataset(dataset);
  out.has_parts = true;
  throw_if_cancelled(cancel);
  if (options.kind == REC_SPLIT_RATIO)
    split_ratio(dataset, options, cancel, out.part);
  else if (options.kind == REC_SPLIT_LEAVE_ONE_OUT)
    split_leave_one_out(dataset, cancel, out.part);
  else if (options.kind == REC_SPLIT_SESSION)
    split_session(dataset, options, out.part);
  else
    split_all(dataset, options, cancel, out.part);
  return out;
}

}  // namespace rec
