// The parsers of typed values, one for each capture type.
//
// Each takes the place where the value begins, and returns the place behind the value or nullptr if
// no such value stands there. All rely on the '\n' that ends every line: no value holds one, so a
// parser that reads byte by byte stops there, and none needs to know where the line ends. Those
// that read eight bytes at once may look at bytes behind the line (kReadableBehind) but take none
// of them. Parsers of what nearly every line holds are inline, the others are in parsers.cc.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/eight_bytes.h"
#include "base/text.h"
#include "formatter/patterns/op.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline unsigned two_digits(const char* p) {
  return static_cast<unsigned>(p[0] - '0') * 10 + static_cast<unsigned>(p[1] - '0');
}

/// Digits with single bytes between them, up to eight bytes in all: checked in one go.
class DigitShape {
 public:
  /// `zeros` like "00:00:00" and `most` like "29:59:69": no digit may be greater.
  constexpr DigitShape(std::string_view zeros, std::string_view most) {
    for (std::size_t i = 0; i < zeros.size(); ++i) {
      const auto shift = 8 * i;
      const auto room = static_cast<std::uint64_t>(0x7f - (most[i] - zeros[i]));
      mask_ |= std::uint64_t{0xff} << shift;
      zeros_ |= std::uint64_t{static_cast<unsigned char>(zeros[i])} << shift;
      room_ |= room << shift;
    }
  }
  /// The bytes at `p` less `zeros`; false if one is too great.
  bool take(const char* p, std::uint64_t& values) const {
    values = (load8(p) & mask_) ^ zeros_;
    return (((values + room_) | values) & in_every_byte(0x80)) == 0;
  }
  /// Of what take() gave: the number that the digits at `i` and behind it make.
  static unsigned number_at(std::uint64_t values, unsigned i) {
    const auto two = static_cast<unsigned>(values >> (8 * i));
    return (two & 0xff) * 10 + ((two >> 8) & 0xff);
  }

 private:
  std::uint64_t mask_ = 0;
  std::uint64_t zeros_ = 0;
  std::uint64_t room_ = 0;  // a greater digit overflows into the highest bit
};
inline constexpr DigitShape kClock("00:00:00", "29:59:69");
inline constexpr DigitShape kMonthDay("00/00", "19/39");

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

inline bool ends_word(char c, char stop) {
  return (kWordClasses[static_cast<unsigned char>(c)] & kByteEnds) != 0 || c == stop;
}

/// Bytes up to a blank, `stop` or the line's end; at least one.
inline const char* parse_word(const char* p, char stop, Capture& capture) {
  const char* const begin = p;
  std::uint32_t classes = 0;
  for (;; p += 8) {
    // What may end a word is a control character, a blank or `stop`.
    const std::uint64_t bytes = load8(p);
    const std::uint64_t ends = mark_less(bytes, ' ' + 1) | mark_equal(bytes, stop);
    const std::uint64_t quotes = mark_equal(bytes, ',') | mark_equal(bytes, '"');
    if (ends == 0) {
      if (quotes != 0) classes = kByteQuotes;
      continue;
    }
    // The bytes ahead of the lowest mark.
    if ((quotes & (ends - 1) & ~ends) != 0) classes = kByteQuotes;
    p += lowest_mark(ends);
    break;
  }
  // Control characters that end no word are rare.
  for (; !ends_word(*p, stop); ++p) classes |= kWordClasses[static_cast<unsigned char>(*p)];
  if (p == begin) return nullptr;
  capture = {begin, p, classes};
  return p;
}

inline bool holds_blank(const Capture& capture) {
  return capture.text().find_first_of(" \t") != std::string_view::npos;
}

/// Up to `stop`, blanks included; may be empty.
inline const char* parse_text(const char* p, char stop, Capture& capture) {
  const char* const begin = p;
  std::uint8_t classes = 0;
  for (; *p != stop && *p != '\n'; ++p) classes |= kWordClasses[static_cast<unsigned char>(*p)];
  capture = {begin, p, classes & std::uint32_t{kNeedsQuotes}};
  return p;
}

/// Whether the literal that ends the text of `op` begins at `p`, with the blanks ahead of it.
inline bool ends_text(const char* p, const Op& op) {
  if (op.blanks_until) {
    if (!is_blank(*p)) return false;
    do ++p;
    while (is_blank(*p));
  }
  return op.until.stands_at(p);
}

/// Up to the literal that ends the text of `op`, else to the line's end; may be empty.
const char* parse_text_of(const char* p, const Op& op, Capture& capture);

/// Moves the end of a text that was captured to the next place at which it may end as well, and
/// returns that place; nullptr if there is none ahead of `limit`, which is no later than the line's
/// end. The capture is then as it was.
const char* parse_longer_text(const Op& op, const char* limit, Capture& capture);

/// A CSV field that is not empty and, if it must be a `word`, holds no blank. Captured without its
/// quotes.
inline const char* parse_field(const char* p, char stop, bool word, Capture& capture) {
  if (*p != '"') {
    const char* const end = parse_text(p, stop, capture);
    const bool quote_inside = std::memchr(p, '"', static_cast<std::size_t>(end - p)) != nullptr;
    return end == p || quote_inside || (word && holds_blank(capture)) ? nullptr : end;
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
  return word && holds_blank(capture) ? nullptr : p + 1;
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

/// An optional minus and digits, as many as there are: no number is made of them.
inline const char* parse_integer(const char* p, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const end = skip_digits(p);
  if (end == p) return nullptr;
  capture = {begin, end, 0};
  return end;
}

/// Digits of which `whole` stand before the point that was left out, and at least one behind it.
inline const char* parse_implied(const char* p, unsigned whole, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const end = skip_digits(p);
  if (end - p <= static_cast<std::ptrdiff_t>(whole)) return nullptr;
  capture = {begin, end, 0};
  return end;
}

/// With `whole` = 0 the point and what follows may be missing; else exactly `whole` digits, a
/// point, and at least one digit.
inline const char* parse_decimal(const char* p, unsigned whole, Capture& capture) {
  const char* const begin = p;
  if (*p == '-') ++p;
  const char* const point = skip_digits(p);
  const auto digits = static_cast<unsigned long>(point - p);
  if (digits == 0 || (whole != 0 && digits != whole)) return nullptr;
  const char* end = point;
  if (*point == '.') {
    end = skip_digits(point + 1);
    if (end == point + 1) return nullptr;
  } else if (whole != 0) {
    return nullptr;
  }
  capture = {begin, end, 0};
  return end;
}

/// Seconds or parts of them since 1970 (`unit` is an EpochUnit), perhaps with a fraction, up to the
/// year 5138 (nanoseconds: 2286): of more digits no calendar date could be made.
inline const char* parse_epoch(const char* p, unsigned unit, Capture& capture) {
  constexpr std::array<std::ptrdiff_t, 4> kMostDigits = {11, 14, 17, 19};
  if (*p == '-' || skip_digits(p) - p > kMostDigits[unit]) return nullptr;
  return parse_decimal(p, 0, capture);
}

/// HH:MM:SS, 00-23, 00-59, 00-60 (a leap second); a fraction may follow if `fraction`.
inline const char* parse_time(const char* p, bool fraction, Capture& capture) {
  const char* const begin = p;
  std::uint64_t values;
  if (!kClock.take(p, values) || DigitShape::number_at(values, 0) > 23 ||
      DigitShape::number_at(values, 6) > 60) {
    return nullptr;
  }
  p += 8;
  if (fraction && (*p == '.' || *p == ',') && is_digit(p[1])) p = skip_digits(p + 1);
  // A comma before the fraction must be quoted in CSV.
  capture = {begin, p, p - begin > 8 && begin[8] == ',' ? kNeedsQuotes : 0};
  return p;
}

/// MM/DD, a day that exists in the year that the table has for it.
inline const char* parse_month_day(const char* p, const YearTable& years, Capture& capture) {
  std::uint64_t values;
  if (!kMonthDay.take(p, values)) return nullptr;
  const unsigned month = DigitShape::number_at(values, 0);
  const unsigned day = DigitShape::number_at(values, 3);
  if (month - 1 > 11 || day - 1 > 30) return nullptr;
  const int year = years.year_of(month, day);
  if (year == 0) return nullptr;
  capture = {p, p + 5, pack_date(static_cast<unsigned>(year), month, day)};
  return p + 5;
}

/// A date in `layout` (%Y %m %d %b and literal bytes); it must exist in the calendar.
const char* parse_date(const char* p, std::string_view layout, Capture& capture);

/// +HHMM, -HH:MM, +HH, Z or z; `minutes` east of UTC.
const char* parse_offset(const char* p, int& minutes);
inline const char* parse_offset(const char* p, Capture& capture) {
  int minutes;
  const char* const end = parse_offset(p, minutes);
  capture = {p, end, 0};
  return end;
}

/// ISO 8601 (iso8601.h). A byte `stop` behind it stands for itself, where it could be a zone.
/// kOtherIsoForm is in the capture's number unless append_timestamp() can read its text.
const char* parse_timestamp(const char* p, char stop, Capture& capture);

/// A time as a layout says. The capture's number is the date, if there is one.
const char* parse_laid_out(const char* p, const TimeLayout& layout, const YearTable& years,
                           Capture& capture);

/// IPv4 or IPv6. With ':' as `stop` IPv4 only: it ends there (a port follows).
const char* parse_ip(const char* p, char stop, Capture& capture);

/// 8-4-4-4-12 hexadecimal digits in either case (RFC 9562, 4). Any version and variant, the Nil and
/// the Max UUID too: what a UUID means is not ours to judge.
const char* parse_uuid(const char* p, Capture& capture);

/// RFC 5424, 6.3: one element or more, [id name="value" …], in whose values a backslash keeps ", ]
/// and itself from ending anything; or "-", which says that there is none. Captured as it stands.
const char* parse_elements(const char* p, Capture& capture);

/// The longest of the op's options that stands here. With a "*" among them: the word up to `stop`
/// is one of the others, or "*".
const char* parse_choice(const char* p, const Op& op, Capture& capture);

/// One of the op's options with its brackets around it, else, if "*" or no option was given, any
/// word that begins with '[' and ends with ']'. Captured without the brackets.
inline const char* parse_bracketed(const char* p, const Op& op, Capture& capture) {
  if (*p != '[') return nullptr;
  const std::size_t named = op.named_options;
  for (std::size_t i = 0; i < named; ++i) {
    const FixedText& word = op.options[i].word;
    if (word.stands_at(p) && ends_word(p[word.size()], op.stop)) {
      capture = {p + 1, p + word.size() - 1, static_cast<std::uint32_t>(i)};
      return p + word.size();
    }
  }
  if (named != 0 && !op.any_word) return nullptr;
  Capture word;
  const char* const end = parse_word(p, op.stop, word);
  if (end == nullptr || end - p < 2 || end[-1] != ']') return nullptr;
  capture = {p + 1, end - 1, op.any_word ? static_cast<std::uint32_t>(named) : word.number};
  return end;
}

}  // namespace caravel::formatter
