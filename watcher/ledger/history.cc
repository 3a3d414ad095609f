#include "watcher/ledger/history.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

/// Seconds between two columns of time_text(); the clock may have been set back meanwhile.
constexpr std::string_view kSinceDrop =
    "max(0.0, (julianday(done_at) - julianday(seen_at)) * 86400)";

/// From the last row's time, "20120309T094800.5Z" (formatter/rows/row_time.h), NULL without a zone,
/// for what is no such text, and for the second 60, which julianday() does not know.
constexpr std::string_view kSinceLine =
    "CASE WHEN last_time LIKE '________T______%Z' THEN max(0.0, (julianday(done_at) - julianday("
    "substr(last_time, 1, 4) || '-' || substr(last_time, 5, 2) || '-' || substr(last_time, 7, 2) "
    "|| ' ' || substr(last_time, 10, 2) || ':' || substr(last_time, 12, 2) || ':' || "
    "rtrim(substr(last_time, 14), 'Z'))) * 86400) END";

/// The columns of a Delays over `value`, the name of a column.
std::string columns_of_delays(std::string_view value) {
  std::string out = fmt::format("count({0}), total({0})", value);
  for (const double bound : kDelayBounds) out += fmt::format(", total({} <= {})", value, bound);
  return out;
}

Delays read_delays(const Statement& row, int column) {
  Delays out;
  out.count = row.count(column++);
  out.sum = row.real(column++);
  for (std::uint64_t& within : out.within) within = row.count(column++);
  return out;
}

}  // namespace

namespace {

/// Both lists are newest first, and so is what comes out: `limit` at most.
std::vector<Extract> merged(std::vector<Extract> extracts, std::vector<Extract> remembered,
                            std::size_t limit) {
  std::ranges::move(remembered, std::back_inserter(extracts));
  std::ranges::stable_sort(extracts,
                           [](const Extract& a, const Extract& b) { return a.id > b.id; });
  if (extracts.size() > limit) extracts.resize(limit);
  return extracts;
}

Result<> add_daily_totals(Sqlite& database, std::map<std::string, FeedSummary>& feeds) {
  return database.each(
      "SELECT feed, sum(done), sum(not_done), sum(lines), sum(rows), sum(dropped), sum(rejected), "
      "sum(stored), sum(already_there), sum(differs), sum(replaced), sum(failed), "
      "sum(years_guessed), max(last_claim), sum(bytes) FROM daily GROUP BY feed",
      [&](const Statement& row) {
        FeedSummary& feed = feeds[row.text(0)];
        feed.extracts[State::done] += row.count(1);
        if (row.count(2) > 0) feed.extracts[State::failed] += row.count(2);
        add_line_counts(row, 3, feed.counts);
        feed.years_guessed += row.count(12);
        feed.last_claim = std::max(feed.last_claim, optional_time_at(row, 13));
        feed.bytes += row.count(14);
      });
}

}  // namespace

Result<std::vector<Extract>> History::find_sha256(const std::string& digits, std::size_t limit) {
  if (digits.empty() || !is_hex(digits, digits.size())) return std::vector<Extract>{};
  // 'g' comes after every hex digit, so all that begin with the digits lie between the two texts.
  // A range uses the index; LIKE would not, as it ignores case.
  constexpr std::string_view kWhere = "WHERE sha256 >= ? AND sha256 < ? ORDER BY id DESC LIMIT ?";
  const std::string behind = digits + "g";
  CARAVEL_ASSIGN_OR_RETURN(
      auto extracts, select_extracts(database_, "find SHA-256", kWhere, digits, behind, limit));
  CARAVEL_ASSIGN_OR_RETURN(
      auto remembered, select_remembered(database_, "find SHA-256", kWhere, digits, behind, limit));
  return merged(std::move(extracts), std::move(remembered), limit);
}

Result<std::vector<Extract>> History::find_name(const std::string& name_or_path,
                                                std::size_t limit) {
  // The last condition: the name that the file has in done/, which may differ from the name that it
  // came with ("a.log~01234567").
  constexpr std::string_view kNamed =
      "done_path = ?1 OR substr(done_path, -length(?1) - 1) = '/' || ?1 ORDER BY id DESC LIMIT ?2";
  CARAVEL_ASSIGN_OR_RETURN(
      auto extracts, select_extracts(database_, "find name",
                                     fmt::format("WHERE name = ?1 OR path = ?1 OR {}", kNamed),
                                     name_or_path, limit));
  CARAVEL_ASSIGN_OR_RETURN(
      auto remembered,
      select_remembered(database_, "find name", fmt::format("WHERE name = ?1 OR {}", kNamed),
                        name_or_path, limit));
  return merged(std::move(extracts), std::move(remembered), limit);
}

Result<std::vector<Extract>> History::newest_in(State state, std::size_t limit) {
  // The index extracts_by_state has this order: nothing is sorted, however long the history is.
  return select_extracts(database_, "newest", "WHERE state = ? ORDER BY id DESC LIMIT ?",
                         name_of(state), limit);
}

Result<std::vector<Extract>> History::open_failures(std::size_t limit) {
  return select_extracts(database_, "open failures",
                         "INDEXED BY extracts_failed_open WHERE state = 'failed' AND settled = '' "
                         "ORDER BY id DESC LIMIT ?",
                         limit);
}

Result<std::vector<Extract>> History::settled_failures(std::int64_t after, std::size_t limit) {
  return select_extracts(database_, "settled failures",
                         "INDEXED BY extracts_by_state WHERE state = 'failed' AND id > ? "
                         "AND settled NOT IN ('', 'retried') ORDER BY id LIMIT ?",
                         after, limit);
}

Result<std::vector<Extract>> History::with_rejects(Time since, std::size_t limit) {
  return select_extracts(database_, "with rejects",
                         "INDEXED BY extracts_done_at WHERE done_at >= ? AND state = 'done' AND "
                         "rejected > 0 AND settled = '' ORDER BY done_at DESC LIMIT ?",
                         time_text(since), limit);
}

Result<std::vector<Extract>> History::with_many_rejects(Time since, std::size_t limit) {
  // As LineCounts::many_rejected() has it.
  return select_extracts(database_, "with many rejects",
                         "INDEXED BY extracts_done_at WHERE done_at >= ? AND state = 'done' AND "
                         "rejected > lines / 10 AND settled = '' ORDER BY done_at DESC LIMIT ?",
                         time_text(since), limit);
}

Result<std::vector<Extract>> History::done_since(const std::string& feed, Time since,
                                                 std::int64_t after, std::size_t limit) {
  return select_extracts(
      database_, "done since",
      "WHERE id > ? AND state = 'done' AND feed = ? AND done_at >= ? ORDER BY id "
      "LIMIT ?",
      after, feed, time_text(since), limit);
}

Result<bool> History::is_empty() {
  return in_context("is empty", [&]() -> Result<bool> {
    bool any = false;
    CARAVEL_TRY(
        database_.each("SELECT EXISTS (SELECT 1 FROM extracts) OR EXISTS (SELECT 1 FROM daily)",
                       [&](const Statement& row) { any = row.integer(0) != 0; }));
    return !any;
  });
}

Result<std::map<std::string, FeedSummary>> History::summaries() {
  return in_context("summaries", [&]() -> Result<std::map<std::string, FeedSummary>> {
    std::map<std::string, FeedSummary> out;
    // Sums over all rows, each time: a table of totals that grows with each extract could disagree
    // with the rows after a crash or a repair, sums cannot. What has no row any more is in `daily`.
    CARAVEL_TRY(database_.each(
        "SELECT feed, state, count(*), sum(lines), sum(rows), sum(dropped), sum(rejected), "
        "sum(stored), sum(already_there), sum(differs), sum(replaced), sum(failed), "
        "sum(year_guessed), max(claimed_at), sum(attempts), sum(size) FROM extracts GROUP BY feed, "
        "state",
        [&](const Statement& row) {
          FeedSummary& feed = out[row.text(0)];
          const State state = state_of(row.text(1)).value_or(State::failed);
          feed.extracts[state] += row.count(2);
          // The counts of an extract that is on its way change yet, and may begin anew.
          if (state == State::done || state == State::failed) {
            add_line_counts(row, 3, feed.counts);
            feed.years_guessed += row.count(12);
            feed.bytes += row.count(15);
          } else {
            feed.retries += row.count(14);
          }
          feed.last_claim = std::max(feed.last_claim, optional_time_at(row, 13));
        }));
    CARAVEL_TRY(add_daily_totals(database_, out));
    CARAVEL_TRY(database_.each(
        "SELECT feed, count(*) FROM extracts INDEXED BY extracts_failed_open "
        "WHERE state = 'failed' AND settled = '' GROUP BY feed",
        [&](const Statement& row) { out[row.text(0)].open_failures = row.count(1); }));
    // With min(), SQLite takes the other columns from the row that holds the minimum
    // (https://www.sqlite.org/lang_select.html, "Bare columns in an aggregate query").
    CARAVEL_TRY(database_.each(fmt::format("SELECT {}, min(seen_at) FROM extracts INDEXED BY "
                                           "extracts_open WHERE state NOT IN ('done', 'failed') "
                                           "AND origin IN ('drop', 'capture') GROUP BY feed",
                                           kExtractColumns),
                               [&](const Statement& row) {
                                 Extract extract = read_extract(row);
                                 out[extract.feed].oldest_open = std::move(extract);
                               }));
    return out;
  });
}

Result<std::map<std::string, Throughput>> History::throughput_since(Time since) {
  return in_context("throughput", [&]() -> Result<std::map<std::string, Throughput>> {
    std::map<std::string, Throughput> out;
    CARAVEL_TRY(database_.each(
        "SELECT feed, count(*), sum(stored), sum(size) FROM extracts "
        "INDEXED BY extracts_done_at WHERE done_at >= ? AND state = 'done' GROUP BY feed",
        [&](const Statement& row) {
          out[row.text(0)] = {row.count(1), row.count(2), row.count(3)};
        },
        time_text(since)));
    return out;
  });
}

Result<std::map<std::pair<std::string, std::string>, StoreDelays>> History::delays(Time from,
                                                                                   Time to) {
  using Delayed = std::map<std::pair<std::string, std::string>, StoreDelays>;
  return in_context("delays", [&]() -> Result<Delayed> {
    Delayed out;
    CARAVEL_TRY(database_.each(
        fmt::format("SELECT feed, store, {}, {} FROM (SELECT feed, store, {} AS since_drop, {} AS "
                    "since_line FROM extracts INDEXED BY extracts_done_at WHERE done_at >= ? AND "
                    "done_at < ? AND state = 'done' AND origin IN ('drop', 'capture')) "
                    "GROUP BY feed, store",
                    columns_of_delays("since_drop"), columns_of_delays("since_line"), kSinceDrop,
                    kSinceLine),
        [&](const Statement& row) {
          constexpr int kColumns = 2 + static_cast<int>(kDelayBounds.size());
          out[{row.text(0), row.text(1)}] = {read_delays(row, 2), read_delays(row, 2 + kColumns)};
        },
        time_text(from), time_text(to)));
    return out;
  });
}

Result<std::vector<SpanOfLoads>> History::loads_since(Time since, std::chrono::seconds span) {
  return in_context("loads", [&]() -> Result<std::vector<SpanOfLoads>> {
    std::vector<SpanOfLoads> out;
    // What a person loads by hand is no news of the logs: its delays say nothing.
    CARAVEL_TRY(database_.each(
        fmt::format("SELECT feed, strftime('%s', done_at) / ?2 AS span, count(*), sum(stored), "
                    "sum(size), max(CASE WHEN by_hand THEN 0 ELSE {} END), "
                    "max(CASE WHEN by_hand THEN NULL ELSE {} END) FROM (SELECT *, "
                    "origin NOT IN ('drop', 'capture') AS by_hand FROM extracts "
                    "INDEXED BY extracts_done_at WHERE done_at >= ?1 AND state = 'done') "
                    "GROUP BY feed, span ORDER BY span, feed",
                    kSinceDrop, kSinceLine),
        [&](const Statement& row) {
          SpanOfLoads loads;
          loads.feed = row.text(0);
          loads.span = row.integer(1);
          loads.sums = {row.count(2), row.count(3), row.count(4)};
          loads.latest = row.real(5);
          if (!row.is_null(6)) loads.latest_line = row.real(6);
          out.push_back(std::move(loads));
        },
        time_text(since), span.count()));
    return out;
  });
}

Result<std::optional<Time>> History::last_claim(const std::string& feed) {
  return in_context("last claim", [&]() -> Result<std::optional<Time>> {
    std::optional<Time> out;
    // Those that were folded.
    CARAVEL_TRY(database_.each(
        "SELECT max(last_claim) FROM daily WHERE feed = ?",
        [&](const Statement& row) { out = std::max(out, optional_time_at(row, 0)); }, feed));
    // Ids ascend as rows are made, so the newest row answers: of each state, since the index of a
    // feed has its rows in the order of their ids for each state only.
    for (const State state : kAllStates) {
      CARAVEL_TRY(database_.each(
          "SELECT coalesce(claimed_at, seen_at) FROM extracts INDEXED BY extracts_by_feed "
          "WHERE feed = ? AND state = ? AND origin IN ('drop', 'capture') ORDER BY id DESC LIMIT 1",
          [&](const Statement& row) { out = std::max(out, optional_time_at(row, 0)); }, feed,
          name_of(state)));
    }
    return out;
  });
}

Result<std::vector<RowTimes>> History::other_row_times(const std::string& feed,
                                                       const std::string& sha256) {
  return in_context("row times", [&]() -> Result<std::vector<RowTimes>> {
    std::vector<RowTimes> out;
    // Those on their way count as well: rows of theirs may be in the store already.
    CARAVEL_TRY(database_.each(
        "SELECT sha256, name, first_time, last_time FROM extracts WHERE feed = ?1 "
        "AND state <> 'failed' AND sha256 <> ?2 AND first_time <> '' UNION "
        "SELECT sha256, name, first_time, last_time FROM remembered WHERE feed = ?1 "
        "AND state <> 'failed' AND sha256 <> ?2 AND first_time <> '' UNION "
        // Of those that are forgotten nobody knows the content: any of it hinders.
        "SELECT '', day, first_time, last_time FROM daily WHERE feed = ?1 "
        "AND first_time IS NOT NULL ORDER BY 3, 2",
        [&](const Statement& row) {
          out.push_back({row.text(0), row.text(1), row.text(2), row.text(3)});
        },
        feed, sha256));
    return out;
  });
}

}  // namespace caravel::watcher
