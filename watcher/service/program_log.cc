#include "watcher/service/program_log.h"

#include <chrono>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.h"
#include "watcher/logging/journal.h"

namespace caravel::watcher {
namespace {

/// What spdlog, readers of the log and syslog(3) call a severity.
struct SeverityNames {
  spdlog::level::level_enum level;
  const char* name;
  int priority;
};
SeverityNames names_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return {spdlog::level::debug, "debug", 7};
    case Severity::info:
      return {spdlog::level::info, "info", 6};
    case Severity::warning:
      return {spdlog::level::warn, "warning", 4};
    case Severity::error:
      break;
  }
  return {spdlog::level::err, "error", 3};
}

/// How lines are written. Set once, before there are threads.
struct Writing {
  LogFormat format = LogFormat::text;
  bool to_journal = false;
};
Writing& writing() {
  static Writing the_only;
  return the_only;
}

}  // namespace

void start_logging(const std::string& level, LogFormat format) {
  // A command that works in several spools begins anew for each of them.
  spdlog::drop("caravel");
  // stderr, because stdout belongs to what commands print.
  auto logger = spdlog::stderr_color_mt("caravel");
  logger->set_level(spdlog::level::from_str(level));
  // What is asked for as JSON or logfmt is meant for whoever reads the journal's messages.
  writing() = {format, format == LogFormat::text && stderr_is_journal()};
  const bool whole_line = format != LogFormat::text;
  logger->set_pattern(whole_line             ? "%v"
                      : writing().to_journal ? "%l: %v"  // journald stamps the lines itself
                                             : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v",
                      spdlog::pattern_time_type::utc);
  // A line in a buffer would be lost if the process is killed, and it may be the one that says why.
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(logger);
}

// Whole lines only: spdlog's own formatting would be compiled anew into each source that logs.
void write_log(Severity severity, std::string_view line, const LogFields& fields) {
  const SeverityNames names = names_of(severity);
  spdlog::logger* const logger = spdlog::default_logger_raw();
  if (!logger->should_log(names.level)) return;
  // Once more, for a line that did not come through format_shown().
  std::string safe = printable(line);
  LogFields safe_fields = fields;
  for (auto& [name, value] : safe_fields) value = printable(value);
  if (writing().to_journal && send_to_journal(names.priority, safe, safe_fields)) return;
  const auto now = std::chrono::system_clock::now();
  if (writing().format == LogFormat::logfmt) safe = logfmt_line(now, names.name, safe, safe_fields);
  if (writing().format == LogFormat::json) safe = json_line(now, names.name, safe, safe_fields);
  logger->log(names.level, spdlog::string_view_t(safe.data(), safe.size()));
}

}  // namespace caravel::watcher
