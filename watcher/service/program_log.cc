#include "watcher/service/program_log.h"

#include <cstdlib>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.h"

namespace caravel::watcher {
namespace {

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return spdlog::level::debug;
    case Severity::info:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void start_logging(const std::string& level) {
  // stderr, because stdout belongs to what commands print.
  auto logger = spdlog::stderr_color_mt("caravel");
  logger->set_level(spdlog::level::from_str(level));
  // journald stamps the lines itself; it sets JOURNAL_STREAM (systemd.exec(5)).
  const char* const journal = std::getenv("JOURNAL_STREAM");
  const bool stamps_itself = journal != nullptr && *journal != '\0';
  logger->set_pattern(stamps_itself ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v",
                      spdlog::pattern_time_type::utc);
  // A line in a buffer would be lost if the process is killed, and it may be the one that says why.
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(logger);
}

// Whole lines only: spdlog's own formatting would be compiled anew into each source that logs.
void write_log(Severity severity, std::string_view line) {
  // Once more, for a line that did not come through format_shown().
  const std::string safe = printable(line);
  spdlog::default_logger_raw()->log(level_of(severity),
                                    spdlog::string_view_t(safe.data(), safe.size()));
}

}  // namespace caravel::watcher
