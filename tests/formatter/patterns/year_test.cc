#include "formatter/patterns/year.h"

#include <gtest/gtest.h>

namespace caravel::formatter {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

sys_seconds At(int year, unsigned month, unsigned day, unsigned hour = 0) {
  return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) +
         std::chrono::hours(hour);
}

TEST(YearTable, KnowsNoYearByDefault) {
  const YearTable table;
  EXPECT_EQ(table.year_of(3, 9), 0);
  EXPECT_EQ(table.year_of(12, 31), 0);
}

TEST(YearTable, PutsADateNearestToTheExtractAndAtMostADayAfterIt) {
  const struct {
    const char* why;
    sys_seconds extract;
    unsigned month;
    unsigned day;
    int year;
  } cases[] = {
      {"the same day", At(2012, 3, 9, 10), 3, 9, 2012},
      {"yesterday", At(2012, 3, 9, 10), 3, 8, 2012},
      {"December read on January 1st", At(2013, 1, 1), 12, 31, 2012},
      {"December read in January", At(2013, 1, 20), 12, 1, 2012},
      {"January read on January 1st", At(2013, 1, 1), 1, 1, 2013},
      {"a clock that is ahead: tomorrow", At(2012, 12, 31, 23), 1, 1, 2013},
      {"exactly a day after", At(2012, 3, 9), 3, 10, 2012},
      {"an hour short of a day after", At(2012, 3, 9, 1), 3, 10, 2012},
      {"more than a day after", At(2012, 3, 9, 23), 3, 11, 2011},
      {"two days after midnight", At(2012, 3, 9), 3, 11, 2011},
      {"next summer is last summer", At(2012, 3, 9), 7, 1, 2011},
      {"a leap day in its year", At(2012, 3, 9), 2, 29, 2012},
      {"a leap day a year later", At(2013, 3, 9), 2, 29, 2012},
      {"a leap day three years later", At(2015, 3, 9), 2, 29, 2012},
      {"a leap day before it came", At(2012, 1, 9), 2, 29, 2008},
      {"a leap day on its eve", At(2012, 2, 28, 1), 2, 29, 2012},
      {"a leap day over 1900", At(1903, 5, 5), 2, 29, 1896},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(YearTable::nearest_to(c.extract).year_of(c.month, c.day), c.year);
  }
}

TEST(YearTable, HasNoYearForDaysThatNeverAre) {
  const YearTable nearest = YearTable::nearest_to(At(2012, 3, 9));
  const YearTable fixed = YearTable::fixed(std::chrono::year(2012));
  for (const auto& [month, day] :
       {std::pair{2U, 30U}, {2U, 31U}, {4U, 31U}, {6U, 31U}, {11U, 31U}}) {
    SCOPED_TRACE(month * 100 + day);
    EXPECT_EQ(nearest.year_of(month, day), 0);
    EXPECT_EQ(fixed.year_of(month, day), 0);
  }
}

TEST(YearTable, FixedPutsEveryDateInOneYear) {
  const YearTable leap = YearTable::fixed(std::chrono::year(2012));
  EXPECT_EQ(leap.year_of(1, 1), 2012);
  EXPECT_EQ(leap.year_of(12, 31), 2012);
  EXPECT_EQ(leap.year_of(2, 29), 2012);
  const YearTable common = YearTable::fixed(std::chrono::year(2013));
  EXPECT_EQ(common.year_of(2, 28), 2013);
  EXPECT_EQ(common.year_of(2, 29), 0);
}

// Compares with the rule written as a plain loop.
TEST(YearTable, AgreesWithTheRuleForEveryDayAndManyExtracts) {
  for (int step = 0; step < 60; ++step) {
    const sys_seconds extract = At(2010, 1, 1) + std::chrono::hours(step * 24 * 37 + step);
    const YearTable table = YearTable::nearest_to(extract);
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; day <= 31; ++day) {
        int expected = 0;
        std::chrono::seconds least = std::chrono::seconds::max();
        for (int year = 1990; year < 2030; ++year) {
          const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                    std::chrono::day(day)};
          if (!date.ok()) continue;
          const auto after = sys_seconds(sys_days(date)) - extract;
          if (after > std::chrono::days(1)) continue;
          if (std::chrono::abs(after) < least) {
            least = std::chrono::abs(after);
            expected = year;
          }
        }
        ASSERT_EQ(table.year_of(month, day), expected) << step << " " << month << "/" << day;
      }
    }
  }
}

TEST(Mtime, IsBelievedWithinThirtyDays) {
  const year_month_day last(std::chrono::year(2012), std::chrono::month(3), std::chrono::day(9));
  EXPECT_TRUE(mtime_is_credible(last, At(2012, 3, 9, 12)));
  EXPECT_TRUE(mtime_is_credible(last, At(2012, 4, 8, 23)));
  EXPECT_FALSE(mtime_is_credible(last, At(2012, 4, 9)));
  EXPECT_TRUE(mtime_is_credible(last, At(2012, 2, 8)));
  EXPECT_FALSE(mtime_is_credible(last, At(2012, 2, 7, 23)));
}

}  // namespace
}  // namespace caravel::formatter
