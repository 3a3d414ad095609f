#include "formatter/times/zones.h"

#include <gmock/gmock.h>

#include "formatter/rows/row_time.h"

namespace caravel::formatter {
namespace {

using testing::HasSubstr;

TimeParts Local(int year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                unsigned second = 0) {
  TimeParts parts;
  parts.year = year;
  parts.has_year = true;
  parts.month = month;
  parts.day = day;
  parts.hour = hour;
  parts.minute = minute;
  parts.second = second;
  return parts;
}

/// As an id has it; "" if the clocks skipped it.
std::string InId(const TimeParts& parts, const char* zone = nullptr) {
  std::string out;
  const date::time_zone* const located = zone == nullptr ? nullptr : *locate_zone(zone);
  return append_parts(parts, located, out) ? out : "";
}

TEST(Zones, AreThoseOfTheDatabase) {
  const auto zone = locate_zone("Europe/Berlin");
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone_name(**zone), "Europe/Berlin");
  const auto nowhere = locate_zone("Europe/Nowhere");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::usage);
  EXPECT_THAT(nowhere.error().message, HasSubstr("'Europe/Nowhere' is no zone"));
}

TEST(Zones, ThatALineNamesAreNoAbbreviations) {
  for (const char* name : {"EST", "CET", "MST", "HST", "IST", "PRC", "", "nowhere", "europe/berlin",
                           "posixrules", "Europe/", "/", "Europe/Berlin/"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(zone_of_text(name), nullptr);
  }
  for (const char* name : {"EST5EDT", "Europe/Berlin", "UTC", "GMT", "Etc/GMT-14", "GMT0"}) {
    SCOPED_TRACE(name);
    EXPECT_NE(zone_of_text(name), nullptr);
  }
}

TEST(Zones, MakeLocalTimesUtc) {
  EXPECT_EQ(InId(Local(2012, 3, 9, 9, 48)), "20120309T094800");
  EXPECT_EQ(InId(Local(2012, 3, 9, 9, 48), "Europe/Berlin"), "20120309T084800Z");
  EXPECT_EQ(InId(Local(2012, 7, 9, 0, 30), "Europe/Berlin"), "20120708T223000Z");
  TimeParts parts = Local(2012, 7, 9, 0, 30);
  parts.has_offset = true;
  parts.offset = 3600;
  EXPECT_EQ(InId(parts, "America/New_York"), "20120708T233000Z") << "the line knows better";
}

TEST(Zones, SkipWhatTheirClocksNeverShowed) {
  EXPECT_EQ(InId(Local(2025, 3, 30, 1, 59, 59), "Europe/Berlin"), "20250330T005959Z");
  EXPECT_EQ(InId(Local(2025, 3, 30, 2, 0), "Europe/Berlin"), "");
  EXPECT_EQ(InId(Local(2025, 3, 30, 2, 59, 60), "Europe/Berlin"), "");
  EXPECT_EQ(InId(Local(2025, 3, 30, 3, 0), "Europe/Berlin"), "20250330T010000Z");
  EXPECT_EQ(InId(Local(2011, 12, 30, 12, 0), "Pacific/Apia"), "") << "a whole day";
  EXPECT_EQ(skipped_reason(Local(2025, 3, 30, 2, 30), *locate_zone("Europe/Berlin")),
            "the clocks of Europe/Berlin skipped 2025-03-30T02:30:00");
}

TEST(Zones, TakeTheFirstOfTwoEqualTimes) {
  EXPECT_EQ(InId(Local(2025, 10, 26, 2, 30), "Europe/Berlin"), "20251026T003000Z");
  EXPECT_EQ(InId(Local(2025, 11, 2, 1, 30), "America/New_York"), "20251102T053000Z");
  EXPECT_EQ(InId(Local(2025, 4, 6, 1, 45), "Australia/Lord_Howe"), "20250405T144500Z");
}

TEST(LeapSeconds, StayWhatTheyAre) {
  EXPECT_EQ(InId(Local(2016, 12, 31, 23, 59, 60)), "20161231T235960");
  EXPECT_EQ(InId(Local(2016, 12, 31, 23, 59, 60), "UTC"), "20161231T235960Z");
  EXPECT_EQ(InId(Local(2017, 1, 1, 0, 59, 60), "Europe/Berlin"), "20161231T235960Z");
  TimeParts parts = Local(2017, 1, 1, 5, 29, 60);
  parts.has_offset = true;
  parts.offset = 19800;
  parts.fraction = "25";
  EXPECT_EQ(InId(parts), "20161231T235960.25Z");
}

}  // namespace
}  // namespace caravel::formatter
