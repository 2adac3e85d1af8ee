#include "core/data/dataset_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "core/base/text.h"

namespace rec {

namespace {

constexpr int64_t kBlock = 1 << 16;

// Copies a vector into a Buffer and frees it at once, so that only one column at a time is in memory twice.
template <class T>
Buffer<T> take(std::vector<T>& values) {
  Buffer<T> buffer{std::span<const T>(values)};
  std::vector<T>().swap(values);
  return buffer;
}

}  // namespace

DatasetBuilder::DatasetBuilder(int32_t user_id_type, int32_t item_id_type, int64_t memory_limit_bytes,
                               const CancelToken* cancel)
    : budget_(memory_limit_bytes),
      cancel_(cancel),
      users_("user_id", user_id_type, &budget_),
      items_("item_id", item_id_type, &budget_),
      impression_ids_("impression_id", REC_ID_BYTES, &budget_) {}

// Once per block: charges the memory of the next rows, and stops if the caller has cancelled.
void DatasetBuilder::reserve_block() {
  throw_if_cancelled(cancel_);
  // An impression takes its key and, when lists are numbered, two orders of rows and its number.
  const int64_t row = 9 + (columns_.time ? 8 : 0) + (columns_.weight ? 4 : 0) + (columns_.label ? 4 : 0) +
                      (columns_.impression ? 28 : 0);
  budget_.charge(kBlock * row, "interactions");
  charged_rows_ += kBlock;
}

void DatasetBuilder::push(const IdColumn::Key& user, const IdColumn::Key& item, int64_t time, float weight, Part part,
                          const Shown& shown) {
  if (n() == charged_rows_) reserve_block();
  user_.push_back(users_.add(user));
  item_.push_back(items_.add(item));
  if (columns_.time) time_.push_back(time);
  if (columns_.weight) weight_.push_back(weight);
  if (columns_.label) label_.push_back(shown.label);
  if (columns_.impression) impression_key_.push_back(shown.impression_key);
  part_.push_back(part);
}

bool DatasetBuilder::fill_weights() {
  double sum = 0;
  int64_t n_known = 0;
  for (float weight : weight_) {
    if (std::isnan(weight)) continue;
    sum += static_cast<double>(weight);
    ++n_known;
  }
  if (n_known == std::ssize(weight_)) return true;
  if (n_known == 0) return false;
  const auto mean = static_cast<float>(sum / static_cast<double>(n_known));
  for (float& weight : weight_)
    if (std::isnan(weight)) weight = mean;
  return true;
}

void DatasetBuilder::add_candidates(int64_t row, std::span<const int64_t> items) {
  budget_.charge(std::ssize(items) * 4, "candidates");
  for (int64_t item : items) candidates_.push_back(items_.add(items_.key(item)));
  candidate_rows_.push_back(row);
  candidate_ends_.push_back(std::ssize(candidates_));
}

void DatasetBuilder::put_title(int32_t item, std::string_view title) {
  if (const auto offset = invalid_utf8(title))
    throw argument_error(REC_INVALID_DATA, "title", "'", printable(title), "' is not UTF-8 at byte ", *offset);
  if (item < 0) return;
  if (std::ssize(title_begin_) <= item) {
    const int64_t n = items_.size();
    budget_.charge((n - std::ssize(title_begin_)) * 16, "titles");
    title_begin_.resize(n, -1);
    title_end_.resize(n, -1);
  }
  if (title_begin_[item] >= 0) return;
  budget_.charge(std::ssize(title), "titles");
  title_begin_[item] = std::ssize(title_bytes_);
  title_bytes_.insert(title_bytes_.end(), title.begin(), title.end());
  title_end_[item] = std::ssize(title_bytes_);
}

size_t DatasetBuilder::add_relation(std::string name) {
  relations_.push_back({std::move(name), {}});
  return relations_.size() - 1;
}

void DatasetBuilder::relate(size_t relation, int64_t item, std::span<const int64_t> targets) {
  const int32_t head = items_.find(items_.key(item));
  if (head < 0) return;
  budget_.charge(std::ssize(targets) * 8, "relations");
  for (int64_t target : targets)
    if (const int32_t row = items_.find(items_.key(target)); row >= 0)
      relations_[relation].pairs.emplace_back(head, row);
}

void DatasetBuilder::relate_rows(size_t relation, int32_t item, int32_t target) {
  budget_.charge(8, "relations");
  relations_[relation].pairs.emplace_back(item, target);
}

// Rows of one part with equal (user, key) are one list; lists are numbered by first appearance.
Buffer<int32_t> DatasetBuilder::number_impressions() const {
  if (n() > std::numeric_limits<int32_t>::max())
    throw Error(REC_LIMIT, cat("impressions of ", n(), " rows are more than the ", std::numeric_limits<int32_t>::max(),
                               " that can be numbered"));
  const auto at = [](const auto& column, int64_t row) { return column[row]; };
  auto order = Buffer<int64_t>::uninitialized(n());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto list_of = [&](int64_t row) {
    return std::tuple(at(user_, row), at(part_, row), at(impression_key_, row));
  };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const auto x = list_of(a), y = list_of(b);
    return x != y ? x < y : a < b;
  });
  auto first_row = Buffer<int64_t>::uninitialized(n());
  for (int64_t i = 0; i < n(); ++i) {
    const bool begins = i == 0 || list_of(order[i]) != list_of(order[i - 1]);
    first_row[order[i]] = begins ? order[i] : first_row[order[i - 1]];
  }
  auto number = Buffer<int32_t>::uninitialized(n());
  int32_t next = 0;
  for (int64_t i = 0; i < n(); ++i) number[i] = first_row[i] == i ? next++ : number[first_row[i]];
  return number;
}

Dataset DatasetBuilder::finish() {
  if (n() == 0) throw Error(REC_INVALID_DATA, "there are no interactions");
  Dataset out;
  if (!candidate_rows_.empty()) {
    out.candidate_offsets = Buffer<int64_t>(n() + 1);
    for (size_t i = 0; i < candidate_rows_.size(); ++i)
      out.candidate_offsets[candidate_rows_[i] + 1] = candidate_ends_[i] - (i == 0 ? 0 : candidate_ends_[i - 1]);
    for (int64_t i = 0; i < n(); ++i) out.candidate_offsets[i + 1] += out.candidate_offsets[i];
    out.candidates = take(candidates_);
  }
  if (!title_begin_.empty()) {
    const int64_t n_items = items_.size();
    out.title_offsets = Buffer<int64_t>(n_items + 1);
    out.title_bytes = Buffer<char>::uninitialized(std::ssize(title_bytes_));
    int64_t end = 0;
    for (int64_t i = 0; i < n_items; ++i) {
      if (i < std::ssize(title_begin_) && title_begin_[i] >= 0) {
        std::copy(title_bytes_.begin() + title_begin_[i], title_bytes_.begin() + title_end_[i],
                  out.title_bytes.data() + end);
        end += title_end_[i] - title_begin_[i];
      }
      out.title_offsets[i + 1] = end;
    }
  }
  for (Pairs& relation : relations_) {
    auto& pairs = relation.pairs;
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    Relation made{std::move(relation.name), {Buffer<int64_t>(items_.size() + 1), {}}};
    made.items.columns = Buffer<int32_t>::uninitialized(std::ssize(pairs));
    for (size_t e = 0; e < pairs.size(); ++e) {
      ++made.items.offsets[pairs[e].first + 1];
      made.items.columns[static_cast<int64_t>(e)] = pairs[e].second;
    }
    for (int64_t i = 0; i < items_.size(); ++i) made.items.offsets[i + 1] += made.items.offsets[i];
    out.relations.push_back(std::move(made));
  }
  if (columns_.impression) {
    out.impression = number_impressions();
    std::vector<int64_t>().swap(impression_key_);
  }
  out.user = take(user_);
  out.item = take(item_);
  out.time = take(time_);
  out.weight = take(weight_);
  out.label = take(label_);
  out.part = take(part_);
  out.user_features = user_features_.finish();
  out.item_features = item_features_.finish();
  throw_if_cancelled(cancel_);
  out.users = users_.finish();
  out.items = items_.finish();
  return out;
}

}  // namespace rec
