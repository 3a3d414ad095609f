// What a text says of a time, part by part: what every reader of times fills in, and what is asked
// of it afterwards. Plain values; nothing here allocates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace date {
class time_zone;  // of Howard Hinnant's library; zones.h
}

namespace caravel::formatter {

/// The parts of one time. A part that the text does not have stays 0.
struct TimeParts {
  int year = 0;
  bool has_year = false;
  unsigned month = 0;
  unsigned day = 0;
  unsigned day_of_year = 0;  // in the place of month and day
  unsigned hour = 0;
  bool afternoon = false;  // PM: while a layout is read, the hour is one of 0-11
  unsigned minute = 0;
  unsigned second = 0;          // 60 is a leap second
  std::string_view fraction;    // digits of the text, as many as it has
  unsigned fraction_zeros = 0;  // that belong in front of them
  bool has_offset = false;
  int offset = 0;                         // seconds east of UTC
  const date::time_zone* zone = nullptr;  // named in the text; lives as long as the process
  bool counted = false;                   // `epoch` says all, the rest nothing
  std::int64_t epoch = 0;                 // seconds since 1970
};

/// Turns a day of the year into month and day, and says whether the calendar has that day. The year
/// must be known.
[[nodiscard]] bool settle_date(TimeParts& parts);

/// Where a time lies.
enum class Placed {
  local,    // neither text nor format say in which zone
  utc,      // at that many seconds since 1970
  skipped,  // nowhere: the clocks of its zone were put forward over it
};

/// Places a settled time. `local_zone` is that of times that name none; may be nullptr. A time that
/// the clocks showed twice is the first of the two. The second 60 is placed as the second 59.
[[nodiscard]] Placed place(const TimeParts& parts, const date::time_zone* local_zone,
                           std::int64_t& seconds);

/// Why a time that was skipped makes no row: "the clocks of Europe/Berlin skipped
/// 2025-03-30T02:30:00".
[[nodiscard]] std::string skipped_reason(const TimeParts& parts, const date::time_zone* local_zone);

/// "2012-03-09T09:48:00[.fraction][+01:00|Z]", with what the parts have of it: a clock alone if
/// there is no date.
void append_iso_text(const TimeParts& parts, std::string& out);

}  // namespace caravel::formatter
