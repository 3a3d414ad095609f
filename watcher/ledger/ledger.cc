// Opening, and one extract's way. ledger_queries.cc has the questions, ledger_drop.cc the drop
// directory.
#include "watcher/ledger/ledger.h"

#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "watcher/ledger/rows.h"
#include "watcher/ledger/schema.h"

namespace caravel::watcher {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
constexpr int kSwitchPauseMs = 10;

/// An empty file of mode 0600 at `path`, and its directory, unless they are there.
Result<> make_file(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    ::chmod(folder.c_str(), 0700);
  } else if (error) {
    return fail_with_errno(fmt::format("mkdir {}", folder.string()), error.value());
  }
  // mknod, not open: closing a descriptor of ours would drop the locks that another connection of
  // this process holds on the file (https://www.sqlite.org/howtocorrupt.html, 2.2). The WAL and the
  // shared memory get the same mode from SQLite.
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return fail_with_errno(fmt::format("make {}", path), errno);
  }
  return {};
}

Result<> use_wal(Sqlite& database) {
  std::string mode;
  const auto read_mode = [&](const Statement& row) { mode = row.text(0); };
  const auto switch_over = [&]() -> Result<> {
    CARAVEL_TRY(database.each("PRAGMA journal_mode", read_mode));
    if (mode == "wal") return {};
    return database.each("PRAGMA journal_mode=WAL", read_mode);
  };
  // For this one switch SQLite does not wait for others that make it at the same moment, and
  // nothing tells when they are through.
  auto switched = switch_over();
  for (int tries = 0; !switched && switched.error().kind == ErrorKind::retry; ++tries) {
    if (tries == kBusyTimeoutMs / kSwitchPauseMs) return switched;
    ::poll(nullptr, 0, kSwitchPauseMs);
    switched = switch_over();
  }
  if (!switched) return switched;
  if (mode == "wal" || mode == "memory") return {};
  return fail(ErrorKind::fault, "this file system cannot hold it (no shared memory: NFS?)");
}

/// For acknowledge(): no fsync of its own until this goes.
class Unsynced {
 public:
  explicit Unsynced(Sqlite& database) : database_(database) { set("NORMAL"); }
  ~Unsynced() { set("FULL"); }
  Unsynced(const Unsynced&) = delete;
  Unsynced& operator=(const Unsynced&) = delete;

 private:
  void set(const char* level) {
    // It cannot fail outside of a transaction, and neither value endangers the file.
    [[maybe_unused]] const Result<> done =
        database_.script(fmt::format("PRAGMA synchronous={}", level));
  }
  Sqlite& database_;
};

/// Promise 1, checked by the program itself.
Result<> check_done(const Extract& extract, const LineCounts& counts) {
  const auto wrong = [](std::string why) { return fail(ErrorKind::fault, std::move(why)); };
  const std::uint64_t accounted =
      counts.stored + counts.already_there + counts.dropped + counts.rejected;
  if (counts.lines != accounted) {
    return wrong(fmt::format(
        "{} lines, but {} stored + {} already there + {} dropped + {} rejected = {}", counts.lines,
        counts.stored, counts.already_there, counts.dropped, counts.rejected, accounted));
  }
  const LineCounts& formatted = extract.counts;
  if (counts.lines != formatted.lines || counts.rows != formatted.rows ||
      counts.dropped != formatted.dropped || counts.rejected < formatted.rejected) {
    return wrong(fmt::format(
        "formatted as {} lines, {} rows, {} dropped, {} rejected; finished as {}, {}, {}, {}",
        formatted.lines, formatted.rows, formatted.dropped, formatted.rejected, counts.lines,
        counts.rows, counts.dropped, counts.rejected));
  }
  if (counts.differs > counts.already_there || counts.replaced > counts.stored ||
      counts.failed != 0) {
    return wrong(fmt::format("{} differs of {} already there, {} replaced of {} stored, {} failed",
                             counts.differs, counts.already_there, counts.replaced, counts.stored,
                             counts.failed));
  }
  return {};
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& path, Mode mode) {
  return in_context(path, [&]() -> Result<Ledger> {
    const bool write = mode == Mode::read_write;
    std::error_code ignored;
    if (path == kInMemory) {
      // Nothing to make.
    } else if (write) {
      CARAVEL_TRY(make_file(path));
    } else if (!std::filesystem::exists(path, ignored)) {
      return fail(ErrorKind::fault, "there is none yet; caravel watch or sweep makes it");
    }
    CARAVEL_ASSIGN_OR_RETURN(
        auto database,
        Sqlite::open(path, write ? Sqlite::Mode::read_write : Sqlite::Mode::read_only,
                     kBusyTimeoutMs));
    if (!write) {
      CARAVEL_TRY(check_ledger(database));
      return Ledger(std::move(database));
    }
    // Before WAL is switched on: that would already change a file that is not ours.
    CARAVEL_TRY(upgrade_ledger(database));
    CARAVEL_TRY(use_wal(database));
    CARAVEL_TRY(
        database.script("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                        "PRAGMA journal_size_limit=16777216"));
    return Ledger(std::move(database));
  });
}

template <class... Values>
Result<> Ledger::update_open(const std::string& claim, std::string_view assignments,
                             const Values&... values) {
  CARAVEL_ASSIGN_OR_RETURN(
      auto changed,
      database_.run(
          fmt::format("UPDATE extracts SET {} WHERE claim = ? AND state NOT IN ('done', 'failed')",
                      assignments),
          values..., claim));
  if (changed == 1) return {};
  return fail(ErrorKind::fault, "no such claim, or it is done or failed already");
}

template <class... Values>
Result<> Ledger::update(std::string_view what, const std::string& claim,
                        std::string_view assignments, const Values&... values) {
  return in_context(fmt::format("{} {}", what, claim),
                    [&] { return update_open(claim, assignments, values...); });
}

Result<> Ledger::commit_claims(const std::vector<NewClaim>& claims, Time now) {
  if (claims.empty()) return {};
  return in_context("claim", [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    const std::string at = time_text(now);
    for (const NewClaim& claim : claims) {
      std::string seen_at = at;
      if (claim.origin == Origin::drop || claim.origin == Origin::capture) {
        // It keeps the time when its name was first seen.
        CARAVEL_TRY(database_.each(
            "DELETE FROM extracts WHERE feed = ? AND name = ? AND claim IS NULL RETURNING seen_at",
            [&](const Statement& row) { seen_at = row.text(0); }, claim.feed, claim.name));
      }
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

Result<> Ledger::claim_gone(const std::string& claim) {
  return in_context(fmt::format("forget {}", claim), [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto changed,
                             database_.run("DELETE FROM extracts WHERE claim = ? AND sha256 = '' "
                                           "AND state IN ('claimed', 'waiting')",
                                           claim));
    if (changed == 1) return {};
    return fail(ErrorKind::fault, "no such claim, or it was formatted already");
  });
}

Result<> Ledger::set_path(const std::string& claim, const std::string& path) {
  return update("set path", claim, "path = ?", path);
}

Result<> Ledger::set_state(const std::string& claim, State state, const std::string& why,
                           Time now) {
  if (state != State::claimed && state != State::formatted && state != State::uploading) {
    return fail(ErrorKind::fault, fmt::format("ledger: set state {}: '{}' has a call of its own",
                                              claim, name_of(state)));
  }
  return update(
      "set state", claim,
      "since = CASE WHEN state = ?1 THEN since ELSE ?2 END, state = ?1, why = ?3, next_try = NULL",
      name_of(state), time_text(now), why);
}

Result<> Ledger::set_waiting(const std::string& claim, const std::string& why,
                             std::optional<Time> next_try, Time now) {
  return update("set waiting", claim,
                "since = CASE WHEN state = 'waiting' THEN since ELSE ? END, "
                "state = 'waiting', why = ?, next_try = ?, attempts = attempts + ?",
                time_text(now), why, text_of(next_try), next_try.has_value());
}

Result<> Ledger::formatted(const std::string& claim, const FormattedExtract& extract, Time now) {
  const formatter::Counts& counts = extract.counts;
  return in_context(fmt::format("formatted {}", claim), [&]() -> Result<> {
    if (counts.lines != counts.rows + counts.dropped + counts.rejected) {
      return fail(ErrorKind::fault,
                  fmt::format("{} lines, but {} rows + {} dropped + {} rejected", counts.lines,
                              counts.rows, counts.dropped, counts.rejected));
    }
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(update_open(
        claim,
        "state = 'formatted', why = '', since = ?, next_try = NULL, size = ?, mtime_ns = ?, "
        "sha256 = ?, format = ?, time_used = ?, time_source = ?, year_guessed = ?, lines = ?, "
        "rows = ?, dropped = ?, rejected = ?, stored = 0, already_there = 0, differs = 0, "
        "replaced = 0, failed = 0, acknowledged = 0, first_time = ?, last_time = ?",
        time_text(now), extract.size, extract.mtime_ns, extract.sha256, extract.format,
        extract.time_used, extract.time_source, extract.year_guessed, counts.lines, counts.rows,
        counts.dropped, counts.rejected, extract.first_time, extract.last_time));
    if (!extract.time_source.empty()) {
      // The first time that was used stays, so that every replay agrees with what is stored; only
      // a person (--year) knows better.
      CARAVEL_TRY(

          database_.run("INSERT INTO known_times (sha256, time_used, time_source) VALUES (?, ?, ?) "
                        "ON CONFLICT (sha256) DO UPDATE SET time_used = excluded.time_used, "
                        "time_source = excluded.time_source WHERE excluded.time_source = 'option'",
                        extract.sha256, extract.time_used, extract.time_source));
    }
    return transaction.commit();
  });
}

Result<> Ledger::acknowledge(const std::string& claim, std::uint64_t rows, Time now) {
  const Unsynced unsynced(database_);
  return update("acknowledge", claim,
                "since = CASE WHEN state = 'uploading' THEN since ELSE ? END, "
                "state = 'uploading', why = '', next_try = NULL, acknowledged = ?",
                time_text(now), rows);
}

Result<> Ledger::finish_done(const std::string& claim, const LineCounts& counts,
                             const std::string& note, Time now) {
  CARAVEL_ASSIGN_OR_RETURN(auto extract, find_claim(claim));
  const std::string at = time_text(now);
  return in_context(fmt::format("set done {}", claim), [&]() -> Result<> {
    if (extract) CARAVEL_TRY(check_done(*extract, counts));
    return update_open(claim,
                       "state = 'done', why = ?, since = ?, done_at = ?, next_try = NULL, "
                       "rejected = ?, stored = ?, already_there = ?, differs = ?, replaced = ?, "
                       "acknowledged = rows",
                       note, at, at, counts.rejected, counts.stored, counts.already_there,
                       counts.differs, counts.replaced);
  });
}

Result<> Ledger::finish_failed(const std::string& claim, const std::string& why,
                               std::uint64_t lines, Time now, const std::string& sha256) {
  const std::string at = time_text(now);
  return update("set failed", claim,
                "sha256 = CASE WHEN ?1 = '' THEN sha256 ELSE ?1 END, "
                "state = 'failed', why = ?, since = ?, done_at = ?, next_try = NULL, "
                "lines = ?, failed = ?, rows = 0, dropped = 0, rejected = 0, stored = 0, "
                "already_there = 0, differs = 0, replaced = 0, acknowledged = 0",
                sha256, why, at, at, lines, lines);
}

Result<> Ledger::set_done_path(const std::string& claim, const std::string& path) {
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

Result<> Ledger::first_row_stored(const std::string& name, const std::string& place, Time now) {
  return in_context("store", [&]() -> Result<> {
    CARAVEL_TRY(

        database_.run("INSERT INTO stores (place, name, first_row_at, state, since) VALUES (?1, "
                      "?2, ?3, 'ok', "
                      "?3) ON CONFLICT (place) DO UPDATE SET first_row_at = excluded.first_row_at "
                      "WHERE first_row_at IS NULL",
                      place, name, time_text(now)));
    return {};
  });
}

Result<> Ledger::set_store_state(const std::string& name, const std::string& place,
                                 StoreState state, const std::string& why,
                                 std::optional<Time> next_try, Time now) {
  return in_context("store", [&]() -> Result<> {
    // Called after each upload: what is known already is not written again.
    CARAVEL_TRY(

        database_.run(
            "INSERT INTO stores (place, name, state, why, since, next_try) VALUES (?, ?, ?, ?, ?, "
            "?) "
            "ON CONFLICT (place) DO UPDATE SET "
            "since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, "
            "name = excluded.name, state = excluded.state, why = excluded.why, "
            "next_try = excluded.next_try "
            "WHERE name <> excluded.name OR state <> excluded.state OR why <> excluded.why "
            "OR next_try IS NOT excluded.next_try",
            place, name, name_of(state), why, time_text(now), text_of(next_try)));
    return {};
  });
}

}  // namespace caravel::watcher
