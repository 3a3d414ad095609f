#include "watcher/files/time_text.h"

#include <gtest/gtest.h>

namespace caravel::watcher {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Time kNow = Time(std::chrono::seconds(1'331'287'200));

TEST(TimeText, ReadsBackWhatItWroteAndNothingElse) {
  EXPECT_EQ(time_text(kNow), "2012-03-09T10:00:00.000Z");
  EXPECT_EQ(time_text(kNow + std::chrono::milliseconds(7)), "2012-03-09T10:00:00.007Z");
  EXPECT_EQ(parse_time_text("2012-03-09T10:00:00.007Z"), kNow + std::chrono::milliseconds(7));
  for (const char* text :
       {"", "2012-03-09", "2012-03-09T10:00:00Z", "2012-02-30T10:00:00.000Z",
        "2012-03-09T10:00:00.000", "2012-03-09T10:00:00.000Zx", "2012-03-09T24:00:00.000Z",
        "2012-03-09T10:60:00.000Z", "2012-03-09T10:00:60.000Z", "2012-03-09 10:00:00.000Z",
        "2012-13-09T10:00:00.000Z", "+012-03-09T10:00:00.000Z",
        // No time_point of nanoseconds reaches these:
        "1012-03-09T10:00:00.000Z", "1677-12-31T23:59:59.999Z", "2262-01-01T00:00:00.000Z",
        "9999-12-31T23:59:59.999Z"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(parse_time_text(text), std::nullopt);
  }
  const Time leap = Time(std::chrono::sys_days(std::chrono::year_month_day(
      std::chrono::year(2024), std::chrono::month(2), std::chrono::day(29))));
  EXPECT_EQ(time_text(leap + hours(24) - std::chrono::microseconds(1)), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(parse_time_text("2024-02-29T00:00:00.000Z"), leap);
  EXPECT_EQ(time_for_people(kNow), "2012-03-09 10:00:00 UTC");
}

TEST(TimeText, DurationsForPeopleHaveTwoUnitsAtMost) {
  const struct {
    seconds duration;
    const char* text;
  } cases[] = {{seconds(-5), "0 s"},      {seconds(59), "59 s"},  {seconds(60), "1 min"},
               {seconds(3599), "59 min"}, {seconds(3600), "1 h"}, {seconds(19'200), "5 h 20 min"},
               {hours(47), "47 h"},       {hours(48), "2 days"},  {hours(76), "3 days 4 h"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(duration_for_people(c.duration), c.text);
  }
}

}  // namespace
}  // namespace caravel::watcher
