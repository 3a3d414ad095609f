// Points in time as the ledger and people see them: UTC, ISO 8601.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace caravel::watcher {

/// A point in time by the wall clock. Only loops read that clock; all else gets it as `now`.
using Time = std::chrono::system_clock::time_point;

/// "2012-03-09T09:48:00.250Z": sorts as text as it does in time.
[[nodiscard]] std::string time_text(Time time);

/// What time_text() wrote; nothing for any other text.
[[nodiscard]] std::optional<Time> parse_time_text(std::string_view text);

/// "2012-03-09 09:48:00 UTC", for people.
[[nodiscard]] std::string time_for_people(Time time);

/// "3 s", "12 min", "5 h 20 min", "3 days 4 h": two units at most, for people. A negative duration
/// (the clock was set back) reads as "0 s".
[[nodiscard]] std::string duration_for_people(std::chrono::milliseconds duration);

}  // namespace caravel::watcher
