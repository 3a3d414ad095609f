// A StatusReport as text for people: `status`.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "watcher/report/status.h"
#include "watcher/report/words.h"
#include "watcher/sources/sequence.h"

namespace caravel::watcher {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string throughput_text(const Throughput& throughput) {
  return fmt::format("{}, {}, {}", plural(throughput.extracts, "extract"),
                     plural(throughput.rows, "row") + " stored", size_for_people(throughput.bytes));
}

/// Three states are one here, "in work": they follow each other within one load.
std::string extracts_text(const FeedSummary& summary) {
  const auto in = [&](State state) -> std::uint64_t {
    const auto found = summary.extracts.find(state);
    return found == summary.extracts.end() ? 0 : found->second;
  };
  return fmt::format("{} seen, {} waiting, {} in work, {} done, {} failed", in(State::seen),
                     in(State::waiting),
                     in(State::claimed) + in(State::formatted) + in(State::uploading),
                     in(State::done), summary.open_failures);
}

/// What is wrong with the drop directory, and for how long as far as that is known.
std::string drop_text(const DropStatus& drop, Time now) {
  const std::string lasts = drop.since ? fmt::format(" (for {})", ago(now, *drop.since)) : "";
  // The words of the watching process name the directory themselves.
  if (drop.why.find(drop.path) != std::string::npos) return printable(drop.why) + lasts;
  return fmt::format("{} {}{}", printable(drop.path), printable(drop.why), lasts);
}

void write_feed(std::string& out, const FeedStatus& feed, const StatusReport& report) {
  const Time now = report.now;
  const FeedSummary& summary = feed.summary;
  out += shown(feed.name) + (feed.configured ? "\n" : " (not configured any more)\n");
  for (const DropStatus& drop : report.drops) {
    if (drop.feed == feed.name && drop.state != "ok") {
      add_fact(out, "drop directory", drop_text(drop, now));
    }
  }
  add_fact(out, "extracts", extracts_text(summary));
  add_fact(out, "lines", lines_text(summary.counts));
  add_fact(out, "last hour", throughput_text(feed.last_hour));
  add_fact(out, "last day", throughput_text(feed.last_day));
  add_fact(out, "last extract",
           summary.last_claim ? fmt::format("{} ago", ago(now, *summary.last_claim)) : "never");
  // How late the feed is: the age of the oldest extract that is neither done nor failed.
  if (summary.oldest_open) {
    const Extract& oldest = *summary.oldest_open;
    add_fact(out, "behind by",
             fmt::format("{}: {} is {}", ago(now, oldest.seen_at), printable(oldest.name),
                         name_of(oldest.state)));
  }
  if (summary.counts.differs != 0) {
    add_fact(out, "differs",
             fmt::format("{} came again in another form and were kept as stored; caravel process "
                         "--reprocess replaces them",
                         plural(summary.counts.differs, "row")));
  }
  if (summary.years_guessed != 0) {
    add_fact(out, "year guessed", plural(summary.years_guessed, "extract"));
  }
  out += '\n';
}

/// The state of a store in words, and for how long it has lasted.
std::string store_text(const StoreRecord& store, Time now) {
  // The ledger has no row of a store that was never used.
  if (store.since == Time{}) return "not used yet";
  if (store.state == StoreState::ok) return store.first_row_at ? "ok" : "ok, no row stored yet";
  std::string out =
      fmt::format("{} for {}: {}", store.state == StoreState::fault ? "at fault" : "unavailable",
                  ago(now, store.since), printable(store.why));
  if (store.next_try) out += "; " + next_try_text(now, store.next_try);
  return out;
}

/// A heading with the number of entries, then one row for each; nothing without entries.
void write_section(std::string& out, std::string_view what, std::uint64_t total, const Rows& rows) {
  if (rows.empty()) return;
  out += rows.size() < total ? fmt::format("\n{} (the newest {} of {})\n", what, rows.size(), total)
                             : fmt::format("\n{} ({})\n", what, total);
  add_table(out, rows);
}

/// The gaps of a source, as many as fit on a line.
std::string gaps_text(const ReportedSource& source, Time now) {
  const SourceStatus& status = source.status;
  std::string out;
  constexpr std::size_t kMost = 5;  // more would not fit on a line
  std::size_t shown = 0;
  for (const SequenceGap& gap : status.gaps) {
    // Gaps older than forget_source are counted and not listed.
    if (gap.since < source.forget_before || shown == kMost) continue;
    ++shown;
    out += fmt::format("{}{} (for {})", out.empty() ? "missing: " : ", ", describe(gap),
                       ago(now, gap.since));
  }
  if (status.gaps_total == 0) return "nothing missing";
  if (shown == 0) return plural(status.gaps_total, "gap") + " older than forget_source";
  if (status.gaps_total > shown) out += fmt::format(" and {} more", status.gaps_total - shown);
  return out + ": late or lost";
}

void write_sources(std::string& out, const std::vector<ReportedSource>& sources, Time now) {
  if (sources.empty()) return;
  out += "\nSources\n";
  Rows rows;
  std::uint64_t forgotten = 0;
  std::uint64_t with_gaps = 0;
  for (const ReportedSource& reported : sources) {
    const SourceStatus& source = reported.status;
    // Hosts that send nothing any more would fill the page: they share one line at the end.
    if (reported.forgotten) {
      ++forgotten;
      if (source.gaps_total > 0) ++with_gaps;
      continue;
    }
    rows.push_back({source.run.feed, printable(source.run.source), "run " + source.run.run,
                    fmt::format("up to {}, {}", source.last_sequence,
                                source.last_at == Time{}
                                    ? "by hand"
                                    : fmt::format("heard from {} ago", ago(now, source.last_at))),
                    gaps_text(reported, now)});
  }
  add_table(out, rows);
  if (forgotten > 0) {
    out += fmt::format("  {} that sent nothing for longer than forget_source{}: status --json\n",
                       plural(forgotten, "source"),
                       with_gaps > 0 ? fmt::format(", {} with gaps", with_gaps) : "");
  }
}

void write_silent(std::string& out, const std::vector<SilentSource>& sources, Time now) {
  if (sources.empty()) return;
  out += "\nSilent for longer than expect_every\n";
  Rows rows;
  for (const SilentSource& silent : sources) {
    rows.push_back(
        {silent.feed, silent.source.empty() ? "(the whole feed)" : printable(silent.source),
         silent.run.empty() ? "" : "run " + silent.run, "for " + ago(now, silent.last_at)});
  }
  add_table(out, rows);
}

void write_overdue(std::string& out, const OverdueManifests& overdue, Time now) {
  // `status --json` has the rest.
  constexpr std::size_t kMost = 10;
  Rows rows;
  for (const OpenManifest& manifest : overdue.newest) {
    if (rows.size() == kMost) break;
    rows.push_back({manifest.feed, printable(manifest.name), "for " + ago(now, manifest.since)});
  }
  write_section(out, "Manifests whose extracts have not been loaded", overdue.total, rows);
}

void write_stores(std::string& out, const std::vector<StoreRecord>& stores, Time now) {
  out += "Stores\n";
  Rows rows;
  for (const StoreRecord& store : stores) {
    rows.push_back({store.name, printable(store.place), store_text(store, now)});
  }
  add_table(out, rows);
}

/// Which extracts wait, and which have failed, each with its reason.
void write_extracts(std::string& out, const StatusReport& report) {
  const Time now = report.now;
  Rows waiting;
  for (const Extract& extract : report.waiting) {
    waiting.push_back({extract.feed, printable(extract.name), ago(now, extract.since),
                       waiting_text(extract, now)});
  }
  write_section(out, "Waiting", report.waiting_total, waiting);
  Rows failed;
  for (const Extract& extract : report.failed) {
    failed.push_back({extract.feed, printable(extract.name), ago(now, extract.since) + " ago",
                      printable(extract.why)});
  }
  write_section(out, "Failed", report.failed_total, failed);
  if (!failed.empty()) {
    out += "  caravel retry NAME: goes in again; caravel ack NAME: settled, counts no longer\n";
  }
}

void write_rejects(std::string& out, const StatusReport& report) {
  Rows rows;
  for (const RejectsStatus& rejects : report.rejects) {
    const LineCounts& counts = rejects.extract.counts;
    rows.push_back({rejects.extract.feed, printable(rejects.extract.name),
                    fmt::format("{} of {}{}", counts.rejected, plural(counts.lines, "line"),
                                rejects.many() ? ", over a tenth" : ""),
                    printable(rejects.files) + ".reasons.csv"});
  }
  write_section(out, "Rejected lines, the newest", rows.size(), rows);
}

void write_refused_manifests(std::string& out, const RefusedManifests& refused, Time now) {
  Rows rows;
  for (const RefusedManifest& manifest : refused.newest) {
    rows.push_back({printable(manifest.file), ago(now, manifest.since) + " ago",
                    "it " + printable(manifest.why)});
  }
  write_section(out, "Refused manifests in failed/", refused.total, rows);
}

void write_left_alone(std::string& out, const StatusReport& report) {
  Rows rows;
  for (const LeftAloneStatus& entry : report.left_alone) {
    rows.push_back({entry.feed, printable(entry.name.name), ago(report.now, entry.name.since),
                    printable(entry.name.why)});
  }
  write_section(out, "Left alone in the drop directories", report.left_alone_total, rows);
}

/// Who is at work: a watcher for the drop directories, captures for the logs of this host.
std::string watchers_text(const StatusReport& report) {
  std::string out;
  if (!report.lock_holder.empty()) {
    out = fmt::format("Watched by {}.\n", shown(report.lock_holder));
  } else if (report.captures.empty()) {
    out = "Nobody watches the spool at the moment.\n";
  } else {
    out = "Nobody watches the drop directories at the moment.\n";
  }
  for (const auto& [feed, holder] : report.captures) {
    out += fmt::format("Feed {} is captured by {}.\n", feed, shown(holder));
  }
  return out;
}

}  // namespace

std::string status_text(const StatusReport& report) {
  const Time now = report.now;
  std::string out = watchers_text(report);
  for (const DiskRoom& disk : report.disks) {
    if (!disk.full.empty()) out += "Full: " + printable(disk.full) + "\n";
  }
  for (const OverfullRecord& full : report.overfull) {
    out += fmt::format("Too full for {}: {}\n", ago(now, full.since),
                       printable(full.folder.text(full.spool)));
  }
  out += '\n';
  if (report.feeds.empty()) out += "No feed is configured.\n\n";
  for (const FeedStatus& feed : report.feeds) write_feed(out, feed, report);
  // What concerns all files first, single files last.
  write_stores(out, report.stores, now);
  write_sources(out, report.sources, now);
  write_silent(out, report.silent, now);
  write_overdue(out, report.overdue, now);
  write_extracts(out, report);
  write_rejects(out, report);
  write_refused_manifests(out, report.refused_manifests, now);
  write_left_alone(out, report);
  return out;
}

}  // namespace caravel::watcher
