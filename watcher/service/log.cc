#include "watcher/service/log.h"

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/service/program_log.h"

namespace caravel::watcher {

// `failed` and `not loaded` are errors, because a person should look at them. What waits goes on by
// itself, so it is a warning (Severity).

namespace {

/// The counts of an extract that is through, for programs that read the log.
LogFields fields_of(LogFields about, const PipelineResult& result) {
  const LineCounts& counts = result.counts;
  about.emplace_back("lines", std::to_string(counts.lines));
  about.emplace_back("stored", std::to_string(counts.stored));
  about.emplace_back("already_there", std::to_string(counts.already_there));
  about.emplace_back("dropped", std::to_string(counts.dropped));
  about.emplace_back("rejected", std::to_string(counts.rejected));
  about.emplace_back("milliseconds", std::to_string(result.took.count()));
  return about;
}

}  // namespace

void log_result(const std::string& feed, const std::string& name, const PipelineResult& result) {
  const LineCounts& counts = result.counts;
  const std::string what = fmt::format("{}: {}", feed, printable(name));
  const LogFields about = {{"feed", feed}, {"extract", name}};
  switch (result.ending) {
    case Ending::done:
      log_about(fields_of(about, result), Severity::info,
                "{}: done: {} lines: {} stored, {} already there, {} dropped, {} rejected ({} ms)",
                what, counts.lines, counts.stored, counts.already_there, counts.dropped,
                counts.rejected, result.took.count());
      if (counts.many_rejected()) {
        log_about(about, Severity::warning,
                  "{}: over a tenth of its lines was rejected: rejects/ has them, with reasons",
                  what);
      }
      // A line of its own, for it asks a person to decide: the store keeps the older form until
      // then.
      if (counts.differs > 0) {
        log_about(
            about, Severity::warning,
            "{}: {} rows differ from what is stored and were kept as they are: process --reprocess "
            "replaces them",
            what, counts.differs);
      }
      break;
    case Ending::failed:
      log_about(about, Severity::error, "{}: failed: {}", what, result.message);
      break;
    case Ending::gave_up:
      log_about(about, Severity::error, "{}: not loaded: {}", what, result.message);
      break;
    case Ending::put_off:
    case Ending::refused:
      break;  // tried again and again: whoever waits with it says so once
    case Ending::stopped:
      log_about(about, Severity::info, "{}: stopped", what);
      break;
    case Ending::not_ready:
    case Ending::mismatched:
      log_about(about, Severity::warning, "{}: waits: {}", what, result.message);
      break;
    case Ending::vanished:
      log_about(about, Severity::error, "{}: the file is gone", what);
      break;
  }
  if (!result.left_in_work.empty()) {
    log_about(about, Severity::warning, "{}: it stays in work/ until it can be put away: {}", what,
              result.left_in_work);
  }
}

namespace {

/// Says how far a long upgrade of a store's table is: at its first second, then every ten.
class UpgradeLog {
 public:
  explicit UpgradeLog(std::string feed) : feed_(std::move(feed)) {}
  void operator()(std::uint64_t rows, std::uint64_t of) {
    const auto now = std::chrono::steady_clock::now();
    // Fewer rows than before: another upgrade has begun.
    if (rows <= last_ || last_ == 0) next_ = now + std::chrono::seconds(1);
    last_ = rows;
    if (now < next_) return;
    next_ = now + std::chrono::seconds(10);
    log_info("{}: the store's table, of an older version, is brought up to date: {} of {} rows",
             feed_, rows, of);
  }

 private:
  std::string feed_;
  std::uint64_t last_ = 0;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace

PipelineObserver logging_observer(const std::string& feed, const std::string& store,
                                  Notices& waits) {
  PipelineObserver observer;
  observer.on_wait = [feed, store, &waits](const std::string& why, std::chrono::milliseconds wait) {
    // Each try fails for the same reason, and Notices says that once. The time until the next try
    // is another one each time, so it has a line of its own, at the level `debug`.
    waits.set(kWait, fmt::format("{}: waits (store {}): {}", feed, store, why));
    log_warnings(waits.take());
    log_debug("{}: {}: next try in {} ms", feed, why, wait.count());
  };
  observer.on_upgrade = UpgradeLog(feed);
  observer.on_note = [feed](const std::string& text) {
    log_about({{"feed", feed}}, Severity::warning, "{}: {}", feed, text);
  };
  return observer;
}

void log_warnings(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) log_warning("{}", message);
}

}  // namespace caravel::watcher
