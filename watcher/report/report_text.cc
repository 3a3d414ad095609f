// `status` and `explain` for people.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/files/name_rules.h"
#include "watcher/report/report.h"
#include "watcher/sources/sequence.h"

namespace caravel::watcher {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string ago(Time now, Time then) {
  return duration_for_people(duration_cast<milliseconds>(now - then));
}

std::string next_try_text(Time now, const std::optional<Time>& next_try) {
  if (!next_try) return {};
  if (*next_try <= now) return "next try now";
  return fmt::format("next try at {} (in {})", time_for_people(*next_try),
                     duration_for_people(duration_cast<milliseconds>(*next_try - now)));
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string plural(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string lines_text(const LineCounts& counts) {
  std::string out =
      fmt::format("{} = {} stored + {} already there + {} dropped + {} rejected", counts.lines,
                  counts.stored, counts.already_there, counts.dropped, counts.rejected);
  if (counts.failed != 0) out += fmt::format(" + {} failed", counts.failed);
  return out;
}

std::string throughput_text(const Throughput& throughput) {
  return fmt::format("{}, {}, {}", plural(throughput.extracts, "extract"),
                     plural(throughput.rows, "row"), bytes_text(throughput.bytes));
}

/// "  label   value", the values below each other.
void fact(std::string& out, std::string_view label, std::string_view value) {
  fmt::format_to(std::back_inserter(out), "  {:<14} {}\n", label, value);
}

/// Rows of cells, each column as wide as its widest cell; the last is not padded.
void table(std::string& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t width = i + 1 < row.size() ? widths[i] : 0;
      fmt::format_to(std::back_inserter(out), "  {:<{}}", row[i], width);
    }
    out += '\n';
  }
}

std::string extracts_text(const FeedSummary& summary) {
  const auto in = [&](State state) -> std::uint64_t {
    const auto found = summary.extracts.find(state);
    return found == summary.extracts.end() ? 0 : found->second;
  };
  return fmt::format("{} seen, {} waiting, {} in work, {} done, {} failed", in(State::seen),
                     in(State::waiting),
                     in(State::claimed) + in(State::formatted) + in(State::uploading),
                     in(State::done), in(State::failed));
}

void add_feed(std::string& out, const FeedStatus& feed, Time now) {
  const FeedSummary& summary = feed.summary;
  out += printable(feed.name) + (feed.configured ? "\n" : " (not configured any more)\n");
  fact(out, "extracts", extracts_text(summary));
  fact(out, "lines", lines_text(summary.counts));
  fact(out, "last hour", throughput_text(feed.last_hour));
  fact(out, "last day", throughput_text(feed.last_day));
  fact(out, "last extract",
       summary.last_claim ? fmt::format("{} ago", ago(now, *summary.last_claim)) : "never");
  if (summary.oldest_open) {
    const Extract& oldest = *summary.oldest_open;
    fact(out, "behind by",
         fmt::format("{}: {} is {}", ago(now, oldest.seen_at), printable(oldest.name),
                     name_of(oldest.state)));
  }
  if (summary.counts.differs != 0) {
    fact(out, "differs",
         fmt::format("{} came again in another form and were kept as stored; caravel process "
                     "--reprocess replaces them",
                     plural(summary.counts.differs, "row")));
  }
  if (summary.years_guessed != 0) {
    fact(out, "year guessed", plural(summary.years_guessed, "extract"));
  }
  out += '\n';
}

std::string store_text(const StoreRecord& store, Time now) {
  if (store.since == Time{}) return "not used yet";
  if (store.state == StoreState::ok) return store.first_row_at ? "ok" : "ok, no row stored yet";
  std::string out =
      fmt::format("{} for {}: {}", store.state == StoreState::fault ? "at fault" : "unavailable",
                  ago(now, store.since), printable(store.why));
  if (store.next_try) out += "; " + next_try_text(now, store.next_try);
  return out;
}

std::string waiting_text(const Extract& extract, Time now) {
  std::string out = printable(extract.why);
  if (extract.attempts != 0) out += fmt::format("; tried {}", plural(extract.attempts, "time"));
  if (extract.next_try) out += "; " + next_try_text(now, extract.next_try);
  return out;
}

void add_heading(std::string& out, std::string_view what, std::size_t shown, std::uint64_t total) {
  out += shown < total ? fmt::format("\n{} (the newest {} of {})\n", what, shown, total)
                       : fmt::format("\n{} ({})\n", what, total);
}

std::string gaps_text(const ReportedSource& source, Time now) {
  const SourceStatus& status = source.status;
  std::string out;
  constexpr std::size_t kMost = 5;
  std::size_t shown = 0;
  for (const SequenceGap& gap : status.gaps) {
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

void add_sources(std::string& out, const StatusReport& report) {
  const Time now = report.now;
  std::vector<std::vector<std::string>> rows;
  std::uint64_t forgotten = 0;
  std::uint64_t with_gaps = 0;
  if (!report.sources.empty()) out += "\nSources\n";
  for (const ReportedSource& reported : report.sources) {
    const SourceStatus& source = reported.status;
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
  table(out, rows);
  if (forgotten > 0) {
    out += fmt::format("  {} that sent nothing for longer than forget_source{}: status --json\n",
                       plural(forgotten, "source"),
                       with_gaps > 0 ? fmt::format(", {} with gaps", with_gaps) : "");
  }
  rows.clear();
  if (!report.silent.empty()) out += "\nSilent for longer than expect_every\n";
  for (const SilentSource& silent : report.silent) {
    rows.push_back(
        {silent.feed, silent.source.empty() ? "(the whole feed)" : printable(silent.source),
         silent.run.empty() ? "" : "run " + silent.run, "for " + ago(now, silent.last_at)});
  }
  table(out, rows);
  rows.clear();
  const std::vector<OpenManifest>& overdue = report.overdue.newest;
  const std::size_t shown = std::min<std::size_t>(overdue.size(), 10);
  if (shown > 0) {
    add_heading(out, "Manifests whose extracts have not been loaded", shown, report.overdue.total);
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const OpenManifest& manifest = overdue[i];
    rows.push_back({manifest.feed, printable(manifest.name), "for " + ago(now, manifest.since)});
  }
  table(out, rows);
}

std::string origin_text(Origin origin) {
  switch (origin) {
    case Origin::drop:
      return "from the drop directory";
    case Origin::process:
      return "by hand (caravel process)";
    case Origin::upload:
      return "by hand (caravel upload)";
    case Origin::capture:
      return "from the log itself (caravel capture)";
  }
  return {};
}

/// Who is at work: a watcher for the drop directories, captures for the logs of this host.
std::string watchers_text(const StatusReport& report) {
  std::string out;
  if (!report.lock_holder.empty()) {
    out = fmt::format("Watched by {}.\n", printable(report.lock_holder));
  } else if (report.captures.empty()) {
    out = "Nobody watches the spool at the moment.\n";
  } else {
    out = "Nobody watches the drop directories at the moment.\n";
  }
  for (const auto& [feed, holder] : report.captures) {
    out += fmt::format("Feed {} is captured by {}.\n", feed, printable(holder));
  }
  return out;
}

}  // namespace

std::string status_text(const StatusReport& report) {
  const Time now = report.now;
  std::string out = watchers_text(report) + "\n";
  if (report.feeds.empty()) out += "No feed is configured.\n\n";
  for (const FeedStatus& feed : report.feeds) add_feed(out, feed, now);

  out += "Stores\n";
  std::vector<std::vector<std::string>> rows;
  for (const StoreRecord& store : report.stores) {
    rows.push_back({store.name, printable(store.place), store_text(store, now)});
  }
  table(out, rows);
  add_sources(out, report);
  if (!report.waiting.empty()) {
    add_heading(out, "Waiting", report.waiting.size(), report.waiting_total);
    rows.clear();
    for (const Extract& extract : report.waiting) {
      rows.push_back({extract.feed, printable(extract.name), ago(now, extract.since),
                      waiting_text(extract, now)});
    }
    table(out, rows);
  }
  if (!report.failed.empty()) {
    add_heading(out, "Failed", report.failed.size(), report.failed_total);
    rows.clear();
    for (const Extract& extract : report.failed) {
      rows.push_back({extract.feed, printable(extract.name), ago(now, extract.since) + " ago",
                      printable(extract.why)});
    }
    table(out, rows);
  }
  if (const RefusedManifests& refused = report.refused_manifests; refused.total > 0) {
    add_heading(out, "Refused manifests in failed/", refused.newest.size(), refused.total);
    rows.clear();
    for (const RefusedManifest& manifest : refused.newest) {
      rows.push_back({printable(manifest.file), ago(now, manifest.since) + " ago",
                      "it " + printable(manifest.why)});
    }
    table(out, rows);
  }
  if (!report.left_alone.empty()) {
    add_heading(out, "Left alone in the drop directories", report.left_alone.size(),
                report.left_alone_total);
    rows.clear();
    for (const LeftAloneStatus& entry : report.left_alone) {
      rows.push_back({entry.feed, printable(entry.name.name), ago(now, entry.name.since),
                      printable(entry.name.why)});
    }
    table(out, rows);
  }
  return out;
}

std::string explain_manifest_text(const Manifest& manifest) {
  std::string out;
  fact(out, "from", printable(fmt::format("{} on {}", manifest.log, manifest.host)));
  fact(out, "sequence", fmt::format("{} of run {}", manifest.sequence, manifest.run));
  fact(out, "bytes",
       fmt::format("{} to {} of inode {} there, cut {}", manifest.first, manifest.last,
                   manifest.inode, time_for_people(manifest.cut)));
  return out;
}

std::string explain_text(const Extract& extract, Time now) {
  std::string out = fmt::format("{}: {}\n", printable(extract.name), name_of(extract.state));
  const LineCounts& counts = extract.counts;
  fact(out, "feed", extract.feed);
  fact(out, "came", origin_text(extract.origin));
  fact(out, "first seen", time_for_people(extract.seen_at));
  if (extract.claimed_at) {
    fact(out, "claimed",
         fmt::format("{} as {}{}", time_for_people(*extract.claimed_at), extract.claim,
                     extract.host.empty() ? "" : " on " + printable(extract.host)));
  }
  const std::chrono::nanoseconds mtime(extract.mtime_ns);
  fact(out, "size",
       fmt::format("{}, last changed {}", plural(extract.size, "byte"),
                   time_for_people(Time(duration_cast<Time::duration>(mtime)))));
  if (!extract.sha256.empty()) fact(out, "SHA-256", extract.sha256);
  if (!extract.format.empty()) fact(out, "format", extract.format);
  if (!extract.time_source.empty()) {
    fact(out, "its own time",
         fmt::format("{} (from its {}){}", extract.time_used,
                     extract.time_source == "option" ? "command line" : extract.time_source,
                     extract.year_guessed ? "; the year is a guess" : ""));
  }
  switch (extract.state) {
    case State::seen:
    case State::claimed:
      break;
    case State::waiting:
      fact(out, "waits because", waiting_text(extract, now));
      fact(out, "waits since",
           fmt::format("{} ({})", time_for_people(extract.since), ago(now, extract.since)));
      break;
    case State::formatted:
    case State::uploading:
      fact(out, "lines",
           fmt::format("{} = {} rows + {} dropped + {} rejected", counts.lines, counts.rows,
                       counts.dropped, counts.rejected));
      fact(out, "uploaded",
           fmt::format("{} of {}", extract.acknowledged, plural(counts.rows, "row")));
      break;
    case State::done:
      fact(out, "lines", lines_text(counts));
      if (counts.differs != 0) {
        fact(out, "differs",
             fmt::format("{} of those already there are stored in another form", counts.differs));
      }
      if (counts.replaced != 0) {
        fact(out, "replaced",
             fmt::format("{} of those stored took the place of another form", counts.replaced));
      }
      break;
    case State::failed:
      fact(out, "lines", fmt::format("{} = {} failed", counts.lines, counts.failed));
      fact(out, "failed because", printable(extract.why));
      break;
  }
  if (!extract.first_time.empty()) {
    fact(out, "row times", fmt::format("{} to {}", extract.first_time, extract.last_time));
  }
  if (!extract.store.empty()) fact(out, "store", extract.store);
  if (extract.done_at) {
    fact(out, extract.state == State::failed ? "given up" : "done",
         time_for_people(*extract.done_at));
  }
  if (extract.state == State::done && !extract.why.empty()) {
    fact(out, "note", printable(extract.why));
  }
  if (!extract.path.empty()) fact(out, "file", printable(extract.path));
  return out;
}

}  // namespace caravel::watcher
