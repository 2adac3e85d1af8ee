#include "core/data/moment.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <numeric>

#include "core/base/text.h"
#include "rec_c_api.h"

namespace rec {

namespace {

constexpr int64_t kNanos = 1'000'000'000;

// Reads a text from its beginning; every step says whether it went well.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool skip(char c) {
    if (next() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool skip(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // A word in small letters, whatever the text's letters are.
  bool skip_word(std::string_view word) {
    if (to_lower(rest_.substr(0, word.size())) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // A number of `least` to `most` digits, from `min` to `max`.
  bool number(int64_t& out, size_t least, size_t most, int64_t min, int64_t max) {
    size_t n = 0;
    out = 0;
    while (n < most && n < rest_.size() && rest_[n] >= '0' && rest_[n] <= '9') out = 10 * out + (rest_[n++] - '0');
    if (n < least || out < min || out > max) return false;
    rest_.remove_prefix(n);
    return true;
  }
  // Digits of a fraction, as billionths; further digits are cut.
  bool fraction(int64_t& out) {
    size_t n = 0;
    out = 0;
    for (; n < rest_.size() && rest_[n] >= '0' && rest_[n] <= '9'; ++n)
      if (n < 9) out = 10 * out + (rest_[n] - '0');
    for (size_t i = n; i < 9; ++i) out *= 10;
    rest_.remove_prefix(n);
    return n > 0;
  }
  // Z, UTC, +02, +0200 or +02:00, in seconds.
  bool offset(int64_t& out) {
    out = 0;
    if (skip("UTC") || skip('Z') || skip('z')) return true;
    const bool west = next() == '-';
    if (!skip('+') && !skip('-')) return false;
    int64_t hours = 0, minutes = 0;
    if (!number(hours, 2, 2, 0, 23)) return false;
    const bool more = skip(':');
    if ((more || (next() >= '0' && next() <= '9')) && !number(minutes, 2, 2, 0, 59)) return false;
    out = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
  }

 private:
  std::string_view rest_;
};

struct Fields {
  int64_t year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, nanos = 0, offset = 0;
  std::optional<Moment> moment() const {
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return Moment(days * 86400 + hour * 3600 + minute * 60 + second - offset, static_cast<int32_t>(nanos), true);
  }
};

std::optional<Moment> parse_date(std::string_view text) {
  Scanner at(text);
  Fields f;
  if (!at.number(f.year, 4, 4, 0, 9999) || !at.skip('-') || !at.number(f.month, 2, 2, 1, 12) || !at.skip('-') ||
      !at.number(f.day, 2, 2, 1, 31))
    return std::nullopt;
  if (at.at_end()) return f.moment();
  if (!at.skip('T') && !at.skip(' ')) return std::nullopt;
  if (!at.number(f.hour, 2, 2, 0, 23) || !at.skip(':') || !at.number(f.minute, 2, 2, 0, 59)) return std::nullopt;
  if (at.skip(':') && !at.number(f.second, 2, 2, 0, 60)) return std::nullopt;
  if ((at.skip('.') || at.skip(',')) && !at.fraction(f.nanos)) return std::nullopt;
  at.skip(' ');
  if (!at.at_end() && !at.offset(f.offset)) return std::nullopt;
  return at.at_end() ? f.moment() : std::nullopt;
}

std::optional<Moment> parse_number(std::string_view text) {
  Moment moment;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, moment.value);
  if (code == std::errc() && stop == end) return moment;
  // Decimals exactly: a double has no room for the fraction of a second of today.
  if (code == std::errc() && stop != end && *stop == '.') {
    Scanner rest({stop + 1, static_cast<size_t>(end - stop - 1)});
    int64_t nanos = 0;
    if ((rest.at_end() || rest.fraction(nanos)) && rest.at_end()) {
      if (text.front() == '-' && nanos != 0) {
        if (moment.value == INT64_MIN) return std::nullopt;
        --moment.value, nanos = kNanos - nanos;
      }
      moment.nanos = static_cast<int32_t>(nanos);
      return moment;
    }
  }
  const auto value = parse_double(text);  // 1.4e9
  if (!value || !(std::abs(*value) < 0x1p63)) return std::nullopt;
  moment.value = static_cast<int64_t>(std::floor(*value));
  moment.nanos = static_cast<int32_t>(std::min((*value - std::floor(*value)) * 1e9, 1e9 - 1));
  return moment;
}

constexpr const char* kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

bool month_name(Scanner& at, int64_t& month) {
  for (month = 1; month <= 12; ++month)
    if (at.skip_word(kMonths[month - 1])) return true;
  return false;
}

// Mon, TUE or wed, which the date tells as well.
bool weekday_name(Scanner& at) {
  for (const char* name : {"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
    if (at.skip_word(name)) return true;
  return false;
}

// How many of these are in a second.
constexpr int64_t per_second(int32_t unit) {
  return unit == REC_TIME_MILLISECONDS   ? 1000
         : unit == REC_TIME_MICROSECONDS ? 1'000'000
         : unit == REC_TIME_NANOSECONDS  ? kNanos
                                         : 1;
}

// The unit in which a number would be a time of this age: 10^11 seconds are the year 5138, 10^11 milliseconds 1973.
int32_t unit_by_size(int64_t value) {
  const auto size = static_cast<double>(value < 0 ? -static_cast<double>(value) : static_cast<double>(value));
  return size < 1e11   ? REC_TIME_SECONDS
         : size < 1e14 ? REC_TIME_MILLISECONDS
         : size < 1e17 ? REC_TIME_MICROSECONDS
                       : REC_TIME_NANOSECONDS;
}

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
  // Most cells are numbers, and no number has its second '-' at the fifth place.
  if (text.size() >= 10 && text[4] == '-' && text[7] == '-') return parse_date(text);
  return parse_number(text);
}

std::optional<Moment> parse_moment(std::string_view text, std::string_view format) {
  Scanner at(text);
  Fields f;
  bool afternoon = false, half_days = false;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      if (!at.skip(format[i])) return std::nullopt;
      continue;
    }
    bool good = true;
    switch (format[++i]) {
      case 'Y': good = at.number(f.year, 4, 4, 0, 9999); break;
      case 'y':
        good = at.number(f.year, 2, 2, 0, 99);
        f.year += f.year < 69 ? 2000 : 1900;  // as POSIX has it
        break;
      case 'm': good = at.number(f.month, 1, 2, 1, 12); break;
      case 'b': good = month_name(at, f.month); break;
      case 'a': good = weekday_name(at); break;
      case 'd': good = at.number(f.day, 1, 2, 1, 31); break;
      case 'H': good = at.number(f.hour, 1, 2, 0, 23); break;
      case 'I': good = at.number(f.hour, 1, 2, 1, 12), half_days = true; break;
      case 'p':
        afternoon = at.next() == 'P' || at.next() == 'p';
        good = at.skip("AM") || at.skip("PM") || at.skip("am") || at.skip("pm");
        break;
      case 'M': good = at.number(f.minute, 1, 2, 0, 59); break;
      case 'S':
        good = at.number(f.second, 1, 2, 0, 60);
        if (good && (at.next() == '.' || at.next() == ',')) {
          at.skip(at.next());
          good = at.fraction(f.nanos);
        }
        break;
      case 'z': good = at.offset(f.offset); break;
      case '%': good = at.skip('%'); break;
      default: return std::nullopt;
    }
    if (!good) return std::nullopt;
  }
  if (half_days) f.hour = f.hour % 12 + (afternoon ? 12 : 0);
  return at.at_end() ? f.moment() : std::nullopt;
}

void check_time_format(std::string_view format) {
  for (size_t i = 0; i < format.size(); ++i)
    if (format[i] == '%' &&
        (++i == format.size() || std::string_view("YmdHMSybaIpz%").find(format[i]) == std::string_view::npos))
      throw invalid_argument("time_format", "'", printable(format),
                             "' may have %Y %m %d %H %M %S %y %b %a %I %p %z and %%; %S takes a fraction");
}

std::string date_text(int64_t seconds) {
  const int64_t day = seconds / 86400 - (seconds % 86400 < 0), rest = seconds - day * 86400;
  const auto year = static_cast<double>(day) / 365.2425 + 1970;
  if (std::abs(year) > 30000) return cat("the year ", static_cast<int64_t>(year));
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const auto two = [](int64_t n) { return cat(n < 10 ? "0" : "", n); };
  return cat(static_cast<int>(date.year()), '-', two(static_cast<unsigned>(date.month())), '-',
             two(static_cast<unsigned>(date.day())), ' ', two(rest / 3600), ':', two(rest / 60 % 60), ':',
             two(rest % 60));
}

void MomentColumn::check(const Moment& moment) const {
  if (!takes(moment))
    throw argument_error(REC_INVALID_DATA, "time",
                         moment.is_date ? "this row has a date, the rows before it have numbers"
                                        : "this row has a number, the rows before it have dates");
}

void MomentColumn::add(const Moment& moment) {
  if (values_.empty()) is_date_ = moment.is_date;
  if (moment.nanos != 0 && nanos_.empty()) nanos_.resize(values_.size());
  values_.push_back(moment.value);
  if (moment.nanos != 0 || !nanos_.empty()) nanos_.push_back(moment.nanos);
  if (!moment.is_date) ++n_of_size_[unit_by_size(moment.value) - REC_TIME_SECONDS];
}

int32_t MomentColumn::unit() const {
  if (is_date_ || values_.empty()) return REC_TIME_AUTO;
  if (unit_ != REC_TIME_AUTO) return unit_;
  return REC_TIME_SECONDS +
         static_cast<int32_t>(std::max_element(std::begin(n_of_size_), std::end(n_of_size_)) - n_of_size_);
}

int64_t MomentColumn::bytes_to_finish() const {
  constexpr int64_t kFractionAndTwoOrders = 20;
  return nanos_.empty() && per_second(unit()) == 1 ? 0 : kFractionAndTwoOrders * size();
}

MomentColumn::Seconds MomentColumn::finish(std::span<const int32_t> user, int64_t n_users) {
  const int64_t scale = per_second(unit()), n = size();
  if (scale > 1) {
    nanos_.resize(n);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t whole = values_[i] / scale - (values_[i] % scale < 0), rest = values_[i] - whole * scale;
      nanos_[i] = static_cast<int32_t>((rest * kNanos + nanos_[i]) / scale);
      values_[i] = whole;
    }
  }
  Seconds out{Buffer<int64_t>{std::span<const int64_t>(values_)}, {}};
  std::vector<int64_t>().swap(values_);
  if (std::ranges::all_of(nanos_, [](int32_t nanos) { return nanos == 0; })) return out;

  std::vector<int64_t> ends(n_users + 1), rows(n);  // the rows of each user, ascending
  for (int32_t u : user) ++ends[u + 1];
  for (int64_t u = 0; u < n_users; ++u) ends[u + 1] += ends[u];
  std::vector<int64_t> next(ends.begin(), ends.end() - 1);
  for (int64_t i = 0; i < n; ++i) rows[next[user[i]]++] = i;
  std::vector<int64_t> sorted;
  for (int64_t u = 0; u < n_users; ++u) {
    const std::span own(rows.data() + ends[u], rows.data() + ends[u + 1]);
    const auto second = [&](int64_t row) { return out.of_row[row]; };
    std::ranges::stable_sort(own, {}, second);
    for (auto begin = own.begin(); begin != own.end();) {
      const auto end = std::find_if(begin, own.end(), [&](int64_t row) { return second(row) != second(*begin); });
      sorted.assign(begin, end);
      std::ranges::stable_sort(sorted, {}, [&](int64_t row) { return nanos_[row]; });
      if (!std::equal(begin, end, sorted.begin())) {
        if (out.order.empty()) {
          out.order.resize(n);
          std::iota(out.order.begin(), out.order.end(), int64_t{0});
        }
        for (size_t i = 0; i < sorted.size(); ++i) out.order[begin[static_cast<std::ptrdiff_t>(i)]] = sorted[i];
      }
      begin = end;
    }
  }
  return out;
}

}  // namespace rec
