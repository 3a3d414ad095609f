// What `caravel status` says. build_status() asks the ledger for a StatusReport; status_text() and
// status_json() only put that report into words. Nothing here changes anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "watcher/checks/disks.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/source_run.h"
#include "watcher/ledger/stores.h"
#include "watcher/ledger/upkeep/overfull.h"
#include "watcher/report/health.h"
#include "watcher/sources/source_watch.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {

/// The drop directory of one feed.
struct DropStatus {
  std::string feed;
  std::string path;
  std::string state = "ok";     // as name_of(PlaceState) or name_of(DirectoryState) has it
  std::string why{};            // in words, behind the path; "" if ok
  std::optional<Time> since{};  // if the one who watches it has said so
};

/// What the report needs besides the ledger.
struct StatusQuestion {
  std::vector<std::string> feeds;  // configured; one that never saw an extract is listed too
  /// Configured stores: name, and place as store_place() says it.
  std::vector<std::pair<std::string, std::string>> stores;
  std::string lock_holder;  // who watches the spool, in words; "" = nobody
  /// Feeds that are captured on this host: the feed, and by whom, in words.
  std::vector<std::pair<std::string, std::string>> captures{};
  std::size_t most = 10;           // entries of each list: waiting, failed, left alone
  std::vector<FeedConfig> limits;  // for expect_every and manifest_wait
  RefusedManifests refused_manifests{};
  /// What the drop directories and the disks are like now, in this process's eyes.
  std::vector<DropStatus> drops{};
  std::vector<DiskRoom> disks{};
  std::string spool{};              // its path: reject files are looked for there
  std::optional<Time> worked_at{};  // when somebody last held the spool's lock
  std::chrono::milliseconds expect_sweep{600'000};
  std::chrono::milliseconds max_wait{900'000};
};

struct FeedStatus {
  std::string name;
  bool configured = true;  // false: the ledger knows it from before
  FeedSummary summary;
  Throughput last_hour;
  Throughput last_day;
};

struct LeftAloneStatus {
  std::string feed;
  LeftAlone name;
};

/// An extract whose rejects nobody has settled yet: their files are there.
struct RejectsStatus {
  Extract extract;
  std::string files;  // path without ".rejects", ".reasons.csv", ".cut"

  /// Over a tenth of its lines: something is wrong with more than a line.
  [[nodiscard]] bool many() const { return extract.counts.many_rejected(); }
};

struct ReportedSource {
  SourceStatus status;
  bool forgotten = false;  // nothing came, and no gap opened, for longer than forget_source
  Time forget_before;      // gaps that opened earlier are not listed any more
};

struct StatusReport {
  Time now;
  std::string lock_holder;
  std::vector<std::pair<std::string, std::string>> captures;
  std::vector<FeedStatus> feeds;
  std::vector<StoreRecord> stores;  // `since` is the epoch for one that was never used
  std::vector<Extract> waiting;     // both newest first
  std::vector<Extract> failed;
  std::uint64_t waiting_total = 0;
  std::uint64_t failed_total = 0;
  std::vector<RejectsStatus> rejects;  // newest first, of the last week
  std::vector<LeftAloneStatus> left_alone;
  std::uint64_t left_alone_total = 0;
  /// Runs of capture hosts: those that no newer one replaced, and others with gaps.
  std::vector<ReportedSource> sources;
  std::vector<SilentSource> silent;
  OverdueManifests overdue;  // manifests without their extracts
  RefusedManifests refused_manifests;
  std::vector<DropStatus> drops;
  std::vector<DiskRoom> disks;
  std::vector<OverfullRecord> overfull;  // folders of spools that hold more than they may
  std::optional<Time> worked_at;
  /// Of the last day, the newest: over a tenth of their lines rejected, and nobody settled that.
  std::vector<RejectsStatus> many_rejects;
  Health health;  // what a person should look at
};

[[nodiscard]] Result<StatusReport> build_status(Ledger& ledger, const StatusQuestion& question,
                                                Time now);

/// Aligned text, one screen for a handful of feeds; ends with a line end.
[[nodiscard]] std::string status_text(const StatusReport& report);
/// One JSON object; times are UTC, ISO 8601; durations are seconds.
[[nodiscard]] std::string status_json(const StatusReport& report);

}  // namespace caravel::watcher
