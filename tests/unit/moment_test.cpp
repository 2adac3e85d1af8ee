#include "core/data/moment.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "rec_c_api.h"

namespace rec {
namespace {

struct Text {
  const char* text;
  int64_t value;
  int32_t nanos;
  bool is_date;
};

TEST(Moment, ReadsNumbersExactly) {
  for (const Text& want :
       {Text{"0", 0, 0, false}, Text{"-1", -1, 0, false}, Text{"1396831869.277", 1396831869, 277000000, false},
        Text{"1396831869.1234567891", 1396831869, 123456789, false}, Text{"5.", 5, 0, false},
        Text{"-0.5", -1, 500000000, false}, Text{"-2.25", -3, 750000000, false}, Text{"1.4e9", 1400000000, 0, false},
        Text{"9223372036854775807", INT64_MAX, 0, false}}) {
    const auto got = parse_moment(want.text);
    ASSERT_TRUE(got) << want.text;
    EXPECT_EQ(got->value, want.value) << want.text;
    EXPECT_EQ(got->nanos, want.nanos) << want.text;
    EXPECT_FALSE(got->is_date) << want.text;
  }
}

TEST(Moment, ReadsDatesOfIso8601) {
  for (const Text& want :
       {Text{"1970-01-01", 0, 0, true}, Text{"2014-04-07", 1396828800, 0, true},
        Text{"2014-04-07T10:51:09.277Z", 1396867869, 277000000, true}, Text{"2014-04-07 10:51:09", 1396867869, 0, true},
        Text{"2014-04-07 10:51", 1396867860, 0, true}, Text{"2014-04-07T10:51:09+02:00", 1396860669, 0, true},
        Text{"2014-04-07T10:51:09-0230", 1396876869, 0, true},
        Text{"2014-04-07 10:51:09,5 UTC", 1396867869, 500000000, true}, Text{"1969-12-31T23:59:59", -1, 0, true},
        Text{"2020-02-29", 1582934400, 0, true}}) {
    const auto got = parse_moment(want.text);
    ASSERT_TRUE(got) << want.text;
    EXPECT_EQ(got->value, want.value) << want.text;
    EXPECT_EQ(got->nanos, want.nanos) << want.text;
    EXPECT_TRUE(got->is_date) << want.text;
  }
}

TEST(Moment, RefusesEverythingElse) {
  for (const char* text : {"", "soon", "nan", "inf", "1e30", "9223372036854775808", "2021-02-29", "2014-13-01",
                           "2014-4-7", "2014-04-07T25:00:00", "2014-04-07Tx", "2014-04-07T10", "07/04/2014",
                           "2014-04-07 10:51:09+2", "1396831869.2x", "12.5.2014"})
    EXPECT_FALSE(parse_moment(text)) << text;
}

TEST(Moment, ReadsOtherFormats) {
  EXPECT_EQ(parse_moment("7.4.2014", "%d.%m.%Y")->value, 1396828800);
  EXPECT_EQ(parse_moment("Apr 07 2014 12:00:00 AM", "%b %d %Y %I:%M:%S %p")->value, 1396828800);
  EXPECT_EQ(parse_moment("07/apr/14:12:51:09.5 +0200", "%d/%b/%y:%H:%M:%S %z")->value, 1396867869);
  EXPECT_EQ(parse_moment("Tue Apr 03 18:00:09 +0000 2012", "%a %b %d %H:%M:%S %z %Y")->value, 1333476009);
  EXPECT_EQ(parse_moment("100%", "100%%")->value, 0);
  EXPECT_FALSE(parse_moment("7.4.2014 x", "%d.%m.%Y"));
  EXPECT_FALSE(parse_moment("31.2.2014", "%d.%m.%Y"));
  EXPECT_NO_THROW(check_time_format("%Y-%m-%d %H:%M:%S %z %%"));
  for (const char* format : {"%", "%Q", "%s"}) EXPECT_THROW(check_time_format(format), Error) << format;
}

// The unit is the one that most numbers have; what is below a second orders the rows of a user.
TEST(MomentColumn, FindsItsUnit) {
  const auto unit = [](std::initializer_list<int64_t> values) {
    MomentColumn column;
    for (int64_t value : values) column.add(value);
    return column.unit();
  };
  EXPECT_EQ(unit({0, 1, 1396831869}), REC_TIME_SECONDS);
  EXPECT_EQ(unit({1396831869277, 0, 1396831869278}), REC_TIME_MILLISECONDS);
  EXPECT_EQ(unit({1396831869277000}), REC_TIME_MICROSECONDS);
  EXPECT_EQ(unit({1396831869277000000, INT64_MIN, INT64_MAX}), REC_TIME_NANOSECONDS);
  EXPECT_EQ(unit({}), REC_TIME_AUTO);
}

TEST(MomentColumn, OrdersRowsOfASecond) {
  MomentColumn column;
  for (int64_t value : {1396831869300, 1396831869200, 1396831868900, 1396831869100}) column.add(value);
  const std::vector<int32_t> users{0, 1, 0, 0};
  const MomentColumn::Seconds seconds = column.finish(users, 2);
  EXPECT_EQ(std::vector(seconds.of_row.begin(), seconds.of_row.end()),
            (std::vector<int64_t>{1396831869, 1396831869, 1396831868, 1396831869}));
  EXPECT_EQ(seconds.order, (std::vector<int64_t>{3, 1, 2, 0}));
}

TEST(MomentColumn, RefusesDatesAmongNumbers) {
  MomentColumn column;
  EXPECT_NO_THROW(column.check(*parse_moment("2014-04-07")));
  column.add(5);
  EXPECT_NO_THROW(column.check(6));
  EXPECT_THROW(column.check(*parse_moment("2014-04-07")), Error);
}

}  // namespace
}  // namespace rec
