// Parsers of typed values. Each takes the place where the value begins and returns the place behind
// it, or nullptr if there is no such value. All rely on the '\n' that ends every line: no value
// holds one, so no parser can run past it and none needs to know where the line ends.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "formatter/pattern.h"

namespace caravel::formatter {

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline unsigned two_digits(const char* p) {
  return static_cast<unsigned>(p[0] - '0') * 10 + static_cast<unsigned>(p[1] - '0');
}

/// Bits say how a byte counts inside a word.
constexpr std::uint8_t kByteQuotes = 1;  // forces quotes in CSV
constexpr std::uint8_t kByteEnds = 2;    // ends a word

constexpr std::array<std::uint8_t, 256> make_word_classes() {
  std::array<std::uint8_t, 256> table{};
  table[','] = table['"'] = table['\r'] = kByteQuotes;
  table[' '] = table['\t'] = table['\n'] = kByteEnds;
  return table;
}
inline constexpr std::array<std::uint8_t, 256> kWordClasses = make_word_classes();

inline const char* parse_word(const char* p, char stop, Capture& capture) {
  const char* const begin = p;
  std::uint8_t classes = 0;
  for (;; ++p) {
    const std::uint8_t byte_class = kWordClasses[static_cast<unsigned char>(*p)];
    if ((byte_class & kByteEnds) != 0 || *p == stop) break;
    classes |= byte_class;
  }
  if (p == begin) return nullptr;
  capture = {begin, p, classes};
  return p;
}

/// Up to `stop`, blanks included; may be empty.
inline const char* parse_text(const char* p, char stop, Capture& capture) {
  const char* const begin = p;
  std::uint8_t classes = 0;
  for (; *p != stop && *p != '\n'; ++p) classes |= kWordClasses[static_cast<unsigned char>(*p)];
  capture = {begin, p, classes & std::uint32_t{kNeedsQuotes}};
  return p;
}

/// A CSV field that is not empty. Captured without its quotes.
inline const char* parse_field(const char* p, char stop, Capture& capture) {
  if (*p != '"') {
    const char* const end = parse_text(p, stop, capture);
    const bool quote_inside = std::memchr(p, '"', static_cast<std::size_t>(end - p)) != nullptr;
    return end == p || quote_inside ? nullptr : end;
  }
  const char* const begin = ++p;
  std::uint32_t flags = kNeedsQuotes;
  for (; *p != '\n'; ++p) {
    if (*p != '"') continue;
    if (p[1] != '"') break;
    flags |= kDoubledQuotes;
    ++p;
  }
  if (*p != '"' || p == begin) return nullptr;
  capture = {begin, p, flags};
  return p + 1;
}

/// "…" where a backslash keeps the byte behind it; captured without the quotes, backslashes kept.
inline const char* parse_quoted(const char* p, Capture& capture) {
  if (*p != '"') return nullptr;
  const char* const begin = ++p;
  std::uint8_t classes = 0;
  for (; *p != '"'; ++p) {
    if (*p == '\\') ++p;
    if (*p == '\n') return nullptr;
    classes |= kWordClasses[static_cast<unsigned char>(*p)];
  }
  capture = {begin, p, classes & std::uint32_t{kNeedsQuotes}};
  return p + 1;
}

inline const char* parse_digits(const char* p) {
  while (is_digit(*p)) ++p;
  return p;
}

inline const char* parse_integer(const char* p, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const end = parse_digits(p);
  if (end == p) return nullptr;
  capture = {begin, end, 0};
  return end;
}

/// Digits of which `whole` stand before the point that was left out, and at least one behind it.
inline const char* parse_implied(const char* p, unsigned whole, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const end = parse_digits(p);
  if (end - p <= static_cast<std::ptrdiff_t>(whole)) return nullptr;
  capture = {begin, end, 0};
  return end;
}

/// With `whole` = 0 the point and what follows may be missing; else exactly `whole` digits, a
/// point, and at least one digit.
inline const char* parse_decimal(const char* p, unsigned whole, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const point = parse_digits(p);
  const auto digits = static_cast<unsigned long>(point - p);
  if (digits == 0 || (whole != 0 && digits != whole)) return nullptr;
  const char* end = point;
  if (*point == '.') {
    end = parse_digits(point + 1);
    if (end == point + 1) return nullptr;
  } else if (whole != 0) {
    return nullptr;
  }
  capture = {begin, end, 0};
  return end;
}

/// Seconds (or milliseconds) since 1970, perhaps with a fraction, up to the year 5138: of more
/// digits no calendar date could be made.
inline const char* parse_epoch(const char* p, bool milliseconds, Capture& capture) {
  const std::ptrdiff_t most_digits = milliseconds ? 14 : 11;
  if (*p == '-' || parse_digits(p) - p > most_digits) return nullptr;
  return parse_decimal(p, 0, capture);
}

/// HH:MM:SS, 00-23, 00-59, 00-60 (a leap second); a fraction may follow if `fraction`.
inline const char* parse_time(const char* p, bool fraction, Capture& capture) {
  const char* const begin = p;
  if (!is_digit(p[0]) || !is_digit(p[1]) || p[2] != ':' || !is_digit(p[3]) || !is_digit(p[4]) ||
      p[5] != ':' || !is_digit(p[6]) || !is_digit(p[7])) {
    return nullptr;
  }
  if (two_digits(p) > 23 || two_digits(p + 3) > 59 || two_digits(p + 6) > 60) return nullptr;
  p += 8;
  if (fraction && (*p == '.' || *p == ',') && is_digit(p[1])) p = parse_digits(p + 1);
  // A comma before the fraction must be quoted in CSV.
  capture = {begin, p, p - begin > 8 && begin[8] == ',' ? kNeedsQuotes : 0};
  return p;
}

inline const char* parse_month_day(const char* p, const YearTable& years, Capture& capture) {
  if (!is_digit(p[0]) || !is_digit(p[1]) || p[2] != '/' || !is_digit(p[3]) || !is_digit(p[4])) {
    return nullptr;
  }
  const unsigned month = two_digits(p);
  const unsigned day = two_digits(p + 3);
  if (month - 1 > 11 || day - 1 > 30) return nullptr;
  const int year = years.year_of(month, day);
  if (year == 0) return nullptr;
  capture = {p, p + 5, pack_date(static_cast<unsigned>(year), month, day)};
  return p + 5;
}

/// A date in `layout` (%Y %m %d %b and literal bytes); it must exist in the calendar.
const char* parse_date(const char* p, std::string_view layout, Capture& capture);

/// +HHMM, -HH:MM or Z; `minutes` east of UTC.
const char* parse_offset(const char* p, int& minutes);

/// ISO 8601: date, T or a blank, time, perhaps a fraction and a zone.
const char* parse_timestamp(const char* p, Capture& capture);

/// IPv4 or IPv6. With ':' as `stop` IPv4 only: it ends there (a port follows).
const char* parse_ip(const char* p, char stop, Capture& capture);

/// The longest of `options` that stands here. With a "*" among them: the word up to `stop` is one
/// of the others, or "*".
const char* parse_choice(const char* p, const Op& op, Capture& capture);

inline const char* parse_bracketed(const char* p, const Op& op, Capture& capture) {
  if (*p != '[') return nullptr;
  Capture word;
  const char* const end = parse_word(p, op.stop, word);
  if (end == nullptr || end - p < 2 || end[-1] != ']') return nullptr;
  capture = {p + 1, end - 1, word.number};
  if (op.options.empty()) return end;
  const std::string_view inside = capture.text();
  for (std::size_t i = 0; i < op.options.size(); ++i) {
    const std::string& option = op.options[i].first;
    if (option == inside || option == "*") {
      capture.number = static_cast<std::uint32_t>(i);
      return end;
    }
  }
  return nullptr;
}

}  // namespace caravel::formatter
