#include "formatter/times/iso8601.h"

#include <chrono>

#include "base/eight_bytes.h"
#include "base/text.h"

namespace caravel::formatter {
namespace {

/// The number of `count` digits at `p`; false if there are fewer.
bool take_number(const char*& p, int count, unsigned& value) {
  value = 0;
  for (int i = 0; i < count; ++i, ++p) {
    if (!is_digit(*p)) return false;
    value = value * 10 + static_cast<unsigned>(*p - '0');
  }
  return true;
}

/// The date of a week of ISO 8601, whose weeks begin on Monday and whose first one has January 4th.
bool take_week(unsigned week, unsigned weekday, TimeParts& parts) {
  using std::chrono::days;
  const auto first_monday = [](int year) {
    const std::chrono::sys_days fourth(std::chrono::year(year) / std::chrono::January / 4);
    return fourth - days(std::chrono::weekday(fourth).iso_encoding() - 1);
  };
  const auto day = first_monday(parts.year) + days((week - 1) * 7 + weekday - 1);
  if (week == 0 || weekday == 0 || weekday > 7 || day >= first_monday(parts.year + 1)) return false;
  const std::chrono::year_month_day date(day);
  parts.year = static_cast<int>(date.year());  // the first days of a year may be of the last's week
  parts.month = static_cast<unsigned>(date.month());
  parts.day = static_cast<unsigned>(date.day());
  return parts.year <= 9999;  // ids have four digits
}

/// Behind the year: "W10-5" or, without `dashes`, "W105".
const char* parse_week(const char* p, bool dashes, TimeParts& parts) {
  unsigned week = 0;
  unsigned weekday = 0;
  ++p;
  if (!take_number(p, 2, week) || (dashes && *p++ != '-') || !take_number(p, 1, weekday)) {
    return nullptr;
  }
  return take_week(week, weekday, parts) ? p : nullptr;
}

const char* parse_iso_date(const char* p, TimeParts& parts) {
  unsigned year = 0;
  if (!take_number(p, 4, year)) return nullptr;
  parts.year = static_cast<int>(year);
  parts.has_year = true;
  const bool dashes = *p == '-';
  if (dashes) ++p;
  if (*p == 'W') return parse_week(p, dashes, parts);
  // How many digits follow tells an ordinal date from one of months.
  const auto digits = skip_digits(p) - p;
  if (digits == 3) {
    if (!take_number(p, 3, parts.day_of_year) || parts.day_of_year == 0) return nullptr;
  } else if (digits == (dashes ? 2 : 4)) {
    if (!take_number(p, 2, parts.month) || (dashes && *p++ != '-') ||
        !take_number(p, 2, parts.day)) {
      return nullptr;
    }
  } else {
    return nullptr;
  }
  return settle_date(parts) ? p : nullptr;
}

/// Behind the seconds: a point or comma with digits behind it, if there is one.
const char* parse_fraction(const char* p, TimeParts& parts) {
  if ((*p != '.' && *p != ',') || !is_digit(p[1])) return p;
  const char* const end = skip_digits(p + 1);
  parts.fraction = {p + 1, static_cast<std::size_t>(end - p - 1)};
  return end;
}

/// A clock with or without colons, whose seconds may be missing; an hour alone is for the caller to
/// judge, who gets to know of it by `hour_alone`.
const char* parse_any_clock(const char* p, TimeParts& parts, bool& hour_alone) {
  if (!take_number(p, 2, parts.hour) || parts.hour > 23) return nullptr;
  const bool colons = *p == ':';
  hour_alone = !colons && !is_digit(*p);
  if (hour_alone) return p;
  if (colons) ++p;
  if (!take_number(p, 2, parts.minute) || parts.minute > 59) return nullptr;
  const bool has_seconds = colons ? *p == ':' : is_digit(*p);
  if (!has_seconds) return p;
  if (colons) ++p;
  if (!take_number(p, 2, parts.second) || parts.second > 60) return nullptr;
  return parse_fraction(p, parts);
}

}  // namespace

const char* parse_iso_offset(const char* p, int& seconds) {
  seconds = 0;
  if (*p == 'Z' || *p == 'z') return p + 1;
  if (*p != '+' && *p != '-') return nullptr;
  const int sign = *p++ == '-' ? -1 : 1;
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!take_number(p, 2, hours)) return nullptr;
  if (*p == ':' || is_digit(*p)) {
    if (*p == ':') ++p;
    if (!take_number(p, 2, minutes)) return nullptr;
  }
  if (hours > 23 || minutes > 59 || is_digit(*p)) return nullptr;  // RFC 3339, 5.6
  seconds = sign * static_cast<int>(hours * 3600 + minutes * 60);
  return p;
}

const char* parse_iso_clock(const char* p, TimeParts& parts) {
  if (!take_number(p, 2, parts.hour) || *p++ != ':' || !take_number(p, 2, parts.minute) ||
      *p++ != ':' || !take_number(p, 2, parts.second)) {
    return nullptr;
  }
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return nullptr;
  return parse_fraction(p, parts);
}

const char* parse_iso_time(const char* p, char not_zone, bool blank_before_offset,
                           TimeParts& parts) {
  p = parse_iso_date(p, parts);
  if (p == nullptr || (*p != 'T' && *p != 't' && *p != ' ')) return nullptr;
  const bool blank = *p++ == ' ';
  bool hour_alone = false;
  p = parse_any_clock(p, parts, hour_alone);
  if (p == nullptr) return nullptr;
  const char* zone = p;
  if (blank_before_offset && *zone == ' ') ++zone;
  const char* end = nullptr;
  if (*zone != not_zone || *zone == '\n') end = parse_iso_offset(zone, parts.offset);
  if (end != nullptr) {
    parts.has_offset = true;
    p = end;
  } else if (hour_alone || *p == '+' || *p == '-') {
    return nullptr;
  }
  // What goes on like a time is another one than was read: 09:48:61 is not 09:48.
  if (is_digit(*p) || *p == ':' || (hour_alone && blank)) return nullptr;
  return p;
}

}  // namespace caravel::formatter
