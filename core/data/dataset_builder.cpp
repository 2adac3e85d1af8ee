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

const char* unit_name(int32_t unit) {
  switch (unit) {
    case REC_TIME_SECONDS: return "seconds";
    case REC_TIME_MILLISECONDS: return "milliseconds";
    case REC_TIME_MICROSECONDS: return "microseconds";
    case REC_TIME_NANOSECONDS: return "nanoseconds";
    default: return "dates";
  }
}

std::string quoted_id(const IdMap& ids, int64_t row) { return cat("'", printable(ids.text_at(row)), "'"); }

// For an id such as 007: whether the column also has the id 7.
bool is_beside_its_number(const IdMap& ids, std::string_view id) {
  if (!looks_like_integer(id) || parse_int64(id)) return false;
  const bool is_negative = id.front() == '-';
  if (is_negative || id.front() == '+') id.remove_prefix(1);
  id.remove_prefix(std::min(id.find_first_not_of('0'), id.size() - 1));
  return ids.find(std::string_view(cat(is_negative ? "-" : "", id))) >= 0;
}

// Ids such as 12.0, which tools make of numbers, are not the ids that the numbers are.
void note_odd_numbers(const IdMap& ids, const char* of, std::vector<std::string>& notes) {
  if (ids.type() != REC_ID_BYTES) return;
  int64_t n = 0, first = -1;
  for (int64_t row = 0; row < ids.size(); ++row) {
    const std::string_view id = ids.bytes_at(row);
    const auto number = parse_int64(id) ? std::nullopt : parse_double(id);
    const bool is_other = number && *number == std::trunc(*number) && !looks_like_integer(id);
    if (!is_other && !is_beside_its_number(ids, id)) continue;
    if (n++ == 0) first = row;
  }
  if (n > 0)
    notes.push_back(cat(n, " ids of ", of, ", such as ", quoted_id(ids, first),
                        ", are whole numbers written otherwise, and so "
                        "are not the ids that these numbers are"));
}

// What a misread column looks like.
void add_notes(Dataset& data) {
  if (!data.time.empty()) {
    constexpr int64_t k1990 = 631152000, k2100 = 4102444800;
    const auto [first, last] = std::minmax_element(data.time.begin(), data.time.end());
    if (*first < k1990 || *last >= k2100)
      data.notes.push_back(cat("the times go from ", date_text(*first), " to ", date_text(*last),
                               " UTC; if they are something else, give their unit or format"));
  }
  if (!data.weight.empty()) {
    const auto [least, most] = std::minmax_element(data.weight.begin(), data.weight.end());
    const float largest = std::max(std::abs(*least), std::abs(*most));
    if (largest > 1e8f)
      data.notes.push_back(cat("weights go up to ", largest, ", as times and ids do; are they weights?"));
  }
  const auto n_negative =
      std::count_if(data.weight.begin(), data.weight.end(), [](float weight) { return weight <= 0; });
  if (n_negative > 0 && data.label.empty())
    data.notes.push_back(
        cat(n_negative,
            " rows have a weight of 0 or below; they are positives like the others, unless the minimum "
            "weight leaves them out or the column is the label"));
  note_odd_numbers(data.users, "users", data.notes);
  note_odd_numbers(data.items, "items", data.notes);
  if (data.n() >= 20) {
    std::vector<int64_t> counts(data.n_users());
    for (int32_t user : data.user) ++counts[user];
    const auto most = std::max_element(counts.begin(), counts.end());
    if (data.n_users() > 1 && *most * 2 > data.n())
      data.notes.push_back(cat("user ", quoted_id(data.users, most - counts.begin()), " has ", *most, " of the ",
                               data.n(), " rows; is it somebody, or a word for nobody?"));
  }
}

}  // namespace

DatasetBuilder::DatasetBuilder(int32_t user_id_type, int32_t item_id_type, int64_t memory_limit_bytes,
                               const CancelToken* cancel, int32_t time_unit)
    : budget_(memory_limit_bytes),
      cancel_(cancel),
      users_("user_id", user_id_type, &budget_),
      items_("item_id", item_id_type, &budget_),
      impression_ids_("impression_id", REC_ID_BYTES, &budget_),
      time_(time_unit) {}

// Once per block: charges the memory of the next rows, and stops if the caller has cancelled.
void DatasetBuilder::reserve_block() {
  throw_if_cancelled(cancel_);
  // An impression takes its key and, when lists are numbered, two orders of rows and its number.
  const int64_t row = 9 + (columns_.time ? 8 : 0) + (columns_.weight ? 4 : 0) + (columns_.label ? 4 : 0) +
                      (columns_.impression ? 28 : 0);
  budget_.charge(kBlock * row, "interactions");
  charged_rows_ += kBlock;
}

void DatasetBuilder::push(const IdColumn::Key& user, const IdColumn::Key& item, const Moment& time, float weight,
                          Part part, const Shown& shown) {
  if (n() == charged_rows_) reserve_block();
  user_.push_back(users_.add(user));
  item_.push_back(items_.add(item));
  if (columns_.time) time_.add(time);
  if (columns_.weight) weight_.push_back(weight);
  if (columns_.label) label_.push_back(shown.label);
  if (columns_.impression) impression_key_.push_back(shown.impression_key);
  part_.push_back(part);
}

void DatasetBuilder::add(const RowBlock& block, Part part) {
  while (charged_rows_ < n() + std::ssize(block.user)) reserve_block();
  std::vector<int32_t> row_of;
  const auto append = [&](const IdColumn& ids, const std::vector<int32_t>& rows, IdColumn& all,
                          std::vector<int32_t>& out) {
    row_of.resize(ids.size());
    constexpr int64_t kAhead = 24;
    for (int32_t row = 0; row < std::ssize(row_of); ++row) {
      if (row + kAhead < std::ssize(row_of)) all.prefetch(all.key(ids, static_cast<int32_t>(row + kAhead)));
      row_of[row] = all.add(all.key(ids, row));
    }
    for (int32_t row : rows) out.push_back(row_of[row]);
  };
  append(block.users, block.user, users_, user_);
  append(block.items, block.item, items_, item_);
  for (const Moment& time : block.time) time_.add(time);
  weight_.insert(weight_.end(), block.weight.begin(), block.weight.end());
  part_.insert(part_.end(), block.user.size(), part);
}

void DatasetBuilder::expect(int64_t n) {
  user_.reserve(n);
  item_.reserve(n);
  if (columns_.time) time_.reserve(n);
  if (columns_.weight) weight_.reserve(n);
  part_.reserve(n);
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
  CancelCheck check(cancel_);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    check();
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

// Times in seconds, and the rows of one second in the order of their fractions.
void DatasetBuilder::finish_times(Dataset& out) {
  if (!columns_.time) return;
  out.read_as.emplace_back("times", unit_name(time_.unit()));
  budget_.charge(time_.bytes_to_finish(), "the order of times within a second");
  MomentColumn::Seconds seconds = time_.finish(user_, users_.size());
  out.time = std::move(seconds.of_row);
  if (!seconds.order.empty()) reorder(seconds.order);
}

// Row i becomes what row order[i] was. Only rows of one user and one second change their places.
void DatasetBuilder::reorder(std::span<const int64_t> order) {
  const auto reordered = [&](auto& column) {
    if (column.empty()) return;
    auto old = column;
    for (size_t i = 0; i < order.size(); ++i) column[i] = old[order[i]];
  };
  reordered(item_);
  reordered(weight_);
  reordered(label_);
  reordered(part_);
  reordered(impression_key_);
  if (candidate_rows_.empty()) return;
  // Where each row's list is, then the lists in the new order of rows.
  constexpr int64_t kNone = -1;
  std::vector<int64_t> list_of(order.size(), kNone), rows, ends;
  for (size_t l = 0; l < candidate_rows_.size(); ++l) list_of[candidate_rows_[l]] = static_cast<int64_t>(l);
  std::vector<int32_t> candidates;
  candidates.reserve(candidates_.size());
  for (size_t row = 0; row < order.size(); ++row) {
    const int64_t list = list_of[order[row]];
    if (list == kNone) continue;
    candidates.insert(candidates.end(), candidates_.begin() + (list == 0 ? 0 : candidate_ends_[list - 1]),
                      candidates_.begin() + candidate_ends_[list]);
    rows.push_back(static_cast<int64_t>(row));
    ends.push_back(std::ssize(candidates));
  }
  candidates_ = std::move(candidates);
  candidate_rows_ = std::move(rows);
  candidate_ends_ = std::move(ends);
}

Dataset DatasetBuilder::finish() {
  if (n() == 0) throw Error(REC_INVALID_DATA, "there are no interactions");
  Dataset out;
  finish_times(out);
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
  out.weight = take(weight_);
  out.label = take(label_);
  out.part = take(part_);
  out.user_features = user_features_.finish();
  out.item_features = item_features_.finish();
  throw_if_cancelled(cancel_);
  out.users = users_.finish(cancel_);
  out.items = items_.finish(cancel_);
  add_notes(out);
  return out;
}

}  // namespace rec
