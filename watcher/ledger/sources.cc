// The ledger's part for capture hosts: the sequences of their extracts, and gaps in them.
#include <algorithm>
#include <set>

#include "watcher/ledger/ledger.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

using Numbers = std::set<std::uint64_t>;

/// Calls `each` with the pieces of [first, last] that are, and that are not, in `numbers`.
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
  CARAVEL_TRY(

      database.run(
          "INSERT INTO gaps (feed, run, first, last, since, told) VALUES (?, ?, ?, ?, ?, ?)",
          run.feed, run.run, first, last, since, told));
  return {};
}

/// Takes one number out of the gap that holds it. False if none does, or nobody heard of it.
Result<bool> take_from_gap(Sqlite& database, const SourceRun& run, std::uint64_t sequence) {
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
  CARAVEL_TRY(split(gap->first, gap->last, {sequence},
                    [&](std::uint64_t first, std::uint64_t last, bool taken) {
                      return taken ? Result<>() : put_gap(database, run, first, last, since, told);
                    }));
  return told;
}

/// What a run has here that is neither loaded nor given up, or is in failed/.
struct Unfinished {
  Time last;        // when the last of it came: broken transfers are a sign of life too
  Numbers numbers;  // of those that are on their way
};
using UnfinishedByRun = std::map<std::pair<std::string, std::string>, Unfinished>;

/// By feed and run, which is that of a manifest, or else of the name.
Result<UnfinishedByRun> unfinished_by_run(Sqlite& database) {
  UnfinishedByRun out;
  CARAVEL_TRY(database.each(
      "SELECT e.feed, e.name, e.state = 'failed', e.origin IN ('drop', 'capture'), "
      "coalesce(e.claimed_at, e.seen_at), m.run, m.sequence FROM extracts AS e "
      "LEFT JOIN manifests AS m ON m.feed = e.feed AND m.name = e.name "
      "WHERE e.state IN ('seen', 'waiting', 'claimed', 'formatted', 'uploading', 'failed')",
      [&](const Statement& row) {
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
        // What a person broke off is taken up by nobody.
        if (!failed && !by_hand) unfinished.numbers.insert(sequence);
      }));
  return out;
}

/// An agent that lost its state goes on under another run: the older one has sent nothing since.
/// One that has is a source of its own that has the same name.
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

Result<Arrival> Ledger::arrived(const SourceRun& run, std::uint64_t sequence, State end,
                                std::optional<Time> came, Time now,
                                const std::function<Numbers()>& in_drop) {
  return in_context("sequence", [&]() -> Result<Arrival> {
    Arrival arrival;
    if (sequence == 0 || sequence > kMaxSequence) return arrival;
    const std::string at = time_text(now);
    std::uint64_t next = 1;
    const auto read_next = [&] {
      return database_.each(
          "SELECT next FROM sources WHERE feed = ? AND run = ?",
          [&](const Statement& row) { next = row.count(0); }, run.feed, run.run);
    };
    CARAVEL_TRY(read_next());
    // The drop directory before the ledger: what leaves it meanwhile is in the ledger before that.
    // And not under the lock: it may be slow, and others wait for that.
    Numbers here = in_drop && sequence > next ? in_drop() : Numbers();
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(read_next());
    if (sequence > next) {
      CARAVEL_ASSIGN_OR_RETURN(auto unfinished, unfinished_by_run(database_));
      here.merge(unfinished[{run.feed, run.run}].numbers);
      CARAVEL_TRY(split(next, sequence - 1, here,
                        [&](std::uint64_t first, std::uint64_t last, bool is_here) {
                          if (!is_here) arrival.opened.push_back({first, last, now});
                          return put_gap(database_, run, first, last, at, !is_here);
                        }));
    } else if (sequence < next) {
      CARAVEL_ASSIGN_OR_RETURN(auto taken, take_from_gap(database_, run, sequence));
      arrival.closed = taken;
    }
    CARAVEL_TRY(

        database_.run(
            "INSERT INTO sources (feed, run, source, next, first_at, last_at) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (feed, run) DO UPDATE SET "
            "next = max(next, excluded.next), last_at = max(last_at, excluded.last_at), "
            "first_at = CASE WHEN first_at = '' THEN excluded.first_at ELSE first_at END, "
            "source = CASE WHEN ?6 THEN source ELSE excluded.source END",
            run.feed, run.run, run.source, std::max(next, sequence + 1),
            came ? time_text(*came) : "", run.by_name_only));
    if (end == State::done) {
      CARAVEL_TRY(

          database_.run(
              "UPDATE manifests SET loaded_at = ? WHERE feed = ? AND run = ? AND sequence = ? "
              "AND loaded_at IS NULL",
              at, run.feed, run.run, sequence));
    }
    CARAVEL_TRY(database_.each(
        "SELECT count(*) FROM gaps WHERE feed = ? AND run = ?",
        [&](const Statement& row) { arrival.gaps = row.count(0); }, run.feed, run.run));
    CARAVEL_TRY(transaction.commit());
    return arrival;
  });
}

Result<std::vector<SourceStatus>> Ledger::sources() {
  return in_context("sources", [&]() -> Result<std::vector<SourceStatus>> {
    std::vector<SourceStatus> out;
    CARAVEL_TRY(
        database_.each("SELECT feed, run, source, next, first_at, last_at FROM sources "
                       "ORDER BY feed, source, first_at, last_at, run",
                       [&](const Statement& row) {
                         SourceStatus source;
                         source.run = {row.text(0), row.text(1), row.text(2)};
                         source.last_sequence = row.count(3) - 1;
                         source.first_at = time_at(row, 4);
                         source.last_at = time_at(row, 5);
                         out.push_back(std::move(source));
                       }));
    CARAVEL_ASSIGN_OR_RETURN(auto unfinished, unfinished_by_run(database_));
    std::map<std::pair<std::string, std::string>, SourceStatus*> by_run;
    for (SourceStatus& source : out) {
      source.last_at = std::max(source.last_at, unfinished[{source.run.feed, source.run.run}].last);
      by_run[{source.run.feed, source.run.run}] = &source;
    }
    CARAVEL_TRY(database_.each(
        "SELECT feed, run, first, last, since FROM gaps ORDER BY feed, run, since DESC, first",
        [&](const Statement& row) {
          const std::pair key(row.text(0), row.text(1));
          const auto run = by_run.find(key);
          if (run == by_run.end()) return;
          SourceStatus& source = *run->second;
          const auto keep = [&](std::uint64_t first, std::uint64_t last, bool here) {
            if (here) return Result<>();
            ++source.gaps_total;
            if (source.gaps.size() < kMaxGaps) {
              source.gaps.push_back({first, last, time_at(row, 4)});
            }
            return Result<>();
          };
          (void)split(row.count(2), row.count(3), unfinished[key].numbers, keep);
        }));
    for (SourceStatus& source : out) {
      std::sort(source.gaps.begin(), source.gaps.end(),
                [](const SequenceGap& a, const SequenceGap& b) { return a.first < b.first; });
    }
    mark_replaced(out);
    return out;
  });
}

Result<std::optional<Time>> Ledger::last_claim(const std::string& feed) {
  return in_context("last claim", [&]() -> Result<std::optional<Time>> {
    std::optional<Time> out;
    CARAVEL_TRY(database_.each(
        "SELECT coalesce(claimed_at, seen_at) FROM extracts WHERE feed = ? "
        "AND origin IN ('drop', 'capture') ORDER BY id DESC LIMIT 1",
        [&](const Statement& row) { out = optional_time_at(row, 0); }, feed));
    return out;
  });
}

}  // namespace caravel::watcher
