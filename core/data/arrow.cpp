#include "core/data/arrow.h"

#include <cmath>
#include <optional>
#include <vector>

#include "core/base/checked.h"
#include "core/base/text.h"
#include "core/data/arrow_column.h"
#include "core/data/dataset_builder.h"
#include "core/data/rows.h"

namespace rec {

namespace {

// Holds an Arrow struct and releases it once, on the caller's thread.
template <class T>
struct Released {
  const OnCaller& on_caller;
  T value{};
  explicit Released(const OnCaller& on_caller_thread, const T& taken = {})
      : on_caller(on_caller_thread), value(taken) {}
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
  // When the caller's thread has ended, nothing can run there; an exception of the producer has nowhere to go.
  ~Released() {
    if (value.release == nullptr) return;
    bool has_begun = false;
    try {
      on_caller([&] {
        has_begun = true;
        value.release(&value);
      });
    } catch (const CallerEnded&) {
      if (!has_begun) value.release(&value);
    } catch (...) {
    }
  }
};

using Stream = Released<ArrowArrayStream>;
using Schema = Released<ArrowSchema>;
using Array = Released<ArrowArray>;

void check_call(Stream& stream, int code, const char* what) {
  if (code == 0) return;
  const char* why = stream.value.get_last_error == nullptr ? nullptr : stream.value.get_last_error(&stream.value);
  throw argument_error(REC_IO, "stream", "", what, " failed with ", code, ": ",
                       why == nullptr ? "no reason given" : printable(why));
}

Error bad_stream(const std::string& what) { return argument_error(REC_INVALID_DATA, "stream", "" + what); }

std::vector<std::string> column_names(const ArrowSchema& schema) {
  if (schema.format == nullptr || std::string_view(schema.format) != "+s")
    throw bad_stream("its schema is not a struct of columns");
  if (schema.n_children > 0 && schema.children == nullptr) throw bad_stream("its schema has no children");
  std::vector<std::string> names;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema* child = schema.children[i];
    if (child == nullptr) throw bad_stream(cat("column ", i, " has no schema"));
    names.emplace_back(child->name == nullptr ? "" : child->name);
  }
  return names;
}

bool has_null_rows(const ArrowArray& batch) {
  if (batch.null_count >= 0) return batch.null_count > 0;
  // -1: the producer did not count the nulls. Without a bitmap no row is null.
  if (batch.n_buffers < 1 || batch.buffers == nullptr || batch.buffers[0] == nullptr) return false;
  const auto* valid = static_cast<const uint8_t*>(batch.buffers[0]);
  const int64_t end = checked_add(batch.offset, batch.length);
  for (int64_t at = batch.offset; at < end; ++at)
    if ((valid[at / 8] >> (at % 8) & 1) == 0) return true;
  return false;
}

void check_batch(const ArrowSchema& schema, const ArrowArray& batch) {
  if (batch.length < 0 || batch.offset < 0) throw bad_stream("a batch has a negative length or offset");
  if (batch.n_children != schema.n_children || (batch.n_children > 0 && batch.children == nullptr))
    throw bad_stream(cat("a batch has ", batch.n_children, " columns, its schema ", schema.n_children));
}

class Reader {
 public:
  Reader(const ArrowSchema& schema, const DatasetOptions& options, const CancelToken* cancel)
      : schema_(schema),
        options_(options),
        plan_(plan_columns(column_names(schema), options)),
        builder_(id_type(options.user_id_type, plan_.user), id_type(options.item_id_type, plan_.item),
                 options.memory_limit_bytes, cancel, options.time_unit),
        sink_(options, builder_) {
    builder_.declare(plan_.optional());
    tell_columns(column_names(schema), plan_, sink_);
    if (options.part) sink_.set_has_parts();
    if (options.min_weight && plan_.weight < 0) throw invalid_argument("min_weight", "the stream has no weight column");
  }

  void read(const ArrowArray& batch) {
    check_batch(schema_, batch);
    const auto open = [&](int column, const char* name) {
      const ArrowArray* child = batch.children[column];
      if (child == nullptr) throw bad_stream(cat("column ", column, " has no array"));
      return ArrowColumn(*schema_.children[column], *child, name, batch.offset, batch.length, n_rows_);
    };
    const ArrowColumn users = open(plan_.user, "user_id"), items = open(plan_.item, "item_id");
    check_kind(users, "user_id", true);
    check_kind(items, "item_id", true);
    std::optional<ArrowColumn> times, weights, labels, impressions;
    if (plan_.time >= 0) check_kind(times.emplace(open(plan_.time, "time")), "time", false);
    if (plan_.weight >= 0) check_kind(weights.emplace(open(plan_.weight, "weight")), "weight", false);
    if (plan_.label >= 0) check_kind(labels.emplace(open(plan_.label, "label")), "label", false);
    if (plan_.impression >= 0 && plan_.impression != plan_.time)
      check_kind(impressions.emplace(open(plan_.impression, "impression_id")), "impression_id", true);
    // Not before: a bitmap is as long as the columns are.
    if (has_null_rows(batch)) throw bad_stream("a batch has null rows");
    for (int64_t i = 0; i < batch.length; ++i) {
      try {
        add(i, users, items, times, weights, shown_at(i, times, labels, impressions));
      } catch (const Error& error) {
        reject(error);
      }
    }
    n_rows_ += batch.length;
  }

  Dataset finish() {
    if (builder_.n() == 0) throw sink_.no_rows();
    Dataset dataset = builder_.finish();
    dataset.format = "arrow";
    sink_.tell(dataset);
    dataset.n_skipped = n_skipped_;
    return dataset;
  }

 private:
  int32_t id_type(int32_t wanted, int column) const {
    if (wanted != REC_ID_AUTO) return wanted;
    const ArrowSchema* schema = schema_.children[column];
    if (schema->dictionary != nullptr) schema = schema->dictionary;
    const std::string_view format = schema->format == nullptr ? "" : schema->format;
    return format == "u" || format == "U" || format == "z" || format == "Z" || format == "vu" || format == "vz"
               ? REC_ID_BYTES
               : REC_ID_INT64;
  }

  static void check_kind(const ArrowColumn& column, const char* name, bool id) {
    const auto kind = column.kind();
    const bool is_number = kind != ArrowColumn::Kind::kText && kind != ArrowColumn::Kind::kTime;
    const bool good = id ? kind == ArrowColumn::Kind::kInteger || kind == ArrowColumn::Kind::kText
                         : is_number || (std::string_view(name) == "time" && kind != ArrowColumn::Kind::kBoolean);
    if (good) return;
    throw Error(REC_INVALID_DATA, cat(name, ": a column of ", column.type_name(), " is not read; wanted are ",
                                      id                                 ? "integers or text"
                                      : std::string_view(name) == "time" ? "numbers, timestamps, dates or text"
                                                                         : "numbers"))
        .at_argument(name);
  }

  Shown shown_at(int64_t i, const std::optional<ArrowColumn>& times, const std::optional<ArrowColumn>& labels,
                 const std::optional<ArrowColumn>& impressions) {
    Shown shown;
    if (!labels) return shown;
    labels->refuse_null(i);
    const double label = labels->number_at(i);
    if (label != 0 && label != 1)
      throw argument_error(REC_INVALID_DATA, "label", "row ", n_rows_ + i, ": ", label, " is neither 0 nor 1");
    shown.label = static_cast<float>(label);
    if (impressions) {
      impressions->refuse_null(i);
      const bool text = impressions->kind() == ArrowColumn::Kind::kText;
      shown.impression_key = text ? builder_.impression_key(impressions->text_at(i)) : impressions->integer_at(i);
    } else if (times && plan_.impression >= 0) {
      times->refuse_null(i);
      shown.impression_key = times->moment_at(i, options_.time_format).key();
    }
    return shown;
  }

  void add(int64_t i, const ArrowColumn& users, const ArrowColumn& items, const std::optional<ArrowColumn>& times,
           const std::optional<ArrowColumn>& weights, const Shown& shown) {
    users.refuse_null(i);
    items.refuse_null(i);
    Moment time;
    if (times) {
      times->refuse_null(i);
      time = times->moment_at(i, options_.time_format);
    }
    float weight = 0;
    if (weights) {
      weights->refuse_null(i);
      weight = static_cast<float>(weights->number_at(i));
      if (!std::isfinite(weight))
        throw argument_error(REC_INVALID_DATA, "weight", "row ", n_rows_ + i, ": is not finite");
      if (sink_.is_light(weight)) return sink_.count_light();
    }
    const bool text_user = users.kind() == ArrowColumn::Kind::kText,
               text_item = items.kind() == ArrowColumn::Kind::kText;
    if (options_.missing && ((text_user && sink_.is_missing(users.text_at(i))) || (text_item && sink_.is_missing(items.text_at(i)))))
      return sink_.count_missing();
    const auto put = [&](auto user, auto item) {
      try {
        builder_.add(user, item, time, weight, static_cast<Part>(options_.part.value_or(REC_PART_TRAIN)), shown);
      } catch (Error& error) {
        error.message = cat("row ", n_rows_ + i, ": ", error.message);
        throw;
      }
    };
    if (text_user && text_item)
      put(users.text_at(i), items.text_at(i));
    else if (text_user)
      put(users.text_at(i), items.integer_at(i));
    else if (text_item)
      put(users.integer_at(i), items.text_at(i));
    else
      put(users.integer_at(i), items.integer_at(i));
  }

  void reject(const Error& error) {
    if (error.status != REC_INVALID_DATA || options_.bad_rows != REC_BAD_ROW_SKIP) throw error;
    const int64_t limit = options_.max_bad_rows > 0 ? options_.max_bad_rows : 1000;
    if (++n_skipped_ <= limit) return;
    Error last = error;
    last.message = cat("more than ", limit, " bad rows (max_bad_rows); the last is ", error.message);
    throw last;
  }

  const ArrowSchema& schema_;
  const DatasetOptions& options_;
  ColumnPlan plan_;
  DatasetBuilder builder_;
  RowSink sink_;  // keeps what was found
  int64_t n_rows_ = 0, n_skipped_ = 0;
};

}  // namespace

Dataset dataset_from_arrow(ArrowArrayStream* taken, const DatasetOptions& options, const CancelToken* cancel,
                           const OnCaller& on_caller) {
  if (taken == nullptr) throw invalid_argument("stream", "must not be NULL");
  if (taken->release == nullptr) throw invalid_argument("stream", "is released already");
  // Moves the stream: the caller's struct is marked released, as the specification asks of a consumer.
  Stream stream(on_caller, *taken);
  taken->release = nullptr;
  check_options(options);
  Schema schema(on_caller);
  on_caller([&] {
    const int code = stream.value.get_schema(&stream.value, &schema.value);
    if (code != 0) schema.value.release = nullptr;
    check_call(stream, code, "get_schema");
  });
  Reader reader(schema.value, options, cancel);
  while (true) {
    throw_if_cancelled(cancel);
    Array batch(on_caller);
    on_caller([&] {
      const int code = stream.value.get_next(&stream.value, &batch.value);
      // After a failure the struct no longer belongs to the producer.
      if (code != 0) batch.value.release = nullptr;
      check_call(stream, code, "get_next");
    });
    if (batch.value.release == nullptr) break;
    reader.read(batch.value);
  }
  return reader.finish();
}

void release_arrow_stream(ArrowArrayStream* stream) {
  if (stream->release != nullptr) stream->release(stream);
}

}  // namespace rec
