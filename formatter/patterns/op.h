// What a compiled pattern is made of, and what one capture of a line is. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/eight_bytes.h"
#include "formatter/times/layout.h"

namespace caravel::formatter {

/// The types of captures; capture_types.h lists them. The value 0 is the literal, which captures
/// nothing.
enum class CaptureType : std::uint8_t;

/// The place in the line that one op captured. `begin` and `end` point into the line.
struct Capture {
  const char* begin = nullptr;
  const char* end = nullptr;
  /// What the parser found out and nobody has to find out again. For dates: the packed date (see
  /// pack_date). For options: the index of the option. For text: the bits below. Else 0.
  std::uint32_t number = 0;
  [[nodiscard]] std::string_view text() const {
    return {begin, static_cast<std::size_t>(end - begin)};
  }
};

/// Bits of Capture::number for textual captures.
constexpr std::uint32_t kNeedsQuotes = 1;    // holds a comma, a quote or a CR
constexpr std::uint32_t kDoubledQuotes = 2;  // "" inside stands for one quote
/// The same of a timestamp: one of the forms that append_timestamp() does not know.
constexpr std::uint32_t kOtherIsoForm = 4;

/// A date in one number that is quick to compare; it is never written anywhere.
constexpr std::uint32_t pack_date(unsigned year, unsigned month, unsigned day) {
  return (year << 9) | (month << 5) | day;
}
constexpr unsigned packed_year(std::uint32_t date) { return date >> 9; }
constexpr unsigned packed_month(std::uint32_t date) { return (date >> 5) & 15; }
constexpr unsigned packed_day(std::uint32_t date) { return date & 31; }

/// How a captured value is written into a column. RowWriter::put_column writes them.
enum class Emit : std::uint8_t {
  nothing,     // this kind has no such value
  constant,    // the same text for every line of the kind
  plain,       // the bytes as they are: they never need quotes
  textual,     // the bytes, quoted where CSV wants it
  lower_case,  // the bytes with A-Z as a-z: they never need quotes
  implied,     // the point put back behind the first `digits`
  iso_date,    // YYYY-MM-DD
  iso_time,    // what a layout read, as ISO 8601
  option,      // the value of the option that was found
};

/// One of a few words, and what is written for it.
struct Option {
  FixedText word;  // of bracketed ones with its brackets
  std::string value;
  bool operator==(const Option&) const = default;
};

/// One step of a pattern: blanks, then a literal text, then a value. Each of the three may be
/// missing, but not all of them.
struct Op {
  CaptureType type{};
  std::uint8_t arg = 0;  // a number of digits, an EpochUnit, or 1 if the type's one word was given
  std::uint8_t capture = 0;
  char stop = '\n';  // the byte that ends it, for values that go on until something begins
  bool blanks_before = false;      // one or more, ahead of everything
  bool any_word = false;           // the last option is "*": it stands for every other word
  bool ends_at_text = false;       // of type text: it ends at `until`, which is more than one byte
  bool blanks_until = false;       // blanks stand ahead of `until`, and belong to what ends it
  std::uint8_t named_options = 0;  // the others
  FixedText text;                  // stands between blanks and value, if it is not empty
  FixedText until;                 // the literal of the next op, if `ends_at_text`
  std::string layout;              // of a date of %Y, %m or %b, %d
  std::vector<TimeLayout> times;   // the layout of all other times; one at most
  std::vector<Option> options;
  bool operator==(const Op&) const = default;
};

constexpr std::size_t kMaxOps = 128;
constexpr std::size_t kMaxCaptures = 64;

/// How many bytes behind the '\n' that ends a line must be readable: the parsers take several bytes
/// at a time.
constexpr std::size_t kReadableBehind = 16;

}  // namespace caravel::formatter
