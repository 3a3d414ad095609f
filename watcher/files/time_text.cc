#include "watcher/files/time_text.h"

#include <sstream>

#include <date/date.h>
#include <fmt/format.h>

namespace caravel::watcher {

using std::chrono::milliseconds;

std::string time_text(Time time) { return date::format("%FT%TZ", date::floor<milliseconds>(time)); }

std::optional<Time> parse_time_text(std::string_view text) {
  std::istringstream in{std::string(text)};
  date::sys_time<milliseconds> time;
  in >> date::parse("%FT%TZ", time);
  // Comparing what it would be written as refuses all that date::parse is lenient about.
  if (in.fail() || time_text(time) != text) return std::nullopt;
  return time;
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
