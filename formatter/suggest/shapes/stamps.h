// Time stamps as logs write them: one table, each row of which the loader takes.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "formatter/patterns/pattern.h"

namespace caravel::formatter {

/// One way to write a time. What a log has is found by running the pattern itself, so that nothing
/// is suggested that the formatter would not take.
struct StampShape {
  std::string_view example;
  std::string_view pattern;   // what is written into the suggested line
  std::string_view time{};    // the value of the key `time`; "" if it is only a part of a time
  std::string_view record{};  // `format` of a record's `time`, as YAML; "" if it needs none
  bool record_time = false;   // a CSV or JSON value of this shape can be the row's time
  std::string_view day{};     // the layout of a day without a clock…
  std::string_view clock{};   // … and that of a clock alone: two columns are a time together
};

/// What is only a part of a time, as `time: [Day, Clock]` has it without a layout.
inline constexpr std::string_view kClockLayout = "%T";
inline constexpr std::string_view kDayLayout = "%Y-%m-%d";

/// Of two that take the same text, the one that takes more lines of the sample is chosen, and of
/// equals the first.
inline constexpr auto kStampShapes = std::to_array<StampShape>({
    {.example = "2012-03-09T09:48:00.5+01:00",
     .pattern = "{At:timestamp}",
     .time = "At",
     .record_time = true},
    {.example = "2012-03-09 09:48:00.5 +0100",
     .pattern = "{Date:date} {Time:time(fraction)} {Zone:offset}",
     .time = "[Date, Time, Zone]"},
    {.example = "2012-03-09  09:48:00",
     .pattern = "{Date:date} {Time:time(fraction)}",
     .time = "[Date, Time]"},
    {.example = "10/Oct/2000:13:55:36 -0700",
     .pattern = "{Date:date(%d/%b/%Y)}:{Time:time} {Zone:offset}",
     .time = "[Date, Time, Zone]"},
    {.example = "10/Oct/2000:13:55:36",
     .pattern = "{Date:date(%d/%b/%Y)}:{Time:time}",
     .time = "[Date, Time]"},
    {.example = "2012/03/09 09:48:00.25",
     .pattern = "{Date:date(%Y/%m/%d)} {Time:time(fraction)}",
     .time = "[Date, Time]",
     .record = "['%Y/%m/%d %T', '%Y/%m/%d %T.%f']"},
    {.example = "09.03.2012 09:48:00",
     .pattern = "{Date:date(%d.%m.%Y)} {Time:time(fraction)}",
     .time = "[Date, Time]",
     .record = "['%d.%m.%Y %T', '%d.%m.%Y %T.%f']"},
    {.example = "29/03/2012 09:48:00",
     .pattern = "{Date:date(%d/%m/%Y)} {Time:time(fraction)}",
     .time = "[Date, Time]",
     .record = "['%d/%m/%Y %T', '%d/%m/%Y %T.%f']"},
    {.example = "03/29/2012 09:48:00",
     .pattern = "{Date:date(%m/%d/%Y)} {Time:time(fraction)}",
     .time = "[Date, Time]",
     .record = "['%m/%d/%Y %T', '%m/%d/%Y %T.%f']"},
    {.example = "09-Mar-2012 09:48:00.125",
     .pattern = "{Date:date(%d-%b-%Y)} {Time:time(fraction)}",
     .time = "[Date, Time]"},
    {.example = "09 Mar 2012 09:48:00",
     .pattern = "{Date:date(%d %b %Y)} {Time:time(fraction)}",
     .time = "[Date, Time]"},
    {.example = "09:48:00 03/09",
     .pattern = "{Time:time(fraction)} {Date:month-day}",
     .time = "[Date, Time]"},
    {.example = "03/09 09:48:00.5",
     .pattern = "{Date:month-day} {Time:time(fraction)}",
     .time = "[Date, Time]"},
    {.example = "1331286480.25", .pattern = "{At:epoch}", .time = "At", .record_time = true},
    {.example = "Mar  9 09:48:00",
     .pattern = "{At:timestamp(%b %e %T)}",
     .time = "At",
     .record = "'%b %e %T'"},
    {.example = "Fri Mar  9 09:48:00 2012",
     .pattern = "{At:timestamp(%a %b %e %T %Y)}",
     .time = "At",
     .record = "'%a %b %e %T %Y'"},
    {.example = "Fri, 09 Mar 2012 09:48:00 +0100",
     .pattern = "{At:timestamp(%a, %d %b %Y %T %z)}",
     .time = "At",
     .record = "'%a, %d %b %Y %T %z'"},
    {.example = "29.03.2012 09:48",
     .pattern = "{At:timestamp(%d.%m.%Y %R)}",
     .time = "At",
     .record = "'%d.%m.%Y %R'"},
    {.example = "29.03.12 09:48:00",
     .pattern = "{At:timestamp(%d.%m.%y %T)}",
     .time = "At",
     .record = "'%d.%m.%y %T'"},
    {.example = "29.03.12 09:48",
     .pattern = "{At:timestamp(%d.%m.%y %R)}",
     .time = "At",
     .record = "'%d.%m.%y %R'"},
    {.example = "03/29/2012 09:48:00 PM",
     .pattern = "{At:timestamp(%m/%d/%Y %I:%M:%S %p)}",
     .time = "At",
     .record = "'%m/%d/%Y %I:%M:%S %p'"},
    {.example = "1331286480250", .pattern = "{At:epoch(ms)}", .time = "At", .record = "epoch(ms)"},
    {.example = "1331286480250125",
     .pattern = "{At:epoch(us)}",
     .time = "At",
     .record = "epoch(us)"},
    {.example = "1331286480250125375",
     .pattern = "{At:epoch(ns)}",
     .time = "At",
     .record = "epoch(ns)"},
    {.example = "09:48:00.5", .pattern = "{Clock:time(fraction)}", .clock = kClockLayout},
    {.example = "2012-03-09", .pattern = "{Day:date}", .day = kDayLayout},
    {.example = "29.03.2012", .pattern = "{Day:date(%d.%m.%Y)}", .day = "%d.%m.%Y"},
    {.example = "2012/03/29", .pattern = "{Day:date(%Y/%m/%d)}", .day = "%Y/%m/%d"},
    {.example = "29/03/2012", .pattern = "{Day:date(%d/%m/%Y)}", .day = "%d/%m/%Y"},
    {.example = "03/29/2012", .pattern = "{Day:date(%m/%d/%Y)}", .day = "%m/%d/%Y"},
});

/// A stamp that was found: which shape, and the text.
struct Stamp {
  std::size_t shape = 0;  // index into kStampShapes
  std::string_view text;
};

/// Finds stamps. Holds the compiled patterns, and how often each shape was seen.
class StampFinder {
 public:
  /// Counts which shapes the first stamps of `lines` can be, so that 03/04/2012 is read as the
  /// other dates of the log demand.
  explicit StampFinder(const std::vector<std::string_view>& lines);

  /// The longest stamp at `at` of `line`, if one stands there and ends there.
  [[nodiscard]] std::optional<Stamp> find(std::string_view line, std::size_t at);

  /// Whether `text` as a whole is of that shape.
  [[nodiscard]] bool is(std::size_t shape, std::string_view text);

 private:
  /// How many bytes at `at` are of that shape; 0 if none.
  [[nodiscard]] std::size_t length_at(std::size_t shape, std::string_view line, std::size_t at);

  std::vector<std::optional<Pattern>> patterns_;
  std::vector<std::size_t> seen_;
  YearTable years_;
  MatchState state_;
  std::string copy_;  // of what is looked at, with what the parsers want behind a line
};

/// Whether the text of a stamp counts less than a second.
[[nodiscard]] bool has_fraction(std::string_view stamp);

}  // namespace caravel::formatter
