#include "watcher/report/judge.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/files/drop_place.h"
#include "watcher/ledger/directories.h"
#include "watcher/report/words.h"

namespace caravel::watcher {
namespace {

class Judge {
 public:
  Judge(const StatusReport& report, std::chrono::milliseconds expect_sweep,
        std::chrono::milliseconds max_wait)
      : report_(report), expect_sweep_(expect_sweep), max_wait_(max_wait) {}

  Health health() {
    look_at_failures();
    look_for_a_watcher();
    look_at_stores();
    look_at_disks();
    look_at_folders();
    look_at_drops();
    look_at_waiting();
    look_at_rejects();
    look_at_sources();
    std::ranges::stable_sort(health_.problems, std::greater{}, &Problem::level);
    return std::move(health_);
  }

 private:
  void add(Level level, const char* kind, std::string text, bool ready = true) {
    health_.problems.push_back({level, kind, std::move(text), ready});
  }

  void look_at_failures() {
    if (report_.failed_total == 0) return;
    std::string text = plural(report_.failed_total, "open failure");
    if (!report_.failed.empty()) {
      const Extract& newest = report_.failed.front();
      text += fmt::format(", the newest {}: {}", shown(newest.name, kMostOfName),
                          shown(newest.why, kMostOfWhy));
    }
    add(Level::critical, "failed", std::move(text));
  }

  /// A feed that is captured needs nobody who watches the drop directories.
  void look_for_a_watcher() {
    const auto captured = [&](const FeedStatus& feed) {
      return std::ranges::any_of(report_.captures,
                                 [&](const auto& capture) { return capture.first == feed.name; });
    };
    const bool all_captured = std::ranges::all_of(
        report_.feeds, [&](const FeedStatus& feed) { return !feed.configured || captured(feed); });
    if (!report_.lock_holder.empty() || all_captured) return;
    if (report_.worked_at && report_.now - *report_.worked_at <= expect_sweep_) return;
    add(Level::critical, "unwatched",
        report_.worked_at ? fmt::format("nobody watches, and nobody swept for {}",
                                        ago(report_.now, *report_.worked_at))
                          : std::string("nobody watches, and nobody ever did"),
        false);
  }

  void look_at_stores() {
    for (const StoreRecord& store : report_.stores) {
      if (store.state == StoreState::ok || store.since == Time{}) continue;
      if (report_.now - store.since < max_wait_) continue;
      add(Level::critical, "store",
          fmt::format("store {} {} for {}: {}", shown(store.name),
                      store.state == StoreState::fault ? "is at fault" : "does not answer",
                      ago(report_.now, store.since), shown(store.why, kMostOfWhy)),
          false);
    }
  }

  /// How long a disk has been full nobody knows; how long extracts have waited for it, the ledger.
  void look_at_disks() {
    for (const DiskRoom& disk : report_.disks) {
      if (disk.full.empty()) continue;
      add(too_late() ? Level::critical : Level::warning, "disk", shown(disk.full, kMostOfWhy),
          false);
    }
  }

  void look_at_folders() {
    for (const OverfullRecord& full : report_.overfull) {
      add(Level::warning, "folder", shown(full.folder.text(full.spool), kMostOfWhy));
    }
  }

  void look_at_drops() {
    for (const DropStatus& drop : report_.drops) {
      if (drop.state == name_of(PlaceState::usable) || drop.state == "ok") continue;
      const std::string where = fmt::format("drop directory of {}: {} {}", shown(drop.feed),
                                            shown(drop.path), shown(drop.why, kMostOfWhy));
      if (drop.state == name_of(DirectoryState::polled)) {
        add(Level::warning, "polling", where);
      } else {
        add(Level::critical, "directory", where, false);
      }
    }
  }

  /// The oldest of one feed's extracts that are neither done nor failed, if it is too late.
  [[nodiscard]] const Extract* late_one(const FeedStatus& feed) const {
    const auto& oldest = feed.summary.oldest_open;
    return oldest && report_.now - oldest->seen_at >= max_wait_ ? &*oldest : nullptr;
  }

  [[nodiscard]] bool too_late() const {
    return std::ranges::any_of(report_.feeds,
                               [&](const FeedStatus& feed) { return late_one(feed) != nullptr; });
  }

  void look_at_waiting() {
    for (const FeedStatus& feed : report_.feeds) {
      const Extract* const late = late_one(feed);
      if (late == nullptr) continue;
      add(Level::warning, "waiting",
          fmt::format("feed {} is behind by {}: {} is {}{}", shown(feed.name),
                      ago(report_.now, late->seen_at), shown(late->name, kMostOfName),
                      name_of(late->state),
                      late->why.empty() ? "" : ": " + shown(late->why, kMostOfWhy)),
          false);
    }
  }

  void look_at_rejects() {
    if (report_.many_rejects.empty()) return;
    const Extract& newest = report_.many_rejects.front().extract;
    add(Level::warning, "rejects",
        fmt::format("over a tenth rejected of {}, the newest {}: {} of {}",
                    plural(report_.many_rejects.size(), "extract"), shown(newest.name, kMostOfName),
                    newest.counts.rejected, plural(newest.counts.lines, "line")));
  }

  void look_at_sources() {
    std::uint64_t gaps = 0;
    const ReportedSource* with_gap = nullptr;
    for (const ReportedSource& source : report_.sources) {
      if (source.forgotten || source.status.gaps_total == 0) continue;
      gaps += source.status.gaps_total;
      with_gap = &source;
    }
    if (with_gap != nullptr) {
      add(Level::warning, "gap",
          fmt::format("{} in the sequence of extracts, one of {} (run {})", plural(gaps, "gap"),
                      shown(with_gap->status.run.source, kMostOfName),
                      shown(with_gap->status.run.run)));
    }
    if (report_.silent.empty()) return;
    const SilentSource& first = report_.silent.front();
    add(Level::warning, "silent",
        fmt::format(
            "{}, one is {} for {}", plural(report_.silent.size(), "silent source"),
            first.source.empty() ? "feed " + shown(first.feed) : shown(first.source, kMostOfName),
            ago(report_.now, first.last_at)));
  }

  // A line of monitoring is short; `status` has the whole.
  static constexpr std::size_t kMostOfName = 120;
  static constexpr std::size_t kMostOfWhy = 300;

  const StatusReport& report_;
  const std::chrono::milliseconds expect_sweep_;
  const std::chrono::milliseconds max_wait_;
  Health health_;
};

/// "|" begins the numbers of a plug-in's line.
std::string without_bars(std::string text) {
  std::ranges::replace(text, '|', '/');
  return text;
}

/// The age of the oldest extract that is neither done nor failed, in seconds.
std::int64_t behind(const StatusReport& report) {
  std::int64_t most = 0;
  for (const FeedStatus& feed : report.feeds) {
    if (!feed.summary.oldest_open) continue;
    most = std::max<std::int64_t>(most, std::chrono::duration_cast<std::chrono::seconds>(
                                            report.now - feed.summary.oldest_open->seen_at)
                                            .count());
  }
  return most;
}

}  // namespace

std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, 3> kNames{"ok", "warning", "critical"};
  return kNames[static_cast<std::size_t>(level)];
}

Health judge(const StatusReport& report, std::chrono::milliseconds expect_sweep,
             std::chrono::milliseconds max_wait) {
  return Judge(report, expect_sweep, max_wait).health();
}

std::string check_line(const StatusReport& report) {
  constexpr std::array<std::string_view, 3> kWords{"OK", "WARNING", "CRITICAL"};
  std::string said;
  for (const Problem& problem : report.health.problems) {
    said += (said.empty() ? "" : "; ") + problem.text;
  }
  if (said.empty()) said = "nothing is open";
  return fmt::format("CARAVEL {} - {} | failed={} waiting={} behind={}s\n",
                     kWords[static_cast<std::size_t>(report.health.level())],
                     without_bars(std::move(said)), report.failed_total, report.waiting_total,
                     behind(report));
}

std::string unknown_line(std::string_view why) {
  return fmt::format("CARAVEL UNKNOWN - {}\n", without_bars(shown(why)));
}

}  // namespace caravel::watcher
