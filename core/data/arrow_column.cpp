#include "core/data/arrow_column.h"

#include <cmath>
#include <cstring>

#include "core/base/checked.h"
#include "core/base/text.h"

namespace rec {

namespace {

// Units per second of a timestamp "tss:ZONE", "tsm:", "tsu:" or "tsn:"; 0 for any other format.
int64_t timestamp_units(const std::string& format) {
  if (format.size() < 4 || format[0] != 't' || format[1] != 's' || format[3] != ':') return 0;
  switch (format[2]) {
    case 's': return 1;
    case 'm': return 1'000;
    case 'u': return 1'000'000;
    case 'n': return 1'000'000'000;
    default: return 0;
  }
}

std::string type_in_words(const std::string& format) {
  constexpr std::pair<std::string_view, const char*> kTypes[] = {{"b", "booleans"},
                                                                 {"n", "nulls"},
                                                                 {"e", "half floats"},
                                                                 {"f", "floats"},
                                                                 {"g", "floats"},
                                                                 {"d:", "decimals"},
                                                                 {"w:", "fixed-size binaries"},
                                                                 {"ts", "timestamps"},
                                                                 {"td", "dates"},
                                                                 {"tt", "times of day"},
                                                                 {"tD", "durations"},
                                                                 {"ti", "intervals"},
                                                                 {"+s", "structs"},
                                                                 {"+m", "maps"},
                                                                 {"+u", "unions"},
                                                                 {"+r", "run-end encoded values"},
                                                                 {"+", "lists"},
                                                                 {"u", "text"},
                                                                 {"U", "text"},
                                                                 {"v", "text"},
                                                                 {"z", "binaries"},
                                                                 {"Z", "binaries"}};
  for (const auto& [start, words] : kTypes)
    if (format.starts_with(start)) return words;
  return format.size() == 1 ? "integers" : cat("Arrow type '", printable(format), "'");
}

constexpr int64_t kWidestCell = 16;  // bytes

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

}  // namespace

ArrowColumn::ArrowColumn(const ArrowSchema& schema, const ArrowArray& array, std::string name, int64_t first, int64_t n,
                         int64_t base_row)
    : array_(&array),
      name_(std::move(name)),
      format_(schema.format == nullptr ? "" : schema.format),
      base_row_(base_row) {
  if (array.offset < 0 || array.length < checked_add(first, n))
    fail(0, cat("the batch's column is shorter than its ", n, " rows"));
  if (array.length > INT64_MAX / kWidestCell - array.offset)
    fail(0, cat("the column's ", array.length, " cells from ", array.offset, " do not fit into memory"));
  first_ = first + array.offset;
  int64_t n_buffers = 2;
  if (const int64_t units = timestamp_units(format_)) {
    kind_ = Kind::kTime;
    units_per_second_ = units;
  } else if (format_ == "tdD") {
    kind_ = Kind::kTime;
    seconds_per_unit_ = 86400;
  } else if (format_ == "b") {
    kind_ = Kind::kBoolean;
  } else if (format_ == "f" || format_ == "g") {
    kind_ = Kind::kFloating;
  } else if (format_ == "u" || format_ == "U" || format_ == "z" || format_ == "Z" || format_ == "vu" ||
             format_ == "vz") {
    kind_ = Kind::kText;
    n_buffers = 3;
  } else if (format_.size() != 1 || format_.find_first_of("cCsSiIlL") == std::string::npos) {
    throw argument_error(REC_INVALID_DATA, name_, "a column of ", type_name(), " is not read");
  }
  if (array.n_buffers < n_buffers || array.buffers == nullptr)
    fail(0, cat("the column has ", array.n_buffers, " buffers, expected ", n_buffers));
  valid_ = array.null_count == 0 ? nullptr : static_cast<const uint8_t*>(array.buffers[0]);
  values_ = array.buffers[1];
  if (values_ == nullptr && n > 0) fail(0, "the column has no values");
  if (kind_ == Kind::kText && format_[0] != 'v' && n > 0) n_bytes_ = offset_at(array.length - first);
  if (schema.dictionary == nullptr) return;
  if (schema.dictionary->dictionary != nullptr) fail(0, "a dictionary of a dictionary is not read");
  if (kind_ != Kind::kInteger || array.dictionary == nullptr)
    fail(0, "the column's dictionary is missing or not indexed by integers");
  dictionary_size_ = array.dictionary->length;
  dictionary_ =
      std::make_unique<ArrowColumn>(*schema.dictionary, *array.dictionary, name_, 0, dictionary_size_, base_row);
}

std::string ArrowColumn::type_name() const { return dictionary_ ? dictionary_->type_name() : type_in_words(format_); }

void ArrowColumn::fail(int64_t i, const std::string& what) const {
  throw argument_error(REC_INVALID_DATA, name_, "row ", base_row_ + i, ": ", what);
}

bool ArrowColumn::is_null(int64_t i) const {
  const int64_t at = first_ + i;
  return valid_ != nullptr && (valid_[at / 8] >> (at % 8) & 1) == 0;
}

void ArrowColumn::refuse_null(int64_t i) const {
  if (is_null(i) || (dictionary_ && dictionary_->is_null(index_at(i)))) fail(i, "is null");
}

int64_t ArrowColumn::index_at(int64_t i) const {
  const auto plain = [&]() -> int64_t {
    switch (format_[0]) {
      case 'c': return value<int8_t>(i);
      case 'C': return value<uint8_t>(i);
      case 's': return value<int16_t>(i);
      case 'S': return value<uint16_t>(i);
      case 'i': return value<int32_t>(i);
      case 'I': return value<uint32_t>(i);
      case 'l': return value<int64_t>(i);
      default: break;
    }
    const auto wide = value<uint64_t>(i);
    if (wide > static_cast<uint64_t>(INT64_MAX)) fail(i, cat(wide, " does not fit an int64"));
    return static_cast<int64_t>(wide);
  };
  const int64_t index = plain();
  if (dictionary_ && (index < 0 || index >= dictionary_size_))
    fail(i, cat("index ", index, " is outside the dictionary of ", dictionary_size_));
  return index;
}

int64_t ArrowColumn::integer_at(int64_t i) const {
  return dictionary_ ? dictionary_->integer_at(index_at(i)) : index_at(i);
}

double ArrowColumn::number_at(int64_t i) const {
  if (dictionary_) return dictionary_->number_at(index_at(i));
  if (format_ == "f") return static_cast<double>(value<float>(i));
  if (format_ == "g") return value<double>(i);
  if (kind_ == Kind::kBoolean) {
    const int64_t at = first_ + i;
    return static_cast<const uint8_t*>(values_)[at / 8] >> (at % 8) & 1;
  }
  return static_cast<double>(index_at(i));
}

std::string_view ArrowColumn::text_at(int64_t i) const {
  if (dictionary_) return dictionary_->text_at(index_at(i));
  if (format_[0] == 'v') return view_at(i);
  const int64_t begin = offset_at(i), end = offset_at(i + 1);
  if (begin < 0 || end < begin) fail(i, cat("offsets fall from ", begin, " to ", end));
  if (end > n_bytes_) fail(i, cat("offsets go to ", end, ", the column has ", n_bytes_, " bytes"));
  if (begin == end) return {};
  const char* bytes = static_cast<const char*>(array_->buffers[2]);
  if (bytes == nullptr) fail(i, "the column has no bytes");
  return {bytes + begin, static_cast<size_t>(end - begin)};
}

int64_t ArrowColumn::offset_at(int64_t i) const {
  return format_ == "U" || format_ == "Z" ? value<int64_t>(i) : value<int32_t>(i);
}

// A view is 16 bytes: length, then up to 12 bytes of text, or a prefix, the number of a buffer and an offset.
std::string_view ArrowColumn::view_at(int64_t i) const {
  const char* view = static_cast<const char*>(values_) + (first_ + i) * 16;
  int32_t words[4];
  std::memcpy(words, view, sizeof words);
  const int32_t length = words[0], buffer = words[2], offset = words[3];
  if (length < 0) fail(i, cat("length ", length, " is negative"));
  if (length <= 12) return {view + 4, static_cast<size_t>(length)};
  const int64_t n_data = array_->n_buffers - 3;
  const auto* sizes = static_cast<const int64_t*>(array_->buffers[array_->n_buffers - 1]);
  if (buffer < 0 || buffer >= n_data || array_->buffers[2 + buffer] == nullptr || sizes == nullptr || offset < 0 ||
      int64_t{offset} + length > sizes[buffer])
    fail(i, "the string view points outside its buffers");
  return {static_cast<const char*>(array_->buffers[2 + buffer]) + offset, static_cast<size_t>(length)};
}

Moment ArrowColumn::moment_at(int64_t i, const std::optional<std::string>& text_format) const {
  if (dictionary_) return dictionary_->moment_at(index_at(i), text_format);
  if (kind_ == Kind::kInteger) return index_at(i);
  if (kind_ == Kind::kText) {
    const std::string_view text = text_at(i);
    const auto moment = text_format ? parse_moment(text, *text_format) : parse_moment(text);
    if (!moment && text_format) fail(i, cat("'", printable(text), "' is not written as the time format says"));
    if (!moment)
      fail(i, cat("'", printable(text), "' is neither a number that fits an int64 nor a date of ISO 8601; other dates need a "
                  "time format"));
    return *moment;
  }
  if (kind_ == Kind::kFloating) {
    const double number = number_at(i), whole = std::floor(number);
    if (!(std::abs(number) < 0x1p63)) fail(i, cat(number, " is not a time"));
    if (format_ == "f" && std::abs(number) > 0x1p24)
      fail(i, cat(number, " is a float of 32 bits, which does not tell seconds apart; give 64 bits or integers"));
    return {static_cast<int64_t>(whole), static_cast<int32_t>(std::min((number - whole) * 1e9, 1e9 - 1))};
  }
  if (seconds_per_unit_ > 1) return {value<int32_t>(i) * seconds_per_unit_, 0, true};
  const auto units = value<int64_t>(i);
  const int64_t seconds = floor_divide(units, units_per_second_);
  return {seconds, static_cast<int32_t>((units - seconds * units_per_second_) * (1'000'000'000 / units_per_second_)),
          true};
}

}  // namespace rec
