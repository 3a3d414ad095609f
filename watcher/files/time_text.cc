#include "watcher/files/time_text.h"

#include <algorithm>

#include <date/date.h>
#include <fmt/format.h>

#include "base/text.h"

namespace caravel::watcher {

using std::chrono::milliseconds;

namespace {

/// As time_text() writes it: d stands for a digit.
constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.dddZ";

/// The number that the digits `from` to `until` make.
int number_in(std::string_view text, std::size_t from, std::size_t until) {
  int number = 0;
  for (std::size_t i = from; i < until; ++i) number = 10 * number + (text[i] - '0');
  return number;
}

}  // namespace

// By hand, and not by streams: a row of the ledger holds several times, and an extract reads and
// writes some rows.
std::string time_text(Time time) {
  const auto at = std::chrono::floor<milliseconds>(time);
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(at - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<Time> parse_time_text(std::string_view text) {
  const bool shaped = std::ranges::equal(
      text, kShape, [](char c, char shape) { return shape == 'd' ? is_digit(c) : c == shape; });
  if (!shaped) return std::nullopt;
  // A time_point counts nanoseconds in 64 bits: other years have none.
  constexpr int kFirstYear = 1678;
  constexpr int kLastYear = 2261;
  const int year = number_in(text, 0, 4);
  if (year < kFirstYear || year > kLastYear) return std::nullopt;
  const std::chrono::year_month_day day(
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(number_in(text, 5, 7))),
      std::chrono::day(static_cast<unsigned>(number_in(text, 8, 10))));
  const int hours = number_in(text, 11, 13);
  const int minutes = number_in(text, 14, 16);
  const int seconds = number_in(text, 17, 19);
  if (!day.ok() || hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  return std::chrono::sys_days(day) + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
         std::chrono::seconds(seconds) + milliseconds(number_in(text, 20, 23));
}

std::string time_for_people(Time time) {
  return date::format("%F %T UTC", date::floor<std::chrono::seconds>(time));
}

std::string duration_for_people(milliseconds duration) {
  const std::int64_t seconds = std::max<std::int64_t>(duration.count() / 1000, 0);
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const std::int64_t days = hours / 24;
  // The second unit says how much is left of the first; below an hour it would be noise.
  const auto two = [](std::int64_t a, const char* unit, std::int64_t b, const char* smaller) {
    return b == 0 ? fmt::format("{} {}", a, unit) : fmt::format("{} {} {} {}", a, unit, b, smaller);
  };
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (minutes < 60) return two(minutes, "min", 0, "");
  // Hours up to two days: from there on "days" is always the right word.
  if (hours < 48) return two(hours, "h", minutes % 60, "min");
  return two(days, "days", hours % 24, "h");
}

}  // namespace caravel::watcher
