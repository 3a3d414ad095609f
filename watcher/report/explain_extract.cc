// The history of extracts that the ledger knows.
#include <fmt/format.h>

#include "base/text.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"
#include "watcher/report/explain.h"
#include "watcher/report/run_gaps.h"
#include "watcher/report/words.h"
#include "watcher/sources/sequence.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

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

void add_size(std::string& out, const Extract& extract) {
  const std::chrono::nanoseconds mtime(extract.mtime_ns);
  add_fact(out, "size",
           fmt::format("{}, last changed {}", plural(extract.size, "byte"),
                       time_for_people(Time(std::chrono::duration_cast<Time::duration>(mtime)))));
}

/// Where the file came from, and what it is.
void add_file(std::string& out, const Extract& extract) {
  add_fact(out, "feed", extract.feed);
  add_fact(out, "came", origin_text(extract.origin));
  add_fact(out, "first seen", time_for_people(extract.seen_at));
  if (extract.claimed_at) {
    add_fact(out, "claimed",
             fmt::format("{}{}{}", time_for_people(*extract.claimed_at),
                         extract.claim.empty() ? "" : " as " + extract.claim,
                         extract.host.empty() ? "" : " on " + printable(extract.host)));
  }
  if (extract.folded) {
    add_fact(out, "size", plural(extract.size, "byte"));
    add_fact(out, "ledger", "old: counted in the totals of its day");
  } else {
    add_size(out, extract);
  }
  if (!extract.sha256.empty()) add_fact(out, "SHA-256", extract.sha256);
  if (!extract.format.empty()) add_fact(out, "format", extract.format);
  // Empty where every date had its year: then no time was needed to find it.
  if (!extract.time_source.empty()) {
    add_fact(out, "its own time",
             fmt::format("{} (from its {}){}", extract.time_used,
                         extract.time_source == "option" ? "command line" : extract.time_source,
                         extract.year_guessed ? "; the year is a guess" : ""));
  }
}

/// What is under way, for an extract that is neither done nor failed.
void add_progress(std::string& out, const Extract& extract, Time now) {
  const LineCounts& counts = extract.counts;
  if (extract.state == State::waiting) {
    add_fact(out, "waits because", waiting_text(extract, now));
    add_fact(out, "waits since",
             fmt::format("{} ({})", time_for_people(extract.since), ago(now, extract.since)));
  }
  if (extract.state == State::formatted || extract.state == State::uploading) {
    const std::uint64_t row_lines = counts.lines - counts.dropped - counts.rejected;
    add_fact(out, "lines",
             fmt::format("{} = {}{} rows + {} dropped + {} rejected", counts.lines,
                         row_lines == counts.rows ? "" : fmt::format("{} lines of ", row_lines),
                         counts.rows, counts.dropped, counts.rejected));
    add_fact(out, "uploaded",
             fmt::format("{} of {}", extract.acknowledged, plural(counts.rows, "row")));
  }
}

/// How a failure ended.
std::string settled_text(const Extract& extract) {
  std::string out(name_of(extract.settled));
  if (extract.settled_at) out += " " + time_for_people(*extract.settled_at);
  if (!extract.settled_why.empty()) out += ": " + printable(extract.settled_why);
  return out;
}

/// What became of the lines of an extract that is at its end.
void add_result(std::string& out, const Extract& extract) {
  const LineCounts& counts = extract.counts;
  if (extract.state == State::failed) {
    add_fact(out, "lines", fmt::format("{} = {} failed", counts.lines, counts.failed));
    add_fact(out, "failed because", printable(extract.why));
    if (extract.settled != Settled::open) add_fact(out, "settled", settled_text(extract));
    return;
  }
  add_fact(out, "lines", lines_text(counts));
  if (counts.differs != 0) {
    add_fact(out, "differs",
             fmt::format("{} of those already there are stored in another form", counts.differs));
  }
  if (counts.replaced != 0) {
    add_fact(out, "replaced",
             fmt::format("{} of those stored took the place of another form", counts.replaced));
  }
}

void add_state(std::string& out, const Extract& extract, Time now) {
  switch (extract.state) {
    // Nothing is known yet of the lines of an extract that nobody has read.
    case State::seen:
    case State::claimed:
      return;
    case State::waiting:
    case State::formatted:
    case State::uploading:
      return add_progress(out, extract, now);
    case State::done:
    case State::failed:
      return add_result(out, extract);
  }
}

/// Where its rows are, and where the file is.
void add_places(std::string& out, const Extract& extract) {
  if (!extract.first_time.empty()) {
    add_fact(out, "row times", fmt::format("{} to {}", extract.first_time, extract.last_time));
  }
  if (!extract.store.empty()) add_fact(out, "store", extract.store);
  if (extract.done_at) {
    add_fact(out, extract.state == State::failed ? "given up" : "done",
             time_for_people(*extract.done_at));
  }
  if (extract.state == State::done && extract.settled != Settled::open) {
    add_fact(out, "rejects are", settled_text(extract));
  }
  if (extract.state == State::done && !extract.why.empty()) {
    add_fact(out, "note", printable(extract.why));
  }
  // set_done_path() sets `path` too, so this is where the file lies now, also once it is archived.
  if (!extract.path.empty()) add_fact(out, "file", printable(extract.path));
}

/// Why the store of an extract that is not at its end yet does not take it.
void add_store(std::string& out, const std::vector<StoreRecord>& stores, const Extract& extract) {
  if (extract.state == State::done || extract.state == State::failed) return;
  // An extract that is queued behind others waits for what those wait for, and has no reason of its
  // own in the ledger.
  for (const StoreRecord& store : stores) {
    if (store.name == extract.store && store.state != StoreState::ok) {
      add_fact(out, "its store", printable(store.why));
    }
  }
}

}  // namespace

std::string explain_text(const Extract& extract, Time now) {
  std::string out = fmt::format("{}: {}\n", shown(extract.name), name_of(extract.state));
  add_file(out, extract);
  add_state(out, extract, now);
  add_places(out, extract);
  return out;
}

std::string explain_manifest_text(const Manifest& manifest) {
  std::string out;
  add_fact(out, "from", printable(fmt::format("{} on {}", manifest.log, manifest.host)));
  add_fact(out, "sequence", fmt::format("{} of run {}", manifest.sequence, manifest.run));
  add_fact(out, "bytes",
           fmt::format("{} to {} of inode {} there, cut {}", manifest.first, manifest.last,
                       manifest.inode, time_for_people(manifest.cut)));
  return out;
}

std::string explain_extracts(Ledger& ledger, const std::string& spool,
                             const std::vector<Extract>& extracts, Time now) {
  // A part of the ledger that cannot be read is left out: the rest is an answer too.
  const auto stores = ledger.stores().all().value_or(std::vector<StoreRecord>());
  const auto sources = ledger.sources().all().value_or(std::vector<SourceStatus>());
  std::string out;
  for (const Extract& extract : extracts) {
    if (!out.empty()) out += '\n';
    out += explain_text(extract, now);
    if (extract.state == State::done && extract.counts.rejected > 0) {
      const auto files = find_reject_files(spool, extract.feed, extract.name, extract.sha256);
      if (files) add_fact(out, "rejects", printable(*files) + ".rejects, .reasons.csv");
    }
    const auto manifest = ledger.manifests()
                              .of_content(extract.feed, extract.sha256, extract.name)
                              .value_or(std::optional<Manifest>());
    if (manifest) out += explain_manifest_text(*manifest);
    if (const auto place = sequence_of(extract.feed, extract.name, manifest)) {
      add_gaps(out, sources, extract.feed, place->run.run, now);
    }
    add_store(out, stores, extract);
  }
  return out;
}

}  // namespace caravel::watcher
