#include "watcher/ledger/extracts.h"

#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

std::unique_ptr<UnsyncedCommits> unsynced_if(Commit commit, Sqlite& database) {
  return commit == Commit::unsynced ? std::make_unique<UnsyncedCommits>(database) : nullptr;
}

/// UPDATE extracts SET `assignments` of the claim, if it is neither done nor failed; else a fault.
/// Values are bound in order, the claim last.
template <class... Values>
Result<> update_open(Sqlite& database, const std::string& claim, std::string_view assignments,
                     const Values&... values) {
  CARAVEL_ASSIGN_OR_RETURN(
      auto changed,
      database.run(
          fmt::format("UPDATE extracts SET {} WHERE claim = ? AND state NOT IN ('done', 'failed')",
                      assignments),
          values..., claim));
  if (changed == 1) return {};
  return fail(ErrorKind::fault, "no such claim, or it is done or failed already");
}

/// The same as a transaction of its own; `what` names the operation in the error.
template <class... Values>
Result<> update(Sqlite& database, std::string_view what, const std::string& claim,
                std::string_view assignments, const Values&... values) {
  return in_context(fmt::format("{} {}", what, claim),
                    [&] { return update_open(database, claim, assignments, values...); });
}

/// When the name of a new claim was first seen in the drop directory; `now` if it never was. Takes
/// the name's row away: the claim's row stands in its place.
Result<std::string> take_seen_at(Sqlite& database, const NewClaim& claim, const std::string& now) {
  std::string seen_at = now;
  CARAVEL_TRY(database.each(
      "DELETE FROM extracts WHERE feed = ? AND name = ? AND claim IS NULL RETURNING seen_at",
      [&](const Statement& row) { seen_at = row.text(0); }, claim.feed, claim.name));
  return seen_at;
}

Result<> remember_time(Sqlite& database, const FormattedExtract& extract) {
  // The first time that was used stays, so that every replay agrees with the rows that are stored.
  // A person who names the year (--year: source "option") knows better.
  CARAVEL_TRY(
      database.run("INSERT INTO known_times (sha256, time_used, time_source) VALUES (?, ?, ?) "
                   "ON CONFLICT (sha256) DO UPDATE SET time_used = excluded.time_used, "
                   "time_source = excluded.time_source WHERE excluded.time_source = 'option'",
                   extract.sha256, extract.time_used, extract.time_source));
  return {};
}

}  // namespace

Result<> Extracts::commit_claims(const std::vector<NewClaim>& claims, Time now, Commit commit) {
  if (claims.empty()) return {};
  const auto unsynced = unsynced_if(commit, database_);
  return in_context("claim", [&]() -> Result<> {
    // Before the renames: a crash after this commit leaves rows whose files are still in drop/,
    // which the restart sees and forgets (claim_gone). The other order would leave files in work/
    // that no row knows.
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    const std::string at = time_text(now);
    for (const NewClaim& claim : claims) {
      std::string seen_at = at;
      // A file that a person loads was in no drop directory: a name that waits there belongs to
      // another file, even if it is the same name.
      if (claim.origin == Origin::drop || claim.origin == Origin::capture) {
        CARAVEL_ASSIGN_OR_RETURN(seen_at, take_seen_at(database_, claim, at));
      }
      // `claim` is UNIQUE: a claim that is entered twice fails here and takes the others back too.
      auto inserted = database_.run(
          "INSERT INTO extracts (claim, feed, name, origin, path, state, since, seen_at, "
          "claimed_at, size, mtime_ns, store, host) "
          "VALUES (?, ?, ?, ?, ?, 'claimed', ?, ?, ?, ?, ?, ?, ?)",
          claim.claim, claim.feed, claim.name, name_of(claim.origin), claim.path, at, seen_at, at,
          claim.size, claim.mtime_ns, claim.store, claim.host);
      if (!inserted) {
        return tl::unexpected(with_context(claim.claim, std::move(inserted).error()));
      }
    }
    return transaction.commit();
  });
}

Result<> Extracts::claim_gone(const std::string& claim) {
  return in_context(fmt::format("forget {}", claim), [&]() -> Result<> {
    // Once formatted, rows of it may be in the store: then its row is the only explanation of them.
    CARAVEL_ASSIGN_OR_RETURN(auto changed,
                             database_.run("DELETE FROM extracts WHERE claim = ? AND sha256 = '' "
                                           "AND state IN ('claimed', 'waiting')",
                                           claim));
    if (changed == 1) return {};
    return fail(ErrorKind::fault, "no such claim, or it was formatted already");
  });
}

Result<> Extracts::set_path(const std::string& claim, const std::string& path) {
  return update(database_, "set path", claim, "path = ?", path);
}

Result<> Extracts::set_state(const std::string& claim, State state, const std::string& why,
                             Time now) {
  if (state != State::claimed && state != State::formatted && state != State::uploading) {
    return fail(ErrorKind::fault, fmt::format("ledger: set state {}: '{}' has a call of its own",
                                              claim, name_of(state)));
  }
  return update(
      database_, "set state", claim,
      "since = CASE WHEN state = ?1 THEN since ELSE ?2 END, state = ?1, why = ?3, next_try = NULL",
      name_of(state), time_text(now), why);
}

Result<> Extracts::set_waiting(const std::string& claim, const std::string& why,
                               std::optional<Time> next_try, Time now) {
  // The reason is only shown, and thousands of files may wait: none of them waits for the disk too.
  const UnsyncedCommits unsynced(database_);
  // Only a wait with a `next_try` follows an attempt that failed. A claim that waits for its
  // manifest or its writer has attempted nothing.
  return update(database_, "set waiting", claim,
                "since = CASE WHEN state = 'waiting' THEN since ELSE ? END, "
                "state = 'waiting', why = ?, next_try = ?, attempts = attempts + ?",
                time_text(now), why, text_of(next_try), next_try.has_value());
}

Result<> Extracts::formatted(const std::string& claim, const FormattedExtract& extract, Time now,
                             Commit commit) {
  const formatter::Counts& counts = extract.counts;
  const auto unsynced = unsynced_if(commit, database_);
  return in_context(fmt::format("formatted {}", claim), [&]() -> Result<> {
    // The formatter has checked the sum as well. The ledger takes nobody's word for it.
    if (!counts.add_up()) {
      return fail(ErrorKind::fault,
                  fmt::format("{} lines, but {} rows + {} dropped + {} rejected{}", counts.lines,
                              counts.rows, counts.dropped, counts.rejected,
                              counts.more_lines == 0
                                  ? ""
                                  : fmt::format(" + {} more lines of rows", counts.more_lines)));
    }
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    // Formatting may come a second time, after a crash: the counts of an upload begin anew.
    CARAVEL_TRY(update_open(
        database_, claim,
        "state = 'formatted', why = '', since = ?, next_try = NULL, size = ?, mtime_ns = ?, "
        "sha256 = ?, format = ?, time_used = ?, time_source = ?, year_guessed = ?, lines = ?, "
        "rows = ?, dropped = ?, rejected = ?, stored = 0, already_there = 0, differs = 0, "
        "replaced = 0, failed = 0, acknowledged = 0, first_time = ?, last_time = ?",
        time_text(now), extract.size, extract.mtime_ns, extract.sha256, extract.format,
        extract.time_used, extract.time_source, extract.year_guessed, counts.lines, counts.rows,
        counts.dropped, counts.rejected, extract.first_time, extract.last_time));
    if (!extract.time_source.empty()) CARAVEL_TRY(remember_time(database_, extract));
    return transaction.commit();
  });
}

Result<> Extracts::acknowledge(const std::string& claim, std::uint64_t rows, Time now) {
  // The number is only shown: after a crash the upload begins anew, whatever stands here. So no
  // batch has to wait for the disk because of it.
  const UnsyncedCommits unsynced(database_);
  return update(database_, "acknowledge", claim,
                "since = CASE WHEN state = 'uploading' THEN since ELSE ? END, "
                "state = 'uploading', why = '', next_try = NULL, acknowledged = ?",
                time_text(now), rows);
}

Result<> Extracts::finish_done(const std::string& claim, const LineCounts& counts,
                               const std::string& note, Time now) {
  // Read outside of the update's transaction, which is enough: one worker alone has this claim.
  CARAVEL_ASSIGN_OR_RETURN(auto extract, find_claim(claim));
  const std::string at = time_text(now);
  return in_context(fmt::format("set done {}", claim), [&]() -> Result<> {
    // The program itself checks that no line is lost, before it calls an extract done. An extract
    // that is not found is update_open()'s to refuse.
    if (extract) CARAVEL_TRY(check_line_counts(extract->counts, counts));
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(
        update_open(database_, claim,
                    "state = 'done', why = ?, since = ?, done_at = ?, next_try = NULL, "
                    "rejected = ?, stored = ?, already_there = ?, differs = ?, replaced = ?, "
                    "acknowledged = rows",
                    note, at, at, counts.rejected, counts.stored, counts.already_there,
                    counts.differs, counts.replaced));
    if (extract && !extract->sha256.empty()) {
      CARAVEL_TRY(database_.run(
          "UPDATE extracts INDEXED BY extracts_sha256 SET settled = ?, settled_at = ? "
          "WHERE sha256 = ? AND feed = ? AND state = 'failed' AND settled = ''",
          name_of(Settled::loaded), at, extract->sha256, extract->feed));
    }
    return transaction.commit();
  });
}

Result<> Extracts::finish_failed(const std::string& claim, const std::string& why,
                                 std::uint64_t lines, Time now, const std::string& sha256) {
  const std::string at = time_text(now);
  // The counts of formatting are taken back: an extract fails as a whole, and the CHECK of the
  // table wants lines = failed.
  return update(database_, "set failed", claim,
                "sha256 = CASE WHEN ?1 = '' THEN sha256 ELSE ?1 END, "
                "state = 'failed', why = ?, since = ?, done_at = ?, next_try = NULL, "
                "lines = ?, failed = ?, rows = 0, dropped = 0, rejected = 0, stored = 0, "
                "already_there = 0, differs = 0, replaced = 0, acknowledged = 0",
                sha256, why, at, at, lines, lines);
}

Result<> Extracts::finish_broken_off(const std::string& claim, const std::string& why, Time now) {
  return in_context(fmt::format("set broken off {}", claim), [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(finish_failed(claim, why, 0, now));
    CARAVEL_TRY(database_.run("UPDATE extracts SET settled = ?, settled_at = ? WHERE claim = ?",
                              name_of(Settled::broken_off), time_text(now), claim));
    return transaction.commit();
  });
}

Result<> Extracts::set_done_path(const std::string& claim, const std::string& path) {
  // After a loss of power put_away() finds the file where it was moved to: one wait for the disk
  // less for each extract.
  const UnsyncedCommits unsynced(database_);
  return in_context(fmt::format("set archived {}", claim), [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(
        auto changed,
        database_.run("UPDATE extracts SET done_path = ?1, path = ?1 WHERE claim = ?2 AND state IN "
                      "('done', 'failed')",
                      path, claim));
    if (changed == 1) return {};
    return fail(ErrorKind::fault, "no such claim, or it is neither done nor failed");
  });
}

Result<> Extracts::set_done_paths(const std::vector<std::pair<std::string, std::string>>& paths) {
  const UnsyncedCommits unsynced(database_);
  return in_context("set archived", [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    for (const auto& [claim, path] : paths) CARAVEL_TRY(set_done_path(claim, path));
    return transaction.commit();
  });
}

Result<bool> Extracts::settle(std::int64_t id, Settled how, const std::string& why, Time now) {
  return in_context("settle", [&]() -> Result<bool> {
    CARAVEL_ASSIGN_OR_RETURN(
        auto changed,
        database_.run("UPDATE extracts SET settled = ?, settled_at = ?, settled_why = ? "
                      "WHERE id = ? AND settled = '' "
                      "AND (state = 'failed' OR (state = 'done' AND rejected > 0))",
                      name_of(how), time_text(now), why, id));
    return changed == 1;
  });
}

Result<> Extracts::ask_retry(std::int64_t id, Time now) {
  return in_context("ask to retry", [&]() -> Result<> {
    // Asked twice is asked once.
    CARAVEL_TRY(database_.run("INSERT OR IGNORE INTO retries (extract, asked_at) VALUES (?, ?)", id,
                              time_text(now)));
    return {};
  });
}

Result<std::vector<Extract>> Extracts::retries(Origin origin) {
  return select_extracts(database_, "retries",
                         "WHERE id IN (SELECT extract FROM retries) AND origin = ? ORDER BY id",
                         name_of(origin));
}

Result<> Extracts::end_retry(const Extract& extract, const std::string& path, Time now) {
  return in_context("end retry", [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(database_.run("DELETE FROM retries WHERE extract = ?", extract.id));
    if (!path.empty()) {
      CARAVEL_TRY(database_.run("UPDATE extracts SET done_path = ?1, path = ?1 WHERE id = ?2", path,
                                extract.id));
      CARAVEL_TRY(settle(extract.id, Settled::retried, "", now));
    }
    return transaction.commit();
  });
}

Result<std::optional<Extract>> Extracts::find_claim(const std::string& claim) {
  CARAVEL_ASSIGN_OR_RETURN(auto found,
                           select_extracts(database_, "find claim", "WHERE claim = ?", claim));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<bool> Extracts::was_done(const std::string& sha256, const std::string& feed,
                                const std::string& store) {
  return in_context("find done", [&]() -> Result<bool> {
    bool found = false;
    CARAVEL_TRY(database_.each(
        "SELECT 1 FROM extracts INDEXED BY extracts_sha256 "
        "WHERE sha256 = ? AND state = 'done' AND feed = ? AND store = ? LIMIT 1",
        [&](const Statement&) { found = true; }, sha256, feed, store));
    return found;
  });
}

Result<std::optional<KnownTime>> Extracts::known_time(const std::string& sha256) {
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

Result<std::vector<Extract>> Extracts::unfinished(Origin origin) {
  return select_extracts(database_, "unfinished",
                         "INDEXED BY extracts_open WHERE claim IS NOT NULL AND origin = ? "
                         "AND state NOT IN ('done', 'failed') ORDER BY id",
                         name_of(origin));
}

Result<std::vector<Extract>> Extracts::not_archived(Origin origin) {
  // SQLite uses a partial index only if the statement itself implies the index's condition, and the
  // value of a "?" is not known then (https://www.sqlite.org/partialindex.html, 3): so the
  // condition stands here word for word.
  return select_extracts(database_, "not archived",
                         "INDEXED BY extracts_to_archive WHERE done_path = '' "
                         "AND state IN ('done', 'failed') AND origin IN ('drop', 'capture') "
                         "AND origin = ? ORDER BY id",
                         name_of(origin));
}

Result<std::vector<ArchivedExtract>> Extracts::done_since(Time since, Origin origin,
                                                          const ArchivedExtract* after,
                                                          std::size_t most) {
  return in_context("done lately", [&]() -> Result<std::vector<ArchivedExtract>> {
    std::vector<ArchivedExtract> out;
    const std::string from = after != nullptr ? after->done_at : time_text(since);
    CARAVEL_TRY(database_.each(
        "SELECT id, claim, done_at, done_path, size, mtime_ns FROM extracts "
        "INDEXED BY extracts_done_at WHERE done_at >= ?1 AND (done_at > ?1 OR id > ?2) "
        "AND state = 'done' AND origin = ?3 AND done_path <> '' ORDER BY done_at, id LIMIT ?4",
        [&](const Statement& row) {
          out.push_back({row.integer(0), row.text(1), row.text(2), row.text(3), row.count(4),
                         row.integer(5)});
        },
        from, after != nullptr ? after->id : std::int64_t{0}, name_of(origin), most));
    return out;
  });
}

}  // namespace caravel::watcher
