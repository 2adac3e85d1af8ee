#include "core/data/columns.h"

#include <cmath>
#include <string_view>

#include "core/base/text.h"
#include "core/data/dataset_builder.h"

namespace rec {

namespace {

Error bad_row(const char* column, int64_t row, const std::string& what) {
  return argument_error(REC_INVALID_DATA, column, "row ", row, ": ", what);
}

std::string_view bytes_of(const rec_ids_t& ids, int64_t i) {
  const int64_t length = ids.offsets[i + 1] - ids.offsets[i];
  return length == 0 ? std::string_view() : std::string_view(ids.bytes + ids.offsets[i], length);
}

const rec_ids_t& required(const rec_ids_t* ids, const char* name) {
  if (ids == nullptr) throw invalid_argument(name, "must not be NULL");
  check_ids(*ids, name);
  return *ids;
}

Part part_of(const rec_columns_t& columns, int64_t row) {
  if (columns.parts == nullptr) return Part::kTrain;
  const int32_t part = columns.parts[row];
  if (part < REC_PART_TRAIN || part > REC_PART_TEST) throw bad_row("parts", row, cat(part, " is not one of REC_PART_"));
  return static_cast<Part>(part);
}

float weight_of(const rec_columns_t& columns, int64_t row) {
  if (columns.weights == nullptr) return 0;
  const float weight = columns.weights[row];
  if (!std::isfinite(weight)) throw bad_row("weights", row, cat(weight, " is not finite"));
  return weight;
}

Shown shown_of(const rec_columns_t& columns, int64_t row) {
  Shown shown;
  if (columns.labels == nullptr) return shown;
  shown.label = columns.labels[row];
  if (shown.label != 0 && shown.label != 1) throw bad_row("labels", row, cat(shown.label, " is neither 0 nor 1"));
  if (columns.impressions != nullptr)
    shown.impression_key = columns.impressions[row];
  else if (columns.times != nullptr)
    shown.impression_key = Moment(columns.times[row]).key();
  return shown;
}

// Calls use(user id, item id) of row i, each with its list's type.
template <class Use>
void with_ids(const rec_ids_t& users, const rec_ids_t& items, int64_t i, const Use& use) {
  const bool text_user = users.type == REC_ID_BYTES, text_item = items.type == REC_ID_BYTES;
  if (text_user && text_item)
    use(bytes_of(users, i), bytes_of(items, i));
  else if (text_user)
    use(bytes_of(users, i), items.i64[i]);
  else if (text_item)
    use(users.i64[i], bytes_of(items, i));
  else
    use(users.i64[i], items.i64[i]);
}

const char* type_in_words(int32_t id_type) { return id_type == REC_ID_BYTES ? "text" : "int64"; }

// Ids that need no row.
void add_ids(const rec_ids_t* more, const rec_ids_t& ids, const char* name, IdColumn& column) {
  if (more == nullptr) return;
  required(more, name);
  if (more->type != ids.type)
    throw invalid_argument(name, "must be ", type_in_words(ids.type), " as the rows' ids are, got ",
                           type_in_words(more->type));
  for (int64_t i = 0; i < more->n; ++i)
    column.add(ids.type == REC_ID_BYTES ? column.key(bytes_of(*more, i)) : column.key(more->i64[i]));
}

void add_titles(const rec_columns_t& columns, const rec_ids_t& items, DatasetBuilder& builder) {
  if (columns.title_items == nullptr && columns.titles == nullptr) return;
  const rec_ids_t& title_items = required(columns.title_items, "title_items");
  const rec_ids_t& titles = required(columns.titles, "titles");
  if (titles.type != REC_ID_BYTES) throw invalid_argument("titles", "must be REC_ID_BYTES, got type ", titles.type);
  if (title_items.type != items.type)
    throw invalid_argument("title_items", "must be ", type_in_words(items.type), " as items are, got ",
                           type_in_words(title_items.type));
  if (title_items.n != titles.n)
    throw invalid_argument("titles", "must have as many elements as title_items, ", title_items.n, ", got ", titles.n);
  for (int64_t i = 0; i < titles.n; ++i) {
    const std::string_view title = bytes_of(titles, i);
    if (const auto offset = invalid_utf8(title))
      throw bad_row("titles", i, cat("'", printable(title), "' is not UTF-8 at byte ", *offset));
    if (items.type == REC_ID_BYTES)
      builder.set_title(bytes_of(title_items, i), title);
    else
      builder.set_title(title_items.i64[i], title);
  }
}

}  // namespace

void check_ids(const rec_ids_t& ids, const char* name) {
  if (ids.n < 0) throw invalid_argument(name, "n must be >= 0, got ", ids.n);
  if (ids.type == REC_ID_INT64) {
    if (ids.n > 0 && ids.i64 == nullptr) throw invalid_argument(name, "i64 must not be NULL");
    return;
  }
  if (ids.type != REC_ID_BYTES)
    throw invalid_argument(name, "type must be REC_ID_INT64 (1) or REC_ID_BYTES (2), got ", ids.type);
  if (ids.n == 0) return;
  if (ids.offsets == nullptr) throw invalid_argument(name, "offsets must not be NULL");
  if (ids.offsets[0] < 0) throw invalid_argument(name, "offsets must start at 0 or above, got ", ids.offsets[0]);
  for (int64_t i = 0; i < ids.n; ++i)
    if (ids.offsets[i + 1] < ids.offsets[i])
      throw invalid_argument(name, "offsets must not fall, but offsets[", i + 1, "] is ", ids.offsets[i + 1], " after ",
                             ids.offsets[i]);
  if (ids.offsets[ids.n] > ids.offsets[0] && ids.bytes == nullptr)
    throw invalid_argument(name, "bytes must not be NULL");
  if (ids.offsets[ids.n] > ids.n_bytes)
    throw invalid_argument(name, "offsets must end within the ", ids.n_bytes, " bytes (n_bytes), but offsets[", ids.n,
                           "] is ", ids.offsets[ids.n]);
}

void check_offsets(const int64_t* offsets, int64_t n_offsets, int64_t n_elements, const char* name) {
  if (offsets == nullptr) throw invalid_argument(name, "must not be NULL");
  if (n_offsets < 1) throw invalid_argument(name, "must have at least one element, got ", n_offsets);
  const int64_t last = offsets[n_offsets - 1];
  if (offsets[0] != 0 || last != n_elements)
    throw invalid_argument(name, "must go from 0 to ", n_elements, ", got ", offsets[0], " to ", last);
  for (int64_t i = 1; i < n_offsets; ++i)
    if (offsets[i] < offsets[i - 1])
      throw invalid_argument(name, "must not decrease, but element ", i, " is ", offsets[i], " after ", offsets[i - 1]);
}

Dataset dataset_from_columns(const rec_columns_t& columns, const CancelToken* cancel) {
  const rec_ids_t& users = required(columns.users, "users");
  const rec_ids_t& items = required(columns.items, "items");
  const auto check_length = [&](const char* name, const void* column, int64_t n) {
    if (column != nullptr && n != users.n)
      throw invalid_argument(name, "must have as many elements as users, ", users.n, ", got ", n);
  };
  check_length("items", &items, items.n);
  if (users.n == 0) throw argument_error(REC_INVALID_DATA, "users", "there are no interactions");
  check_length("times", columns.times, columns.n_times);
  check_length("weights", columns.weights, columns.n_weights);
  check_length("parts", columns.parts, columns.n_parts);
  check_length("labels", columns.labels, columns.n_labels);
  check_length("impressions", columns.impressions, columns.n_impressions);
  if (columns.memory_limit_bytes < 0)
    throw invalid_argument("memory_limit_bytes", "must be >= 0, got ", columns.memory_limit_bytes);

  if (columns.time_unit < REC_TIME_AUTO || columns.time_unit > REC_TIME_NANOSECONDS)
    throw invalid_argument("time_unit", "must be one of REC_TIME_, got ", columns.time_unit);

  DatasetBuilder builder(users.type, items.type, columns.memory_limit_bytes, cancel, columns.time_unit);
  const bool has_labels = columns.labels != nullptr;
  if (columns.impressions != nullptr && !has_labels)
    throw invalid_argument("impressions", "need labels: only labelled rows form lists");
  builder.declare({columns.times != nullptr, columns.weights != nullptr, has_labels,
                   has_labels && (columns.impressions != nullptr || columns.times != nullptr)});
  for (int64_t i = 0; i < users.n; ++i) {
    const Part part = part_of(columns, i);
    const float weight = weight_of(columns, i);
    const Moment time = columns.times == nullptr ? 0 : columns.times[i];
    const Shown shown = shown_of(columns, i);
    with_ids(users, items, i, [&](auto user, auto item) { builder.add(user, item, time, weight, part, shown); });
  }
  add_ids(columns.more_users, users, "more_users", builder.users());
  add_ids(columns.more_items, items, "more_items", builder.items());
  add_titles(columns, items, builder);
  Dataset dataset = builder.finish();
  dataset.format = "memory";
  dataset.has_parts = columns.parts != nullptr;
  return dataset;
}

}  // namespace rec
