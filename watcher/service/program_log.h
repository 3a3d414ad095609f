// The program's log: lines on stderr, each with its severity. Only program_log.cc knows the library
// behind it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace caravel::watcher {

/// An error is something that a person should look at; a warning goes on by itself.
enum class Severity { debug, info, warning, error };

/// To be called once, before the first line. `level`: the least severe lines that are written
/// ("debug", "info", "warn", "error"). Lines carry the time (UTC), but not under journald, which
/// stamps them itself.
void start_logging(const std::string& level);

/// Writes one line, unbuffered. Any thread.
void write_log(Severity severity, std::string_view line);

template <class... Values>
void log_debug(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::debug, fmt::format(format, std::forward<Values>(values)...));
}
template <class... Values>
void log_info(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::info, fmt::format(format, std::forward<Values>(values)...));
}
template <class... Values>
void log_warning(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::warning, fmt::format(format, std::forward<Values>(values)...));
}
template <class... Values>
void log_error(fmt::format_string<Values...> format, Values&&... values) {
  write_log(Severity::error, fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace caravel::watcher
