#include "formatter/rows/row_time.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "formatter/patterns/parsers.h"

namespace caravel::formatter {
namespace {

/// What stands behind "09:48:00" and its point or comma.
std::string_view fraction_of(std::string_view time) {
  return time.size() > 9 ? time.substr(9) : std::string_view();
}

/// Seconds since 1970 of a date and a time whose zone lies `offset_minutes` east of UTC.
std::int64_t utc_seconds(std::uint32_t date, std::string_view time, int offset_minutes) {
  const std::chrono::sys_days day(std::chrono::year_month_day(
      std::chrono::year(static_cast<int>(packed_year(date))),
      std::chrono::month(packed_month(date)), std::chrono::day(packed_day(date))));
  // A leap second, 23:59:60, is the first second of the next day here, as in POSIX.
  const std::int64_t seconds = std::int64_t{two_digits(time.data())} * 3600 +
                               std::int64_t{two_digits(time.data() + 3)} * 60 +
                               std::int64_t{two_digits(time.data() + 6)};
  return day.time_since_epoch().count() * std::int64_t{86400} + seconds -
         std::int64_t{offset_minutes} * 60;
}

}  // namespace

void append_compact_time(std::string_view iso_date, std::string_view time, std::string& out) {
  const char* d = iso_date.data();
  const char* t = time.data();
  // Without a format string: this runs once for each row.
  const char text[15] = {d[0], d[1], d[2], d[3], d[5], d[6], d[8], d[9],
                         'T',  t[0], t[1], t[3], t[4], t[6], t[7]};
  out.append(text, sizeof text);
  // Eight bytes of time and one of the point: behind them stands the fraction.
  if (time.size() > 9) {
    // A point, whatever the line has: the same moment gives the same id.
    out.push_back('.');
    out.append(time.substr(9));
  }
}

void append_padded(std::uint64_t value, std::size_t width, std::string& out) {
  const fmt::format_int digits(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out.append(digits.data(), digits.size());
}

void append_utc_time(std::int64_t seconds, std::string_view fraction, std::string& out) {
  using std::chrono::days;
  const std::chrono::sys_seconds instant{std::chrono::seconds(seconds)};
  // floor and not a cast, which would take a moment before 1970 to the later day.
  const auto day = std::chrono::floor<days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  // With a zone east of UTC, the first hours of the year 0 lie in the year before it.
  const int year = static_cast<int>(date.year());
  if (year < 0) {
    out += fmt::format("{:04}", year);
  } else {
    append_padded(static_cast<std::uint64_t>(year), 4, out);
  }
  append_padded(static_cast<unsigned>(date.month()), 2, out);
  append_padded(static_cast<unsigned>(date.day()), 2, out);
  out.push_back('T');
  append_padded(static_cast<std::uint64_t>(time.hours().count()), 2, out);
  append_padded(static_cast<std::uint64_t>(time.minutes().count()), 2, out);
  append_padded(static_cast<std::uint64_t>(time.seconds().count()), 2, out);
  if (!fraction.empty()) {
    out.push_back('.');
    out.append(fraction);
  }
  out.push_back('Z');
}

bool append_parts(const TimeParts& parts, const date::time_zone* local_zone, std::string& out) {
  std::int64_t seconds = 0;
  const Placed placed = place(parts, local_zone, seconds);
  if (placed == Placed::skipped) return false;
  if (placed == Placed::utc) {
    append_utc_time(seconds, {}, out);
    out.pop_back();  // the Z, before which the fraction stands
  } else {
    append_padded(static_cast<unsigned>(parts.year), 4, out);
    append_padded(parts.month, 2, out);
    append_padded(parts.day, 2, out);
    out.push_back('T');
    append_padded(parts.hour, 2, out);
    append_padded(parts.minute, 2, out);
    append_padded(parts.second, 2, out);
  }
  // It was placed as the second 59. An offset with seconds may have moved it within its minute:
  // then it stays where it is.
  if (parts.second == 60 && out.ends_with("59")) out.replace(out.size() - 2, 2, "60");
  if (!parts.fraction.empty()) {
    out.push_back('.');
    out.append(parts.fraction_zeros, '0');
    out.append(parts.fraction);
  }
  if (placed == Placed::utc) out.push_back('Z');
  return true;
}

void append_zoned_time(std::uint32_t date, std::string_view time, int offset_minutes,
                       std::string& out) {
  append_utc_time(utc_seconds(date, time, offset_minutes), fraction_of(time), out);
}

void append_timestamp(std::string_view timestamp, std::string& out) {
  // Parsed before, so the shape is known: 10 bytes of date, one between, 8 of time, the rest.
  const std::string_view date = timestamp.substr(0, 10);
  std::string_view time = timestamp.substr(11);
  const std::size_t zone = time.find_first_of("Z+-");
  if (zone == std::string_view::npos) {
    append_compact_time(date, time, out);
    return;
  }
  int minutes = 0;
  // The parser wants a line's end behind the zone, which is "+01:00" at most.
  char zone_text[8] = {};
  zone_text[time.copy(zone_text, 6, zone)] = '\n';
  if (parse_offset(zone_text, minutes) == nullptr) minutes = 0;
  time = time.substr(0, zone);
  const unsigned year = two_digits(date.data()) * 100 + two_digits(date.data() + 2);
  const std::uint32_t packed =
      pack_date(year, two_digits(date.data() + 5), two_digits(date.data() + 8));
  append_zoned_time(packed, time, minutes, out);
}

void append_epoch(std::string_view text, bool milliseconds, std::string& out) {
  // The whole seconds become a date; the fraction is copied, so that none of its digits is lost.
  std::int64_t whole = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), whole);
  std::string_view fraction = text.substr(static_cast<std::size_t>(end - text.data()));
  if (!fraction.empty()) fraction.remove_prefix(1);
  char thousandths[4] = {};
  if (milliseconds) {
    // What lies behind a point in the text is less than a millisecond and is left out.
    std::int64_t rest = whole % 1000;
    whole /= 1000;
    // In C++ the remainder of a negative number is negative, and the quotient is rounded to 0.
    if (rest < 0) {
      rest += 1000;
      --whole;
    }
    for (int i = 2; i >= 0; --i) {
      thousandths[i] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    }
    fraction = {thousandths, 3};
  }
  append_utc_time(whole, fraction, out);
}

}  // namespace caravel::formatter
