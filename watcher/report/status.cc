// Asks the ledger for what `status` shows.
#include "watcher/report/status.h"

#include <algorithm>

#include "watcher/ledger/directories.h"
#include "watcher/ledger/sources.h"
#include "watcher/report/judge.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

/// For queries with GROUP BY, which yield nothing for a feed without rows: all its numbers are 0.
template <class T>
T value_or_default(const std::map<std::string, T>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? T{} : found->second;
}

std::uint64_t extracts_in(const FeedSummary& summary, State state) {
  const auto found = summary.extracts.find(state);
  return found == summary.extracts.end() ? 0 : found->second;
}

Result<> add_feeds(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  CARAVEL_ASSIGN_OR_RETURN(auto summaries, ledger.history().summaries());
  CARAVEL_ASSIGN_OR_RETURN(auto hour,
                           ledger.history().throughput_since(report.now - std::chrono::hours(1)));
  CARAVEL_ASSIGN_OR_RETURN(auto day,
                           ledger.history().throughput_since(report.now - std::chrono::hours(24)));

  // Feeds of the configuration first, in its order; then those that only the ledger remembers.
  std::vector<std::string> names = question.feeds;
  for (const auto& [name, unused] : summaries) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    FeedStatus feed;
    feed.name = names[i];
    feed.configured = i < question.feeds.size();
    feed.summary = value_or_default(summaries, feed.name);
    feed.last_hour = value_or_default(hour, feed.name);
    feed.last_day = value_or_default(day, feed.name);
    // The totals are sums over all feeds: add_extracts() lists the newest only.
    report.waiting_total += extracts_in(feed.summary, State::waiting);
    report.failed_total += feed.summary.open_failures;
    report.feeds.push_back(std::move(feed));
  }
  return {};
}

Result<> add_stores(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  CARAVEL_ASSIGN_OR_RETURN(auto known, ledger.stores().all());
  for (const auto& [name, place] : question.stores) {
    StoreRecord record;
    // A place, not a name, is what holds rows: a store that was pointed elsewhere is a new one.
    for (const StoreRecord& candidate : known) {
      if (candidate.place == place) record = candidate;
    }
    record.name = name;
    record.place = place;
    report.stores.push_back(std::move(record));
  }
  return {};
}

/// The limits of a feed; the default limits if it is not configured any more.
FeedConfig limits_of(const StatusQuestion& question, const std::string& name) {
  for (const FeedConfig& feed : question.limits) {
    if (feed.name == name) return feed;
  }
  return {};
}

Result<> add_sources(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  CARAVEL_ASSIGN_OR_RETURN(auto sources, ledger.sources().all());
  for (SourceStatus& source : sources) {
    // A run that a newer one replaced will send nothing more: only its gaps are still of interest.
    if (source.replaced && source.gaps_total == 0) continue;
    const Time forget_before = report.now - limits_of(question, source.run.feed).forget_source;
    // A silent source with a recent gap is still shown: what is missing of it may come yet.
    const bool forgotten =
        source.last_at < forget_before &&
        std::all_of(source.gaps.begin(), source.gaps.end(),
                    [&](const SequenceGap& gap) { return gap.since < forget_before; });
    report.sources.push_back({std::move(source), forgotten, forget_before});
  }
  CARAVEL_ASSIGN_OR_RETURN(report.silent, silent_sources(question.limits, ledger, report.now));
  // A source that is not expected any more is silent for good; the log has said so once
  // (SourceWatch).
  std::erase_if(report.silent, [](const SilentSource& source) { return source.forgotten; });
  CARAVEL_ASSIGN_OR_RETURN(report.overdue, overdue_manifests(question.limits, ledger, report.now));
  return {};
}

Result<> add_extracts(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  CARAVEL_ASSIGN_OR_RETURN(report.waiting,
                           ledger.history().newest_in(State::waiting, question.most));
  CARAVEL_ASSIGN_OR_RETURN(report.failed, ledger.history().open_failures(question.most));
  return {};
}

/// Those of `extracts` whose files are there, at most `most`: the others are settled.
std::vector<RejectsStatus> with_files(const StatusQuestion& question,
                                      std::vector<Extract> extracts) {
  std::vector<RejectsStatus> out;
  for (Extract& extract : extracts) {
    if (out.size() == question.most) break;
    auto files = find_reject_files(spool_of(question.spool, extract), extract.feed, extract.name,
                                   extract.sha256);
    if (files) out.push_back({std::move(extract), std::move(*files)});
  }
  return out;
}

Result<> add_rejects(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  constexpr std::chrono::days kLookBack{7};
  constexpr std::chrono::days kMany{1};
  // Those whose files are gone are settled, and others take their places in the list.
  const std::size_t most = 10 * question.most;
  CARAVEL_ASSIGN_OR_RETURN(auto newest,
                           ledger.history().with_rejects(report.now - kLookBack, most));
  report.rejects = with_files(question, std::move(newest));
  CARAVEL_ASSIGN_OR_RETURN(auto many, ledger.history().with_many_rejects(report.now - kMany, most));
  report.many_rejects = with_files(question, std::move(many));
  return {};
}

Result<> add_left_alone(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  CARAVEL_ASSIGN_OR_RETURN(const auto left_alone, ledger.drop_names().left_alone());
  for (const auto& [feed, names] : left_alone) {
    report.left_alone_total += names.size();
    for (const LeftAlone& name : names) {
      // All are counted, the first ones are listed: senders choose how many there are.
      if (report.left_alone.size() < question.most) report.left_alone.push_back({feed, name});
    }
  }
  return {};
}

/// What only the watching process knows of the directories: whether events tell of new files, what
/// it may read, what was mounted before. Without anybody who watches, its last words say nothing.
Result<> add_drops(Ledger& ledger, const StatusQuestion& question, StatusReport& report) {
  report.drops = question.drops;
  report.disks = question.disks;
  if (question.lock_holder.empty()) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto records, ledger.directories().all());
  for (DropStatus& drop : report.drops) {
    const auto record = std::ranges::find(records, drop.path, &DirectoryRecord::path);
    if (record == records.end()) continue;
    drop.since = record->since;
    // What is seen now says more of a directory that is not there.
    if (drop.state != "ok") continue;
    drop.state = name_of(record->state);
    drop.why = record->why;
  }
  return {};
}

}  // namespace

Result<StatusReport> build_status(Ledger& ledger, const StatusQuestion& question, Time now) {
  StatusReport report;
  report.now = now;
  report.lock_holder = question.lock_holder;
  report.captures = question.captures;
  report.refused_manifests = question.refused_manifests;
  // Each part asks the ledger for itself, not in one transaction: two parts may differ by what a
  // worker has done meanwhile.
  CARAVEL_TRY(add_feeds(ledger, question, report));
  CARAVEL_TRY(add_stores(ledger, question, report));
  CARAVEL_TRY(add_sources(ledger, question, report));
  CARAVEL_TRY(add_extracts(ledger, question, report));
  CARAVEL_TRY(add_rejects(ledger, question, report));
  CARAVEL_TRY(add_left_alone(ledger, question, report));
  CARAVEL_TRY(add_drops(ledger, question, report));
  CARAVEL_ASSIGN_OR_RETURN(report.overfull, Overfull(ledger).all());
  // Nobody looks after a spool of an older configuration any more.
  std::erase_if(report.overfull, [&](const OverfullRecord& full) {
    return !(full.spool + "/").starts_with(question.spool + "/");
  });
  report.worked_at = question.worked_at;
  report.health = judge(report, question.expect_sweep, question.max_wait);
  return report;
}

}  // namespace caravel::watcher
