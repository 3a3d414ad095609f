// TimeLayout::parse: once a text.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/eight_bytes.h"
#include "base/text.h"
#include "formatter/times/iso8601.h"
#include "formatter/times/layout.h"

namespace caravel::formatter {
namespace {

constexpr std::array<std::string_view, 12> kMonthNames = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdayNames = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Whether `name`, which is in lower case, stands at `p` in any case.
bool stands_at(const char* p, std::string_view name) {
  for (const char c : name) {
    if (lower(*p++) != c) return false;
  }
  return true;
}

/// One of `names`, whole or its first three letters; `index` counts from 0.
template <std::size_t kCount>
const char* take_name(const char* p, const std::array<std::string_view, kCount>& names,
                      unsigned& index) {
  for (index = 0; index < kCount; ++index) {
    if (!stands_at(p, names[index].substr(0, 3))) continue;
    return p + (stands_at(p, names[index]) ? names[index].size() : 3);
  }
  return nullptr;
}

/// A number of `least` to `most` digits.
const char* take_digits(const char* p, int least, int most, unsigned& value) {
  value = 0;
  int count = 0;
  for (; count < most && is_digit(*p); ++count, ++p) {
    value = value * 10 + static_cast<unsigned>(*p - '0');
  }
  return count < least ? nullptr : p;
}

/// A number of at most two digits within limits.
const char* take_small(const char* p, bool fixed, unsigned from, unsigned to, unsigned& value) {
  p = take_digits(p, fixed ? 2 : 1, 2, value);
  return p != nullptr && value >= from && value <= to ? p : nullptr;
}

/// The same, where a blank may stand for the first digit.
const char* take_padded(const char* p, bool fixed, unsigned from, unsigned to, unsigned& value) {
  if (*p != ' ') return take_small(p, fixed, from, to, value);
  p = take_digits(p + 1, 1, 1, value);
  return p != nullptr && value >= from && value <= to ? p : nullptr;
}

/// Up to eleven digits: seconds until the year 5138, as `epoch` takes them.
const char* take_seconds(const char* p, TimeParts& parts) {
  const char* const end = skip_digits(p);
  if (end == p || end - p > 11) return nullptr;
  std::from_chars(p, end, parts.epoch);
  parts.counted = true;
  return end;
}

/// Units since 1970. Those below a second are the last digits of the text; what stands behind a
/// point is less than a unit, and is only kept of seconds.
const char* take_count(const char* p, EpochUnit unit, TimeParts& parts) {
  constexpr std::array<int, 4> kBelowSecond = {0, 3, 6, 9};
  const int below = kBelowSecond[static_cast<std::size_t>(unit)];
  const char* const end = skip_digits(p);
  const auto count = static_cast<int>(end - p);
  // A number of nanoseconds has to fit into 64 bits: 19 digits do.
  if (count == 0 || count > std::min(11 + below, 19)) return nullptr;
  const char* const whole = end - std::min(count, below);
  if (whole != p) std::from_chars(p, whole, parts.epoch);
  parts.counted = true;
  parts.fraction = {whole, static_cast<std::size_t>(end - whole)};
  parts.fraction_zeros = static_cast<unsigned>(std::max(0, below - count));
  if (*end != '.' || !is_digit(end[1])) return end;
  const char* const behind = skip_digits(end + 1);
  if (below == 0) parts.fraction = {end + 1, static_cast<std::size_t>(behind - end - 1)};
  return behind;
}

bool is_of_zone_name(char c) {
  return is_letter(c) || is_digit(c) || c == '/' || c == '_' || c == '+' || c == '-';
}

}  // namespace

const char* TimeLayout::take_zone(const char* p, TimeParts& parts) const {
  const char* end = p;
  while (is_of_zone_name(*end)) ++end;
  const std::string_view name(p, static_cast<std::size_t>(end - p));
  // The format's own names come first: it may mean another CET than the database.
  for (const auto& [known, offset] : zones_) {
    if (known != name) continue;
    parts.has_offset = true;
    parts.offset = offset;
    return end;
  }
  if (name == "Z" || name == "UTC" || name == "GMT") {
    parts.has_offset = true;
    return end;
  }
  parts.zone = zone_of_text(name);
  return parts.zone == nullptr ? nullptr : end;
}

/// The directives of a clock.
const char* TimeLayout::take_clock(const Step& step, const char* p, TimeParts& parts) const {
  switch (step.directive) {
    case Directive::hour:
      return take_small(p, step.fixed, 0, 23, parts.hour);
    case Directive::padded_hour:
      return take_padded(p, step.fixed, 0, 23, parts.hour);
    case Directive::hour12:
      p = take_small(p, step.fixed, 1, 12, parts.hour);
      break;
    case Directive::padded_hour12:
      p = take_padded(p, step.fixed, 1, 12, parts.hour);
      break;
    case Directive::minute:
      return take_small(p, step.fixed, 0, 59, parts.minute);
    case Directive::second:
      return take_small(p, step.fixed, 0, 60, parts.second);
    case Directive::fraction: {
      const char* const end = skip_digits(p);
      parts.fraction = {p, static_cast<std::size_t>(end - p)};
      return end == p ? nullptr : end;
    }
    case Directive::half:
      if (lower(p[0]) == 'p' && lower(p[1]) == 'm') {
        parts.afternoon = true;
      } else if (lower(p[0]) != 'a' || lower(p[1]) != 'm') {
        return nullptr;
      }
      return p + 2;
    default:
      return nullptr;
  }
  // 12 AM is midnight and 12 PM noon.
  parts.hour %= 12;
  return p;
}

const char* TimeLayout::take(const Step& step, const char* p, TimeParts& parts) const {
  unsigned value = 0;
  switch (step.directive) {
    case Directive::literal:
      return *p == step.letter ? p + 1 : nullptr;
    case Directive::blanks:
      if (*p != ' ' && *p != '\t') return nullptr;
      while (*p == ' ' || *p == '\t') ++p;
      return p;
    case Directive::year:
      p = take_digits(p, 4, 4, value);
      parts.year = static_cast<int>(value);
      parts.has_year = true;
      return p;
    case Directive::short_year:
      p = take_digits(p, 2, 2, value);
      parts.year = static_cast<int>(value < 69 ? 2000 + value : 1900 + value);
      parts.has_year = true;
      return p;
    case Directive::month:
      return take_small(p, step.fixed, 1, 12, parts.month);
    case Directive::month_name:
      p = take_name(p, kMonthNames, value);
      parts.month = value + 1;
      return p;
    case Directive::day:
      return take_small(p, step.fixed, 1, 31, parts.day);
    case Directive::padded_day:
      return take_padded(p, step.fixed, 1, 31, parts.day);
    case Directive::day_of_year:
      p = take_digits(p, step.fixed ? 3 : 1, 3, parts.day_of_year);
      return p != nullptr && parts.day_of_year >= 1 && parts.day_of_year <= 366 ? p : nullptr;
    case Directive::weekday:
      return take_name(p, kWeekdayNames, value);
    case Directive::offset:
      parts.has_offset = true;
      return parse_iso_offset(p, parts.offset);
    case Directive::zone:
      return take_zone(p, parts);
    case Directive::epoch:
      return take_seconds(p, parts);
    case Directive::counted:
      return take_count(p, step.unit, parts);
    case Directive::iso_time:
      return parse_iso_time(p, '\n', false, parts);
    case Directive::iso_clock:
      return parse_iso_clock(p, parts);
    default:
      return take_clock(step, p, parts);
  }
}

const char* TimeLayout::parse(const char* p, TimeParts& parts, Failure* failure) const {
  for (const Step& step : steps_) {
    const char* const next = take(step, p, parts);
    if (next == nullptr) {
      if (failure != nullptr) *failure = {static_cast<std::size_t>(&step - steps_.data()), p};
      return nullptr;
    }
    p = next;
  }
  // Behind all steps, since AM and PM may stand before the hour.
  if (std::exchange(parts.afternoon, false)) parts.hour += 12;
  return p;
}

}  // namespace caravel::formatter
