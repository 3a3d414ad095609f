// From the numbers of a StatusReport to what is wrong with them.
#pragma once

#include <chrono>
#include <string>

#include "watcher/report/status.h"

namespace caravel::watcher {

/// Critical: an open failure; nobody watched or swept for longer than `expect_sweep`; a drop
/// directory that cannot be read; a store that does not answer, or a disk without room while
/// extracts wait, for longer than `max_wait`. Warning: over a tenth of an extract was rejected in
/// the last day; a gap; a silent source; an extract that is not loaded after `max_wait`; a full
/// disk; polling where events were expected.
[[nodiscard]] Health judge(const StatusReport& report, std::chrono::milliseconds expect_sweep,
                           std::chrono::milliseconds max_wait);

/// One line as monitoring plug-ins print it (monitoring-plugins.org, "Development Guidelines"):
/// "CARAVEL WARNING - the problems | failed=0 waiting=2 behind=120s", with its line end.
[[nodiscard]] std::string check_line(const StatusReport& report);

/// The same if nothing can be known: "CARAVEL UNKNOWN - why".
[[nodiscard]] std::string unknown_line(std::string_view why);

}  // namespace caravel::watcher
