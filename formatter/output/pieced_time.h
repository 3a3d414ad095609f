// Times that are made from layouts: the captures of a line, read again.
#pragma once

#include <string>

#include "formatter/formats/format.h"

namespace caravel::formatter {

/// The parts that the rule's pieces (TimeRule::Source::pieces) have in a line that matched,
/// settled. The line still ends with '\n'.
[[nodiscard]] TimeParts parts_of(const TimeRule& rule, const MatchState& match);

/// Whether the clocks of its zone skipped the time of a line that matched; if so, the reason for a
/// reject.
[[nodiscard]] bool was_skipped(const TimeRule& rule, const MatchState& match, std::string& reason);

/// What is asked of lines of a kind that is to be looked at: `last_date` gets the date whose year
/// came from outside. False if the line's time makes no row, for that reason. Inline, since it is
/// asked for each line of formats without a year.
[[nodiscard]] inline bool look_at(const Kind& kind, const MatchState& match,
                                  std::uint32_t& last_date, std::string& reason) {
  // Dropped lines count too: the year's check asks for the extract's last date.
  if (kind.month_day) last_date = match.captures[*kind.month_day].number;
  return !kind.time.may_be_skipped || !was_skipped(kind.time, match, reason);
}

/// What a capture with a layout is in a column: ISO 8601.
[[nodiscard]] std::string iso_text(const TimeLayout& layout, const Capture& capture);

}  // namespace caravel::formatter
