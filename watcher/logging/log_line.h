// One line of the log as programs read it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watcher/files/time_text.h"

namespace caravel::watcher {

/// What a line is about, beside its words: ("feed", "hrt"). Names are lower-case words.
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// `time=2026-12-01T10:00:00.123Z level=info msg="…" feed=hrt`. Values with blanks, quotes or "="
/// are quoted as Go's strconv does, which readers of logfmt expect. No line end.
[[nodiscard]] std::string logfmt_line(Time time, std::string_view level, std::string_view message,
                                      const LogFields& fields);
/// {"time":"2026-12-01T10:00:00.123Z","level":"info","message":"…","feed":"hrt"}. No line end.
[[nodiscard]] std::string json_line(Time time, std::string_view level, std::string_view message,
                                    const LogFields& fields);

}  // namespace caravel::watcher
