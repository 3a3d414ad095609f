// The types of captures, {NAME:TYPE(ARGUMENT)} in a pattern: all that the program knows of a type
// stands in this file, but for the parser of its values, which is in parsers.h.
//
// To add a type: an enumerator, a row in kCaptureRows, a case in parse(). The compiler refuses an
// enumerator without a row (static_assert) or without a case (-Wswitch), and the tests refuse a
// type that docs/formats.md does not show. A type whose values are written in a way of their own
// takes an Emit as well (op.h); the compiler then asks for its case in RowWriter::put_column.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formatter/patterns/op.h"
#include "formatter/patterns/parsers.h"
#include "formatter/patterns/year.h"

namespace caravel::formatter {

enum class CaptureType : std::uint8_t {
  literal,    // no type: an op without a value
  word,       // no blanks; ends before a blank or the next literal's first byte
  field,      // a CSV field, quoted or not, not empty
  text,       // anything up to the next literal, all of it; the only type that may end later too
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
  epoch,      // seconds since 1970, a fraction may follow; `arg`: the unit
  ip,         // IPv4 or IPv6 address
  uuid,       // RFC 9562: 8-4-4-4-12 hexadecimal digits
  elements,   // RFC 5424 structured data: [id name="value"] and more, or -
  // What a time becomes if a layout is given for it. Types of their own, so that the others do not
  // have to ask.
  laid_out_clock,
  laid_out_month_day,
  laid_out_date,
  laid_out_moment,
  laid_out_offset,
  count  // no type: how many there are
};

/// What may stand in parentheses behind the name of a type.
enum class Argument : std::uint8_t {
  none,
  one_word,           // nothing, or the type's `argument_word`: Op::arg
  digits,             // a number of digits: Op::arg
  optional_digits,    // the same, or nothing
  layout,             // nothing, the type's `argument_word`, or a layout: Op::times
  date_layout,        // a layout. %Y, %m or %b, %d alone, or nothing for ISO: Op::layout
  epoch_unit,         // s, ms, us, ns, or nothing: Op::arg
  options,            // WORD or WORD=VALUE, with commas between: Op::options
  bracketed_options,  // the same, or nothing; each word stands in brackets in the line
};

/// What tells where a value ends.
enum class Ends : std::uint8_t {
  by_shape,             // its own shape: no more digits, say
  by_shape_and_next,    // the same, but the parser must know which byte the literal behind it has
  at_next,              // the first byte of what follows (text: all of it), so something must
  at_next_if_any_word,  // the same, if "*" is one of its options
  at_line_end,
};

/// Which part of a row's time a value can be (`time:` of a format).
enum class TimePart : std::uint8_t {
  none,
  date,
  date_without_year,
  clock,
  offset,
  timestamp,
  epoch,
};

/// What the program knows of one type.
struct CaptureRow {
  CaptureType type{};
  std::string_view name;         // in patterns
  std::string_view expectation;  // in reasons: "expected a word at byte 3"
  Argument argument = Argument::none;
  std::string_view argument_word{};  // of Argument::one_word, and of a layout
  CaptureType laid_out{};            // of Argument::layout: the type with a layout, and its use
  LayoutUse use{};
  Ends ends = Ends::by_shape;
  Emit emit = Emit::textual;  // how a value is written, unless one of its options says it
  bool number = false;        // stores that have types get a number
  TimePart time = TimePart::none;
};

/// In the order of the enumerators.
inline constexpr auto kCaptureRows = std::to_array<CaptureRow>({
    {.type = CaptureType::literal, .name = "", .expectation = "text"},
    {.type = CaptureType::word, .name = "word", .expectation = "a word", .ends = Ends::at_next},
    {.type = CaptureType::field,
     .name = "field",
     .expectation = "a CSV field that is not empty",
     .argument = Argument::one_word,
     .argument_word = "word",
     .ends = Ends::at_next},
    {.type = CaptureType::text, .name = "text", .expectation = "text", .ends = Ends::at_next},
    {.type = CaptureType::rest,
     .name = "rest",
     .expectation = "the rest of the line",
     .ends = Ends::at_line_end},
    {.type = CaptureType::quoted, .name = "quoted", .expectation = "a quoted string"},
    {.type = CaptureType::bracketed,
     .name = "bracketed",
     .expectation = "a word in brackets",
     .argument = Argument::bracketed_options,
     .ends = Ends::at_next},
    {.type = CaptureType::choice,
     .name = "choice",
     .expectation = "one of",
     .argument = Argument::options,
     .ends = Ends::at_next_if_any_word},
    {.type = CaptureType::integer,
     .name = "int",
     .expectation = "a whole number",
     .emit = Emit::plain,
     .number = true},
    {.type = CaptureType::implied,
     .name = "implied",
     .expectation = "digits with an implied point",
     .argument = Argument::digits,
     .emit = Emit::implied,
     .number = true},
    {.type = CaptureType::decimal,
     .name = "decimal",
     .expectation = "a decimal number",
     .argument = Argument::optional_digits,
     .emit = Emit::plain,
     .number = true},
    {.type = CaptureType::time,
     .name = "time",
     .expectation = "a time HH:MM:SS",
     .argument = Argument::layout,
     .argument_word = "fraction",
     .laid_out = CaptureType::laid_out_clock,
     .use = LayoutUse::clock,
     .time = TimePart::clock},
    {.type = CaptureType::month_day,
     .name = "month-day",
     .expectation = "a date MM/DD that exists",
     .argument = Argument::layout,
     .laid_out = CaptureType::laid_out_month_day,
     .use = LayoutUse::month_day,
     .emit = Emit::iso_date,
     .time = TimePart::date_without_year},
    {.type = CaptureType::date,
     .name = "date",
     .expectation = "a date that exists",
     .argument = Argument::date_layout,
     .laid_out = CaptureType::laid_out_date,
     .use = LayoutUse::date,
     .emit = Emit::iso_date,
     .time = TimePart::date},
    {.type = CaptureType::timestamp,
     .name = "timestamp",
     .expectation = "an ISO 8601 date and time",
     .argument = Argument::layout,
     .laid_out = CaptureType::laid_out_moment,
     .use = LayoutUse::moment,
     .ends = Ends::by_shape_and_next,
     .time = TimePart::timestamp},
    {.type = CaptureType::offset,
     .name = "offset",
     .expectation = "a UTC offset",
     .argument = Argument::layout,
     .laid_out = CaptureType::laid_out_offset,
     .use = LayoutUse::offset,
     .emit = Emit::plain,
     .time = TimePart::offset},
    {.type = CaptureType::epoch,
     .name = "epoch",
     .expectation = "seconds since 1970",
     .argument = Argument::epoch_unit,
     .emit = Emit::plain,
     .number = true,
     .time = TimePart::epoch},
    {.type = CaptureType::ip,
     .name = "ip",
     .expectation = "an IP address",
     .ends = Ends::by_shape_and_next,
     .emit = Emit::plain},
    {.type = CaptureType::uuid, .name = "uuid", .expectation = "a UUID", .emit = Emit::lower_case},
    {.type = CaptureType::elements, .name = "structured", .expectation = "structured data"},
    // Of equal names the first is the type that patterns ask for. What these expect goes on with
    // the text of the layout.
    {.type = CaptureType::laid_out_clock,
     .name = "time",
     .expectation = "a time as",
     .emit = Emit::iso_time,
     .time = TimePart::clock},
    {.type = CaptureType::laid_out_month_day,
     .name = "month-day",
     .expectation = "a date as",
     .emit = Emit::iso_date,
     .time = TimePart::date_without_year},
    {.type = CaptureType::laid_out_date,
     .name = "date",
     .expectation = "a date as",
     .emit = Emit::iso_date,
     .time = TimePart::date},
    {.type = CaptureType::laid_out_moment,
     .name = "timestamp",
     .expectation = "a time as",
     .emit = Emit::iso_time,
     .time = TimePart::timestamp},
    {.type = CaptureType::laid_out_offset,
     .name = "offset",
     .expectation = "a zone as",
     .emit = Emit::plain,
     .time = TimePart::offset},
});

/// Whether each enumerator has its row, and each row stands where row_of() looks for it.
constexpr bool capture_rows_are_complete() {
  if (kCaptureRows.size() != static_cast<std::size_t>(CaptureType::count)) return false;
  for (std::size_t i = 0; i < kCaptureRows.size(); ++i) {
    if (kCaptureRows[i].type != static_cast<CaptureType>(i)) return false;
  }
  return true;
}
static_assert(capture_rows_are_complete(),
              "a capture type has no row in kCaptureRows, or the rows are in another order");

constexpr const CaptureRow& row_of(CaptureType type) {
  return kCaptureRows[static_cast<std::size_t>(type)];
}

/// Whether the year of what `op` captures comes from the YearTable. Capture::number is its date.
inline bool lacks_year(const Op& op) {
  return row_of(op.type).time == TimePart::date_without_year ||
         (!op.times.empty() && op.times.front().lacks_year());
}

/// The place behind the value that `op` wants at `p`, or nullptr if there is none. Pattern::match
/// calls it for every op of every line. It is a switch and always inlined, so that the parsers
/// become part of that loop: a call for each op costs 2 to 8 % of all instructions.
[[gnu::always_inline]] inline const char* parse(const Op& op, const char* p, const YearTable& years,
                                                Capture& capture) {
  switch (op.type) {
    case CaptureType::literal:
      return p;
    case CaptureType::word:
      return parse_word(p, op.stop, capture);
    case CaptureType::field:
      return parse_field(p, op.stop, op.arg != 0, capture);
    case CaptureType::text:
      return parse_text_of(p, op, capture);
    case CaptureType::rest:
      return parse_text(p, '\n', capture);
    case CaptureType::quoted:
      return parse_quoted(p, capture);
    case CaptureType::bracketed:
      return parse_bracketed(p, op, capture);
    case CaptureType::choice:
      return parse_choice(p, op, capture);
    case CaptureType::integer:
      return parse_integer(p, capture);
    case CaptureType::implied:
      return parse_implied(p, op.arg, capture);
    case CaptureType::decimal:
      return parse_decimal(p, op.arg, capture);
    case CaptureType::time:
      return parse_time(p, op.arg != 0, capture);
    case CaptureType::month_day:
      return parse_month_day(p, years, capture);
    case CaptureType::date:
      return parse_date(p, op.layout, capture);
    case CaptureType::timestamp:
      return parse_timestamp(p, op.stop, capture);
    case CaptureType::offset:
      return parse_offset(p, capture);
    case CaptureType::epoch:
      return parse_epoch(p, op.arg, capture);
    case CaptureType::ip:
      return parse_ip(p, op.stop, capture);
    case CaptureType::uuid:
      return parse_uuid(p, capture);
    case CaptureType::elements:
      return parse_elements(p, capture);
    case CaptureType::laid_out_clock:
    case CaptureType::laid_out_month_day:
    case CaptureType::laid_out_date:
    case CaptureType::laid_out_moment:
    case CaptureType::laid_out_offset:
      return parse_laid_out(p, op.times.front(), years, capture);
    case CaptureType::count:
      break;
  }
  return nullptr;
}

}  // namespace caravel::formatter
