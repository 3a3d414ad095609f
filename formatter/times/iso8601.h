// ISO 8601, in all forms that name a date and a clock.
//
//   dates   2012-03-09   20120309   2012-069   2012069   2012-W10-5   2012W105
//   clocks  09:48:00   09:48:00.5   09:48:00,5   09:48   094800   0948   (10 before a zone only)
//   zones   Z   z   +02   +0200   +02:00   or none
//
// Between date and clock stands T, t or a blank (RFC 3339). 24:00 is refused: ISO 8601 had it, left
// it out in 2019 and has it again, and most readers take it for an error.
#pragma once

#include "formatter/times/time_parts.h"

namespace caravel::formatter {

/// `+02`, `+0200`, `+02:00`, `Z` or `z`, up to 23:59: the place behind it and its seconds east of
/// UTC, or nullptr. A '\n' must end the line.
[[nodiscard]] const char* parse_iso_offset(const char* p, int& seconds);

/// A date, a clock and perhaps an offset; the place behind them, or nullptr if there is no such
/// time: settle_date() has been asked. A byte `not_zone` stands for itself and not for a zone; with
/// `blank_before_offset`, one blank may stand before an offset.
[[nodiscard]] const char* parse_iso_time(const char* p, char not_zone, bool blank_before_offset,
                                         TimeParts& parts);

/// HH:MM:SS, perhaps with a point or a comma and a fraction behind it.
[[nodiscard]] const char* parse_iso_clock(const char* p, TimeParts& parts);

}  // namespace caravel::formatter
