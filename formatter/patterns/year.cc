#include "formatter/patterns/year.h"

#include <cstdlib>

namespace caravel::formatter {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

namespace {

/// Asks `year_of` for each day once, so that no line has to ask the calendar.
template <class YearOf>
void fill(std::array<std::int16_t, std::size_t{12} * 31>& years, YearOf year_of) {
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; day <= 31; ++day) {
      years[(month - 1) * 31 + day - 1] =
          static_cast<std::int16_t>(year_of(std::chrono::month(month), std::chrono::day(day)));
    }
  }
}

}  // namespace

YearTable YearTable::fixed(std::chrono::year year) {
  YearTable table;
  fill(table.years_, [&](std::chrono::month month, std::chrono::day day) {
    // A day that the year does not have (02/29) gets 0, and its lines become rejects.
    return year_month_day(year, month, day).ok() ? static_cast<int>(year) : 0;
  });
  return table;
}

YearTable YearTable::nearest_to(std::chrono::sys_seconds extract_time) {
  YearTable table;
  // A day of grace: east of UTC it may be tomorrow already when the extract is cut.
  const year_month_day latest(std::chrono::floor<days>(extract_time + days(1)));
  fill(table.years_, [&](std::chrono::month month, std::chrono::day day) {
    // Candidates lie a year or more apart and at most one of them within the day after the extract,
    // so the nearest allowed one is the latest allowed one. 02/29 may be eight years back (1904).
    if (!std::chrono::month_day(month, day).ok()) return 0;
    year_month_day date(latest.year(), month, day);
    while (!date.ok() || date > latest) date -= std::chrono::years(1);
    return static_cast<int>(date.year());
  });
  return table;
}

bool mtime_is_credible(year_month_day last_line, std::chrono::sys_seconds mtime) {
  // Compared by days: the zone of the log's clock is not known, and against 30 days it does not
  // count.
  const days apart = sys_days(last_line) - std::chrono::floor<days>(mtime);
  return std::abs(apart.count()) <= 30;
}

}  // namespace caravel::formatter
