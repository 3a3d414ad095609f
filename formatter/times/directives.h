// The directives of time layouts: what stands behind a '%'. docs/times.md shows each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace caravel::formatter {

/// What one step of a layout takes from the text.
enum class Directive : std::uint8_t {
  literal,      // a byte that stands for itself
  blanks,       // one or more blanks or tabs
  year,         // four digits
  short_year,   // two digits: 69-99 are of the 20th century, 00-68 of the 21st (POSIX)
  month,        // 01-12
  month_name,   // English, short or long, in any case
  day,          // 01-31
  padded_day,   // the same, a blank may stand for the zero
  day_of_year,  // 001-366
  weekday,      // English, short or long: a name, which is not compared with the date
  hour,         // 00-23
  padded_hour,
  hour12,  // 01-12
  padded_hour12,
  half,    // AM or PM
  minute,  // 00-59
  second,  // 00-60
  fraction,
  offset,  // +hhmm, +hh:mm, +hh, Z
  zone,    // a name
  epoch,   // seconds since 1970
  // Not to be had by a '%':
  iso_time,   // ISO 8601, all of it
  iso_clock,  // HH:MM:SS, perhaps with a fraction
  counted,    // `epoch(s)` to `epoch(ns)`
};

/// What a directive says of a time. A layout says each of these once at most.
constexpr std::uint16_t kSaysYear = 1 << 0;
constexpr std::uint16_t kSaysMonth = 1 << 1;
constexpr std::uint16_t kSaysDay = 1 << 2;
constexpr std::uint16_t kSaysDayOfYear = 1 << 3;
constexpr std::uint16_t kSaysWeekday = 1 << 4;
constexpr std::uint16_t kSaysHour = 1 << 5;
constexpr std::uint16_t kSaysHour12 = 1 << 6;
constexpr std::uint16_t kSaysHalf = 1 << 7;
constexpr std::uint16_t kSaysMinute = 1 << 8;
constexpr std::uint16_t kSaysSecond = 1 << 9;
constexpr std::uint16_t kSaysFraction = 1 << 10;
constexpr std::uint16_t kSaysZone = 1 << 11;
constexpr std::uint16_t kSaysEpoch = 1 << 12;

/// A directive as a layout writes it.
struct DirectiveRow {
  char letter = 0;
  Directive directive = Directive::literal;
  std::uint16_t says = 0;
  bool digits = false;         // its text is digits, fewer than the most if something else follows
  std::string_view meaning{};  // for people: "a month 01-12"
  std::string_view stands_for{};  // the directives that it is short for
};

/// nullptr if no directive has that letter.
[[nodiscard]] const DirectiveRow* find_directive(char letter);
/// nullptr for the steps that no '%' makes.
[[nodiscard]] const DirectiveRow* row_of_directive(Directive directive);
/// "%a, %A, …": all that there are.
[[nodiscard]] std::string known_directives();

}  // namespace caravel::formatter
