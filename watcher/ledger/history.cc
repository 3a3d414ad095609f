// The questions that the ledger answers.
#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

// In the order of the enumerations.
constexpr std::string_view kStates[] = {"seen",      "waiting", "claimed", "formatted",
                                        "uploading", "done",    "failed"};
constexpr std::string_view kOrigins[] = {"drop", "process", "upload", "capture"};
constexpr std::string_view kStoreStates[] = {"ok", "waiting", "fault"};

template <class T, std::size_t size>
std::optional<T> value_of(const std::string_view (&names)[size], std::string_view name) {
  const auto found = std::find(std::begin(names), std::end(names), name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<T>(found - std::begin(names));
}

void add(LineCounts& sum, const Statement& row, int column) {
  for (std::uint64_t* part : {&sum.lines, &sum.rows, &sum.dropped, &sum.rejected, &sum.stored,
                              &sum.already_there, &sum.differs, &sum.replaced, &sum.failed}) {
    *part += row.count(column++);
  }
}

}  // namespace

std::string_view name_of(State state) { return kStates[static_cast<std::size_t>(state)]; }
std::string_view name_of(Origin origin) { return kOrigins[static_cast<std::size_t>(origin)]; }
std::string_view name_of(StoreState state) { return kStoreStates[static_cast<std::size_t>(state)]; }
std::optional<State> state_of(std::string_view name) { return value_of<State>(kStates, name); }
std::optional<StoreState> store_state_of(std::string_view name) {
  return value_of<StoreState>(kStoreStates, name);
}

Time time_at(const Statement& row, int column) {
  return parse_time_text(row.text(column)).value_or(Time{});
}

std::optional<Time> optional_time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return time_at(row, column);
}

Extract read_extract(const Statement& row) {
  Extract out;
  int column = 0;
  out.id = row.integer(column++);
  out.claim = row.text(column++);
  out.feed = row.text(column++);
  out.name = row.text(column++);
  out.origin = value_of<Origin>(kOrigins, row.text(column++)).value_or(Origin::drop);
  out.path = row.text(column++);
  out.state = state_of(row.text(column++)).value_or(State::failed);
  out.why = row.text(column++);
  out.since = time_at(row, column++);
  out.seen_at = time_at(row, column++);
  out.claimed_at = optional_time_at(row, column++);
  out.done_at = optional_time_at(row, column++);
  out.size = row.count(column++);
  out.mtime_ns = row.integer(column++);
  out.sha256 = row.text(column++);
  out.format = row.text(column++);
  out.time_used = row.text(column++);
  out.time_source = row.text(column++);
  out.year_guessed = row.integer(column++) != 0;
  add(out.counts, row, column);
  column += 9;
  out.acknowledged = row.count(column++);
  out.first_time = row.text(column++);
  out.last_time = row.text(column++);
  out.store = row.text(column++);
  out.done_path = row.text(column++);
  out.attempts = static_cast<unsigned>(row.count(column++));
  out.next_try = optional_time_at(row, column++);
  out.host = row.text(column++);
  return out;
}

Result<std::vector<Extract>> Ledger::unfinished(Origin origin) {
  return select("unfinished",
                "claim IS NOT NULL AND origin = ? AND state NOT IN ('done', 'failed') ORDER BY id",
                name_of(origin));
}

Result<std::vector<Extract>> Ledger::not_archived(Origin origin) {
  // As a literal: so the index over those of the drop directory can be used.
  return select("not archived",
                fmt::format("done_path = '' AND state IN ('done', 'failed') AND origin = '{}' "
                            "ORDER BY id",
                            name_of(origin)));
}

Result<std::optional<Extract>> Ledger::find_claim(const std::string& claim) {
  CARAVEL_ASSIGN_OR_RETURN(auto found, select("find claim", "claim = ?", claim));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Extract>> Ledger::find_sha256(const std::string& digits, std::size_t limit) {
  if (digits.empty() || !is_hex(digits, digits.size())) return std::vector<Extract>{};
  // 'g' comes after every hex digit: all that begin with the digits lie in between.
  return select("find SHA-256", "sha256 >= ? AND sha256 < ? ORDER BY id DESC LIMIT ?", digits,
                digits + "g", limit);
}

Result<std::vector<Extract>> Ledger::find_name(const std::string& name_or_path, std::size_t limit) {
  return select("find name",
                "name = ?1 OR path = ?1 OR done_path = ?1 OR "
                "substr(done_path, -length(?1) - 1) = '/' || ?1 ORDER BY id DESC LIMIT ?2",
                name_or_path, limit);
}

Result<std::vector<Extract>> Ledger::done_since(Time since, Origin origin) {
  return select("done lately",
                "done_at >= ? AND state = 'done' AND origin = ? AND done_path <> '' ORDER BY id",
                time_text(since), name_of(origin));
}

Result<std::vector<Extract>> Ledger::newest_in(State state, std::size_t limit) {
  return select("newest", "state = ? ORDER BY id DESC LIMIT ?", name_of(state), limit);
}

Result<std::vector<RowTimes>> Ledger::other_row_times(const std::string& feed,
                                                      const std::string& sha256) {
  return in_context("row times", [&]() -> Result<std::vector<RowTimes>> {
    std::vector<RowTimes> out;
    CARAVEL_TRY(database_.each(
        "SELECT DISTINCT sha256, name, first_time, last_time FROM extracts WHERE feed = ? "
        "AND state <> 'failed' AND sha256 <> ? AND first_time <> '' ORDER BY first_time, name",
        [&](const Statement& row) {
          out.push_back({row.text(0), row.text(1), row.text(2), row.text(3)});
        },
        feed, sha256));
    return out;
  });
}

Result<std::map<std::string, FeedSummary>> Ledger::summaries() {
  return in_context("summaries", [&]() -> Result<std::map<std::string, FeedSummary>> {
    std::map<std::string, FeedSummary> out;
    CARAVEL_TRY(database_.each(
        "SELECT feed, state, count(*), sum(lines), sum(rows), sum(dropped), sum(rejected), "
        "sum(stored), sum(already_there), sum(differs), sum(replaced), sum(failed), "
        "sum(year_guessed), max(claimed_at) FROM extracts GROUP BY feed, state",
        [&](const Statement& row) {
          FeedSummary& feed = out[row.text(0)];
          const State state = state_of(row.text(1)).value_or(State::failed);
          feed.extracts[state] += row.count(2);
          if (state == State::done || state == State::failed) {
            add(feed.counts, row, 3);
            feed.years_guessed += row.count(12);
          }
          feed.last_claim = std::max(feed.last_claim, optional_time_at(row, 13));
        }));
    // With min(), SQLite takes the other columns from the row that holds the minimum
    // (https://www.sqlite.org/lang_select.html, "Bare columns in an aggregate query").
    CARAVEL_TRY(database_.each(
        fmt::format("SELECT {}, min(seen_at) FROM extracts WHERE state NOT IN ('done', 'failed') "
                    "AND origin IN ('drop', 'capture') GROUP BY feed",
                    kExtractColumns),
        [&](const Statement& row) {
          Extract extract = read_extract(row);
          out[extract.feed].oldest_open = std::move(extract);
        }));
    return out;
  });
}

Result<std::map<std::string, Throughput>> Ledger::throughput_since(Time since) {
  return in_context("throughput", [&]() -> Result<std::map<std::string, Throughput>> {
    std::map<std::string, Throughput> out;
    CARAVEL_TRY(database_.each(
        "SELECT feed, count(*), sum(stored + already_there), sum(size) FROM extracts "
        "WHERE done_at >= ? AND state = 'done' GROUP BY feed",
        [&](const Statement& row) {
          out[row.text(0)] = {row.count(1), row.count(2), row.count(3)};
        },
        time_text(since)));
    return out;
  });
}

Result<std::optional<KnownTime>> Ledger::known_time(const std::string& sha256) {
  return in_context("known time", [&]() -> Result<std::optional<KnownTime>> {
    std::optional<KnownTime> out;
    CARAVEL_TRY(database_.each(
        "SELECT time_used, time_source FROM known_times WHERE sha256 = ?",
        [&](const Statement& row) {
          out = KnownTime{row.text(0), row.text(1)};
        },
        sha256));
    return out;
  });
}

Result<bool> Ledger::may_create(const std::string& place) {
  return in_context("store", [&]() -> Result<bool> {
    bool known = false;
    CARAVEL_TRY(database_.each(
        "SELECT 1 FROM stores WHERE place = ? AND first_row_at IS NOT NULL",
        [&](const Statement&) { known = true; }, place));
    return !known;
  });
}

Result<std::vector<StoreRecord>> Ledger::stores() {
  return in_context("stores", [&]() -> Result<std::vector<StoreRecord>> {
    std::vector<StoreRecord> out;
    CARAVEL_TRY(
        database_.each("SELECT name, place, first_row_at, state, why, since, next_try FROM stores "
                       "ORDER BY name, place",
                       [&](const Statement& row) {
                         out.push_back({row.text(0), row.text(1), optional_time_at(row, 2),
                                        store_state_of(row.text(3)).value_or(StoreState::fault),
                                        row.text(4), time_at(row, 5), optional_time_at(row, 6)});
                       }));
    return out;
  });
}

Result<std::map<std::string, std::vector<LeftAlone>>> Ledger::left_alone() {
  return in_context("left alone", [&]() -> Result<std::map<std::string, std::vector<LeftAlone>>> {
    std::map<std::string, std::vector<LeftAlone>> out;
    CARAVEL_TRY(
        database_.each("SELECT feed, name, why, since FROM left_alone ORDER BY feed, name",
                       [&](const Statement& row) {
                         out[row.text(0)].push_back({row.text(1), row.text(2), time_at(row, 3)});
                       }));
    return out;
  });
}

}  // namespace caravel::watcher
