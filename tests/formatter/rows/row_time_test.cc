// Times of ids are frozen, as the ids are: if one of these tests fails, the code is wrong.
#include "formatter/rows/row_time.h"

#include <gtest/gtest.h>

#include "formatter/patterns/op.h"

namespace caravel::formatter {
namespace {

template <class Append>
std::string TextOfTime(Append append) {
  std::string out;
  append(out);
  return out;
}

TEST(RowIdTime, IsCompactAndSortable) {
  const auto compact = [](std::string_view date, std::string_view time) {
    return TextOfTime([&](std::string& out) { append_compact_time(date, time, out); });
  };
  EXPECT_EQ(compact("2012-03-09", "09:48:00"), "20120309T094800");
  EXPECT_EQ(compact("2012-03-09", "23:59:60"), "20120309T235960");
  EXPECT_EQ(compact("2012-03-09", "09:48:00.125"), "20120309T094800.125");
  EXPECT_EQ(compact("2012-03-09", "09:48:00,125"), "20120309T094800.125");
}

TEST(RowIdTime, InUtcEndsWithZ) {
  const auto utc = [](std::int64_t seconds, std::string_view fraction) {
    return TextOfTime([&](std::string& out) { append_utc_time(seconds, fraction, out); });
  };
  EXPECT_EQ(utc(0, ""), "19700101T000000Z");
  EXPECT_EQ(utc(1331286480, ""), "20120309T094800Z");
  EXPECT_EQ(utc(1330473599, "999"), "20120228T235959.999Z");
  EXPECT_EQ(utc(1330473600, ""), "20120229T000000Z");
  EXPECT_EQ(utc(-1, ""), "19691231T235959Z");
  EXPECT_EQ(utc(253402300799, ""), "99991231T235959Z");
}

TEST(RowIdTime, OfATimestampIsUtcIfItNamesAZone) {
  const auto stamp = [](std::string_view timestamp) {
    return TextOfTime([&](std::string& out) { append_timestamp(timestamp, out); });
  };
  EXPECT_EQ(stamp("2012-03-09T09:48:00"), "20120309T094800");
  EXPECT_EQ(stamp("2012-03-09 09:48:00.5"), "20120309T094800.5");
  EXPECT_EQ(stamp("2012-03-09T09:48:00Z"), "20120309T094800Z");
  EXPECT_EQ(stamp("2012-03-09T09:48:00,25+01:00"), "20120309T084800.25Z");
  EXPECT_EQ(stamp("2012-03-09T23:48:00-0530"), "20120310T051800Z");
}

TEST(RowIdTime, OfADateATimeAndAnOffsetIsUtc) {
  const auto zoned = [](std::string_view time, int minutes) {
    return TextOfTime(
        [&](std::string& out) { append_zoned_time(pack_date(2012, 2, 29), time, minutes, out); });
  };
  EXPECT_EQ(zoned("09:48:00", 0), "20120229T094800Z");
  EXPECT_EQ(zoned("09:48:00.125", -90), "20120229T111800.125Z");
  EXPECT_EQ(zoned("23:59:60", 0), "20120301T000000Z");
}

TEST(RowIdTime, OfAnEpochKeepsItsFraction) {
  const auto epoch = [](std::string_view text, bool milliseconds) {
    return TextOfTime([&](std::string& out) { append_epoch(text, milliseconds, out); });
  };
  EXPECT_EQ(epoch("1331286480", false), "20120309T094800Z");
  EXPECT_EQ(epoch("1331286480.250", false), "20120309T094800.250Z");
  EXPECT_EQ(epoch("1331286480007", true), "20120309T094800.007Z");
}

}  // namespace
}  // namespace caravel::formatter
