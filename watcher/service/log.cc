#include "watcher/service/log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/text.h"

namespace caravel::watcher {

// Levels: an error is something that a person should look at, a warning goes on by itself.

void log_result(const std::string& feed, const std::string& name, const PipelineResult& result) {
  const LineCounts& counts = result.counts;
  const std::string what = fmt::format("{}: {}", feed, printable(name));
  switch (result.ending) {
    case Ending::done:
      spdlog::info(
          "{}: done: {} lines: {} stored, {} already there, {} dropped, {} rejected ({} ms)", what,
          counts.lines, counts.stored, counts.already_there, counts.dropped, counts.rejected,
          result.took.count());
      if (counts.differs > 0) {
        spdlog::warn(
            "{}: {} rows differ from what is stored and were kept as they are: process --reprocess "
            "replaces them",
            what, counts.differs);
      }
      break;
    case Ending::failed:
      spdlog::error("{}: failed: {}", what, result.message);
      break;
    case Ending::gave_up:
    case Ending::refused:
      spdlog::error("{}: not loaded: {}", what, result.message);
      break;
    case Ending::stopped:
      spdlog::info("{}: stopped", what);
      break;
    case Ending::not_ready:
    case Ending::mismatched:
      spdlog::warn("{}: waits: {}", what, result.message);
      break;
    case Ending::vanished:
      spdlog::error("{}: the file is gone", what);
      break;
  }
}

PipelineObserver logging_observer(const std::string& feed, const std::string& store,
                                  Notices& waits) {
  PipelineObserver observer;
  observer.on_wait = [feed, store, &waits](const std::string& why, std::chrono::milliseconds wait) {
    // Each try would say it again; the time of the next one is for who looks closely.
    waits.set(kWait, fmt::format("{}: waits (store {}): {}", feed, store, why));
    log_warnings(waits.take());
    spdlog::debug("{}: {}: next try in {} ms", feed, why, wait.count());
  };
  observer.on_note = [feed](const std::string& text) { spdlog::warn("{}: {}", feed, text); };
  return observer;
}

void log_warnings(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) spdlog::warn("{}", message);
}

}  // namespace caravel::watcher
