#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/buffer.h"

namespace rec {

// A time as a cell gives it: a number, whose unit the whole column decides, or a date, in seconds since 1970 UTC.
struct Moment {
  int64_t value = 0;
  int32_t nanos = 0;  // the fraction of the value, in billionths
  bool is_date = false;

  Moment() = default;
  Moment(int64_t value_, int32_t nanos_ = 0, bool is_date_ = false) : value(value_), nanos(nanos_), is_date(is_date_) {}
  // A number for the moment: another for each other one of its column that is less than 500 years away.
  int64_t key() const {
    return static_cast<int64_t>(static_cast<uint64_t>(value) * 1'000'000'007 + static_cast<uint64_t>(nanos));
  }
};

// A number, or a date of ISO 8601: 2014-04-07, 2014-04-07T10:51:09.277Z, 2014-04-07 10:51:09+02:00; a date without an
// offset is UTC. Nothing for anything else, and for a number that int64 does not hold.
std::optional<Moment> parse_moment(std::string_view text);
// A date written as the format says: %Y %m %d %H %M %S (with a fraction) %y %b %a %I %p %z and %%; other characters stand
// for themselves.
std::optional<Moment> parse_moment(std::string_view text, std::string_view format);

// INVALID_ARGUMENT for a format with anything else behind a %.
void check_time_format(std::string_view format);

// "1970-01-01 00:00:00" UTC.
std::string date_text(int64_t seconds);

// The times of rows. Numbers are seconds, or milli-, micro- or nanoseconds by the size of most of them, unless a unit is
// given; the result is in seconds, and what is below a second goes into the order of the rows.
class MomentColumn {
 public:
  // unit: REC_TIME_.
  explicit MomentColumn(int32_t unit = 0) : unit_(unit) {}

  // Whether the moment is a date as those before it are, or a number as they are.
  bool takes(const Moment& moment) const { return values_.empty() || moment.is_date == is_date_; }
  // INVALID_DATA for one that it does not take.
  void check(const Moment& moment) const;
  void add(const Moment& moment);  // a checked one
  int64_t size() const { return std::ssize(values_); }
  void reserve(int64_t n) { values_.reserve(n); }
  // The unit, REC_TIME_, that numbers have; AUTO without numbers.
  int32_t unit() const;

  // What finish() allocates beside the seconds when there are fractions, as of milliseconds.
  int64_t bytes_to_finish() const;
  // Consumes the column: seconds by row, and how the rows change their places so that a user's rows of one second stand in
  // the order of their fractions: place i gets row order[i]. Empty if nothing changes.
  struct Seconds {
    Buffer<int64_t> of_row;
    std::vector<int64_t> order;
  };
  Seconds finish(std::span<const int32_t> user, int64_t n_users);

 private:
  int32_t unit_;
  bool is_date_ = false;
  std::vector<int64_t> values_;
  std::vector<int32_t> nanos_;  // as long as values_, or empty while all are 0
  int64_t n_of_size_[4] = {};   // numbers by the unit that their size suggests
};

}  // namespace rec
