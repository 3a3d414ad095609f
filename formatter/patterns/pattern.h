// Line patterns: literals and typed captures, compiled to a flat program that one pass over the
// line runs.
//
// A pattern is text in which {name:type} or {type} stands for a value. A blank stands for one or
// more blanks or tabs if the format says `blanks: any`, else for itself; "{{" for a brace.
// docs/formats.md lists the types.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/patterns/eight_bytes.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

enum class OpCode : std::uint8_t {
  literal,    // no value: its text is all
  word,       // no blanks; ends before a blank or the next literal's first byte
  field,      // a CSV field, quoted or not, not empty
  text,       // anything up to the next literal's first byte
  rest,       // anything up to the end of the line
  quoted,     // "…", a backslash keeps the next byte from ending it
  bracketed,  // a word that begins with [ and ends with ]
  choice,     // one of a few words
  integer,    // optional minus, digits
  implied,    // digits whose decimal point was left out after the first `arg`
  decimal,    // digits with or without a point; with `arg`: exactly that many before a point
  time,       // HH:MM:SS, `arg`: a fraction may follow
  month_day,  // MM/DD, the year comes from the YearTable
  date,       // as the strptime-like text says: %Y %m %d %b
  timestamp,  // ISO 8601 date and time, with or without fraction and zone
  offset,     // +HHMM, -HH:MM or Z
  epoch,      // seconds since 1970, a fraction may follow; `arg`: milliseconds
  ip,         // IPv4 or IPv6 address
};

/// What one op captured. For dates `number` is packed (see pack_date); for choices the index of the
/// option; for words and fields it says how they must be written (see below).
struct Capture {
  const char* begin = nullptr;
  const char* end = nullptr;
  std::uint32_t number = 0;
  [[nodiscard]] std::string_view text() const {
    return {begin, static_cast<std::size_t>(end - begin)};
  }
};

/// Bits of Capture::number for textual captures.
constexpr std::uint32_t kNeedsQuotes = 1;    // holds a comma, a quote or a CR
constexpr std::uint32_t kDoubledQuotes = 2;  // "" inside stands for one quote

constexpr std::uint32_t pack_date(unsigned year, unsigned month, unsigned day) {
  return (year << 9) | (month << 5) | day;
}
constexpr unsigned packed_year(std::uint32_t date) { return date >> 9; }
constexpr unsigned packed_month(std::uint32_t date) { return (date >> 5) & 15; }
constexpr unsigned packed_day(std::uint32_t date) { return date & 31; }

/// One of a few words, and what is written for it.
struct Option {
  FixedText word;  // of bracketed ones with its brackets
  std::string value;
  bool operator==(const Option&) const = default;
};

struct Op {
  OpCode code = OpCode::literal;
  std::uint8_t arg = 0;
  std::uint8_t capture = 0;
  char stop = '\n';  // the byte that ends it, for values that go on until something begins
  bool blanks_before = false;      // one or more, ahead of everything
  bool any_word = false;           // the last option is "*": it stands for every other word
  std::uint8_t named_options = 0;  // the others
  FixedText text;                  // stands between blanks and value, if it is not empty
  std::string layout;              // of a date
  std::vector<Option> options;
  bool operator==(const Op&) const = default;
};

constexpr std::size_t kMaxOps = 128;
constexpr std::size_t kMaxCaptures = 64;

/// How many bytes behind the '\n' that ends a line must be readable: the parsers take several bytes
/// at a time.
constexpr std::size_t kReadableBehind = 16;

/// Where a match got to; reused from line to line and from kind to kind.
struct MatchState {
  std::array<Capture, kMaxCaptures> captures;
  std::array<const char*, kMaxOps + 1> at;  // where each op began, its blanks included
  // Where and why the last match failed:
  const char* failed_at = nullptr;
  enum class Wanted : std::uint8_t { blank, text, value } wanted = Wanted::value;
};

class Pattern {
 public:
  /// Compiles `text`. Errors are sentences without place: the caller adds file, line and key.
  static Result<Pattern> compile(std::string_view text, bool any_blanks);

  /// Runs the ops from `first` on at state.at[first]. The line must end with '\n' at `end`, with
  /// kReadableBehind. Returns the index of the op that did not match, ops().size() if text was left
  /// over (the place is in state.failed_at), or kMatched.
  [[nodiscard]] std::size_t match(std::size_t first, const char* end, const YearTable& years,
                                  MatchState& state) const;
  static constexpr std::size_t kMatched = ~std::size_t{0};

  [[nodiscard]] const std::vector<Op>& ops() const { return ops_; }
  /// Names of the captures by slot; "" for those that are only checked.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// The op that fills a slot.
  [[nodiscard]] const Op& op_of(std::size_t capture) const;
  /// How many leading ops this pattern shares with `other`, captures included.
  [[nodiscard]] std::size_t shared_with(const Pattern& other) const;
  /// What op `index` wanted, for people: `a blank`, `"FOM:"`, `a time HH:MM:SS`.
  [[nodiscard]] std::string expectation(std::size_t index, MatchState::Wanted wanted) const;

 private:
  /// A capture as the pattern has it, without its argument: "Lat:implied".
  [[nodiscard]] std::string label(const Op& op) const;

  std::vector<Op> ops_;
  std::vector<std::string> names_;
};

}  // namespace caravel::formatter
