// The program's log: lines on stderr, each with its severity. Only program_log.cc knows the library
// behind it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "watcher/config/config.h"
#include "watcher/logging/log_line.h"
#include "watcher/report/shown.h"

namespace caravel::watcher {

/// An error is something that a person should look at; a warning goes on by itself.
enum class Severity { debug, info, warning, error };

/// To be called once, before the first line. `level`: the least severe lines that are written
/// ("debug", "info", "warn", "error"). Lines carry the time (UTC). Where stderr is journald's,
/// which stamps them itself, lines of format `text` go there with their severity and fields.
void start_logging(const std::string& level, LogFormat format = LogFormat::text);

/// Writes one line, unbuffered. Any thread. Whoever calls log_info() and its like gives foreign
/// text as it came: each value is escaped and bounded there (watcher/report/shown.h), whatever it
/// is.
void write_log(Severity severity, std::string_view line, const LogFields& fields = {});

/// The same as log_info() and its like, with fields: log_about({{"feed", name}}, …).
template <class... Values>
void log_about(const LogFields& fields, Severity severity, fmt::format_string<Values...> format,
               Values&&... values) {
  write_log(severity, format_shown(format, std::forward<Values>(values)...), fields);
}

template <class... Values>
void log_debug(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::debug, format_shown(format, std::forward<Values>(values)...));
}
template <class... Values>
void log_info(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::info, format_shown(format, std::forward<Values>(values)...));
}
template <class... Values>
void log_warning(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::warning, format_shown(format, std::forward<Values>(values)...));
}
template <class... Values>
void log_error(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::error, format_shown(format, std::forward<Values>(values)...));
}

}  // namespace caravel::watcher
