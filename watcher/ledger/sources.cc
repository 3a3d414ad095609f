#include "watcher/ledger/sources.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/sqlite/transaction.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

using Numbers = std::set<std::uint64_t>;

// -- Gaps ----------------------------------------------------------------------------------------

/// Ranges, not single numbers: a sender may skip a million numbers in one step. Calls `each` with
/// the pieces of [first, last] that are, and that are not, in `numbers`.
template <class Each>
Result<> split(std::uint64_t first, std::uint64_t last, const Numbers& numbers, const Each& each) {
  for (auto here = numbers.lower_bound(first); here != numbers.end() && *here <= last; ++here) {
    if (first < *here) CARAVEL_TRY(each(first, *here - 1, false));
    CARAVEL_TRY(each(*here, *here, true));
    first = *here + 1;
  }
  if (first <= last) CARAVEL_TRY(each(first, last, false));
  return {};
}

Result<> put_gap(Sqlite& database, const SourceRun& run, std::uint64_t first, std::uint64_t last,
                 const std::string& since, bool told) {
  CARAVEL_TRY(database.run(
      "INSERT INTO gaps (feed, run, first, last, since, told) VALUES (?, ?, ?, ?, ?, ?)", run.feed,
      run.run, first, last, since, told));
  return {};
}

/// Opens gaps over [first, last]. Returns those that are to be told of. What is `here` gets a gap
/// of its own that nobody is told of: should its extract be lost yet, the gap is there to be
/// listed.
Result<std::vector<SequenceGap>> open_gaps(Sqlite& database, const SourceRun& run,
                                           std::uint64_t first, std::uint64_t last,
                                           const Numbers& here, Time now) {
  std::vector<SequenceGap> opened;
  const std::string since = time_text(now);
  CARAVEL_TRY(split(first, last, here, [&](std::uint64_t begin, std::uint64_t end, bool is_here) {
    if (!is_here) opened.push_back({begin, end, now});
    return put_gap(database, run, begin, end, since, !is_here);
  }));
  return opened;
}

/// Takes one number out of the gap that holds it. False if none does, or nobody heard of it.
Result<bool> take_from_gap(Sqlite& database, const SourceRun& run, std::uint64_t sequence) {
  // The gaps of a run never overlap: at most one holds the number.
  std::optional<SequenceGap> gap;
  std::string since;
  bool told = false;
  CARAVEL_TRY(database.each(
      "DELETE FROM gaps WHERE feed = ? AND run = ? AND first <= ?3 AND last >= ?3 "
      "RETURNING first, last, since, told",
      [&](const Statement& row) {
        gap = SequenceGap{row.count(0), row.count(1), {}};
        since = row.text(2);
        told = row.integer(3) != 0;
      },
      run.feed, run.run, sequence));
  if (!gap) return false;
  // The halves keep the time and the mark of the whole.
  CARAVEL_TRY(split(gap->first, gap->last, {sequence},
                    [&](std::uint64_t first, std::uint64_t last, bool taken) {
                      return taken ? Result<>() : put_gap(database, run, first, last, since, told);
                    }));
  return told;
}

Result<std::uint64_t> count_gaps(Sqlite& database, const SourceRun& run) {
  std::uint64_t count = 0;
  CARAVEL_TRY(database.each(
      "SELECT count(*) FROM gaps WHERE feed = ? AND run = ?",
      [&](const Statement& row) { count = row.count(0); }, run.feed, run.run));
  return count;
}

// -- Runs ----------------------------------------------------------------------------------------

/// The number that the run is expected to send next; 1 for a run that the ledger does not know.
Result<std::uint64_t> next_of(Sqlite& database, const SourceRun& run) {
  std::uint64_t next = 1;
  CARAVEL_TRY(database.each(
      "SELECT next FROM sources WHERE feed = ? AND run = ?",
      [&](const Statement& row) { next = row.count(0); }, run.feed, run.run));
  return next;
}

/// Makes the run's row, or moves it on; neither `next` nor the time of the last arrival go back.
Result<> move_on(Sqlite& database, const SourceRun& run, std::uint64_t next,
                 std::optional<Time> came, Time now) {
  CARAVEL_TRY(
      database.run("INSERT INTO sources (feed, run, source, next, first_at, last_at, changed_at) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?7) ON CONFLICT (feed, run) DO UPDATE SET "
                   "next = max(next, excluded.next), last_at = max(last_at, excluded.last_at), "
                   "changed_at = max(changed_at, excluded.changed_at), "
                   "first_at = CASE WHEN first_at = '' THEN excluded.first_at ELSE first_at END, "
                   "source = CASE WHEN ?6 THEN source ELSE excluded.source END",
                   run.feed, run.run, run.source, next, came ? time_text(*came) : "",
                   run.by_name_only, time_text(now)));
  return {};
}

/// The extract of this manifest is loaded: the manifest is not overdue any more.
Result<> set_manifest_loaded(Sqlite& database, const SourceRun& run, std::uint64_t sequence,
                             Time now) {
  CARAVEL_TRY(
      database.run("UPDATE manifests SET loaded_at = ? WHERE feed = ? AND run = ? AND sequence = ? "
                   "AND loaded_at IS NULL",
                   time_text(now), run.feed, run.run, sequence));
  return {};
}

/// What a run has here that is neither loaded nor given up, or is in failed/.
struct Unfinished {
  Time last;        // when the last of it came: broken transfers are a sign of life too
  Numbers numbers;  // of those that are on their way
};
using RunKey = std::pair<std::string, std::string>;  // feed and run
using UnfinishedByRun = std::map<RunKey, Unfinished>;

RunKey key_of(const SourceRun& run) { return {run.feed, run.run}; }

/// The run of an extract is that of its manifest, or else of its name.
Result<UnfinishedByRun> unfinished_by_run(Sqlite& database) {
  UnfinishedByRun out;
  CARAVEL_TRY(database.each(
      "SELECT e.feed, e.name, e.state = 'failed', e.origin IN ('drop', 'capture'), "
      "coalesce(e.claimed_at, e.seen_at), m.run, m.sequence FROM extracts AS e "
      "LEFT JOIN manifests AS m ON m.feed = e.feed AND m.name = e.name "
      "WHERE e.state IN ('seen', 'waiting', 'claimed', 'formatted', 'uploading', 'failed')",
      [&](const Statement& row) {
        // Without a manifest the join yields NULL, which reads as an empty text.
        std::string run = row.text(5);
        std::uint64_t sequence = row.count(6);
        const std::string name = row.text(1);
        if (run.empty()) {
          const auto parts = parse_tail_name(name);
          if (!parts) return;
          run = parts->run;
          sequence = parts->sequence;
        }
        Unfinished& unfinished = out[{row.text(0), run}];
        const bool failed = row.integer(2) != 0;
        const bool by_hand = row.integer(3) == 0;
        if (!by_hand) unfinished.last = std::max(unfinished.last, time_at(row, 4));
        // A restart takes up what came by the drop directory. What a person broke off stays undone
        // until the person begins again: it hides no gap.
        if (!failed && !by_hand) unfinished.numbers.insert(sequence);
      }));
  return out;
}

Result<std::vector<SourceStatus>> read_runs(Sqlite& database) {
  std::vector<SourceStatus> out;
  CARAVEL_TRY(
      database.each("SELECT feed, run, source, next, first_at, last_at FROM sources "
                    "ORDER BY feed, source, first_at, last_at, run",
                    [&](const Statement& row) {
                      SourceStatus source;
                      source.run = {row.text(0), row.text(1), row.text(2)};
                      source.last_sequence = row.count(3) - 1;
                      source.first_at = time_at(row, 4);
                      source.last_at = time_at(row, 5);
                      out.push_back(std::move(source));
                    }));
  return out;
}

/// Gives each of `sources` its gaps: what is on its way is taken out of them. `unfinished` has an
/// entry for each of them.
Result<> read_gaps(Sqlite& database, const UnfinishedByRun& unfinished,
                   std::vector<SourceStatus>& sources) {
  std::map<RunKey, SourceStatus*> by_run;
  for (SourceStatus& source : sources) by_run[key_of(source.run)] = &source;
  CARAVEL_TRY(database.each(
      "SELECT feed, run, first, last, since FROM gaps ORDER BY feed, run, since DESC, first",
      [&](const Statement& row) {
        const RunKey key(row.text(0), row.text(1));
        const auto run = by_run.find(key);
        if (run == by_run.end()) return;
        SourceStatus& source = *run->second;
        const auto keep = [&](std::uint64_t first, std::uint64_t last, bool here) {
          if (here) return Result<>();
          ++source.gaps_total;
          if (source.gaps.size() < Sources::kMaxGaps) {
            source.gaps.push_back({first, last, time_at(row, 4)});
          }
          return Result<>();
        };
        // Neither the split nor keep() has an error of its own.
        (void)split(row.count(2), row.count(3), unfinished.at(key).numbers, keep);
      }));
  for (SourceStatus& source : sources) {
    std::sort(source.gaps.begin(), source.gaps.end(),
              [](const SequenceGap& a, const SequenceGap& b) { return a.first < b.first; });
  }
  return {};
}

/// An agent that lost its state goes on under another run: the older run has sent nothing since. A
/// run that has sent something since is a source of its own that has the same name. `sources` are
/// in the order of read_runs(): of those with one name, the newest is the last.
void mark_replaced(std::vector<SourceStatus>& sources) {
  const SourceStatus* newest = nullptr;
  for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
    if (newest == nullptr || newest->run.feed != source->run.feed ||
        newest->run.source != source->run.source) {
      newest = &*source;
    } else {
      source->replaced = source->last_at <= newest->first_at;
    }
  }
}

}  // namespace

Result<Arrival> Sources::arrived(const SourceRun& run, std::uint64_t sequence, State end,
                                 std::optional<Time> came, Time now,
                                 const std::function<Numbers()>& in_drop) {
  return in_context("sequence", [&]() -> Result<Arrival> {
    Arrival arrival;
    if (sequence == 0 || sequence > kMaxSequence) return arrival;
    CARAVEL_ASSIGN_OR_RETURN(auto next, next_of(database_, run));
    // The drop directory before the ledger: a file that leaves the directory meanwhile had its row
    // in the ledger before that. And not under the lock: reading a directory may be slow, and other
    // writers wait for the lock.
    Numbers here = in_drop && sequence > next ? in_drop() : Numbers();
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_ASSIGN_OR_RETURN(next, next_of(database_, run));
    if (sequence > next) {
      CARAVEL_ASSIGN_OR_RETURN(auto unfinished, unfinished_by_run(database_));
      here.merge(unfinished[key_of(run)].numbers);
      CARAVEL_ASSIGN_OR_RETURN(arrival.opened,
                               open_gaps(database_, run, next, sequence - 1, here, now));
    } else if (sequence < next) {
      CARAVEL_ASSIGN_OR_RETURN(arrival.closed, take_from_gap(database_, run, sequence));
    }
    // A number that came before (sequence < next, in no gap) goes on from here as well: after a
    // crash between this commit and the next, the same arrival is told again and must change
    // nothing.
    CARAVEL_TRY(move_on(database_, run, std::max(next, sequence + 1), came, now));
    if (end == State::done) CARAVEL_TRY(set_manifest_loaded(database_, run, sequence, now));
    CARAVEL_ASSIGN_OR_RETURN(arrival.gaps, count_gaps(database_, run));
    CARAVEL_TRY(transaction.commit());
    return arrival;
  });
}

Result<std::uint64_t> Sources::close_gaps(const std::string& feed, const std::string& run,
                                          std::uint64_t first, std::uint64_t last,
                                          const std::string& why, Time now) {
  return in_context("close gaps", [&]() -> Result<std::uint64_t> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    struct Gap {
      std::uint64_t first, last;
      std::string since;
      bool told;
    };
    std::vector<Gap> gaps;
    CARAVEL_TRY(database_.each(
        "DELETE FROM gaps WHERE feed = ? AND run = ? AND first <= ? AND last >= ? "
        "RETURNING first, last, since, told",
        [&](const Statement& row) {
          gaps.push_back({row.count(0), row.count(1), row.text(2), row.integer(3) != 0});
        },
        feed, run, last, first));
    std::uint64_t closed = 0;
    for (const Gap& gap : gaps) {
      const std::uint64_t from = std::max(first, gap.first);
      const std::uint64_t to = std::min(last, gap.last);
      // What stands outside of the range is missing still.
      const SourceRun of_run{feed, run, ""};
      if (gap.first < from) {
        CARAVEL_TRY(put_gap(database_, of_run, gap.first, from - 1, gap.since, gap.told));
      }
      if (gap.last > to) {
        CARAVEL_TRY(put_gap(database_, of_run, to + 1, gap.last, gap.since, gap.told));
      }
      CARAVEL_TRY(
          database_.run("INSERT INTO closed_gaps (feed, run, first, last, since, "
                        "closed_at, why) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        feed, run, from, to, gap.since, time_text(now), why));
      closed += to - from + 1;
    }
    CARAVEL_TRY(transaction.commit());
    return closed;
  });
}

Result<std::vector<SourceStatus>> Sources::all() {
  return in_context("sources", [&]() -> Result<std::vector<SourceStatus>> {
    CARAVEL_ASSIGN_OR_RETURN(auto out, read_runs(database_));
    CARAVEL_ASSIGN_OR_RETURN(auto unfinished, unfinished_by_run(database_));
    for (SourceStatus& source : out) {
      source.last_at = std::max(source.last_at, unfinished[key_of(source.run)].last);
    }
    CARAVEL_TRY(read_gaps(database_, unfinished, out));
    mark_replaced(out);
    return out;
  });
}

}  // namespace caravel::watcher
