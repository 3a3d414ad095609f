#include "watcher/ledger/schema.h"

#include <string>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"

namespace caravel::watcher {
namespace {

// PRAGMA application_id: "CrvL". Tells a ledger from any other SQLite file.
constexpr int kApplicationId = 0x4372764c;

/// Entry i takes schema i to i + 1. Entries are never changed once released: add one. This goes for
/// their comments too, for SQLite keeps the text of each statement in the file.
constexpr const char* kSteps[] = {
    R"sql(
CREATE TABLE extracts (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  claim         TEXT UNIQUE,              -- NULL while it is in the drop directory
  feed          TEXT NOT NULL,
  name          TEXT NOT NULL,
  origin        TEXT NOT NULL,
  path          TEXT NOT NULL DEFAULT '',
  state         TEXT NOT NULL,
  why           TEXT NOT NULL DEFAULT '',
  since         TEXT NOT NULL,
  seen_at       TEXT NOT NULL,
  claimed_at    TEXT,
  done_at       TEXT,
  size          INTEGER NOT NULL DEFAULT 0,
  mtime_ns      INTEGER NOT NULL DEFAULT 0,
  sha256        TEXT NOT NULL DEFAULT '',
  format        TEXT NOT NULL DEFAULT '',
  time_used     TEXT NOT NULL DEFAULT '',
  time_source   TEXT NOT NULL DEFAULT '',
  year_guessed  INTEGER NOT NULL DEFAULT 0,
  lines         INTEGER NOT NULL DEFAULT 0,
  rows          INTEGER NOT NULL DEFAULT 0,
  dropped       INTEGER NOT NULL DEFAULT 0,
  rejected      INTEGER NOT NULL DEFAULT 0,
  stored        INTEGER NOT NULL DEFAULT 0,
  already_there INTEGER NOT NULL DEFAULT 0,
  differs       INTEGER NOT NULL DEFAULT 0,
  replaced      INTEGER NOT NULL DEFAULT 0,
  failed        INTEGER NOT NULL DEFAULT 0,
  acknowledged  INTEGER NOT NULL DEFAULT 0,
  first_time    TEXT NOT NULL DEFAULT '',
  last_time     TEXT NOT NULL DEFAULT '',
  store         TEXT NOT NULL DEFAULT '',
  done_path     TEXT NOT NULL DEFAULT '',
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_try      TEXT,
  host          TEXT NOT NULL DEFAULT '',
  -- Promise 1, once more where no caller can forget it.
  CHECK (state <> 'done' OR lines = stored + already_there + dropped + rejected),
  CHECK (state <> 'failed' OR lines = failed)
);
CREATE UNIQUE INDEX extracts_in_drop ON extracts (feed, name) WHERE claim IS NULL;
CREATE INDEX extracts_open ON extracts (state, seen_at) WHERE state NOT IN ('done', 'failed');
CREATE INDEX extracts_by_feed ON extracts (feed, state);
CREATE INDEX extracts_by_state ON extracts (state, id);
CREATE INDEX extracts_done_at ON extracts (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX extracts_not_archived ON extracts (id)
  WHERE done_path = '' AND state IN ('done', 'failed') AND origin = 'drop';
CREATE INDEX extracts_sha256 ON extracts (sha256);
CREATE INDEX extracts_name ON extracts (name);

CREATE TABLE known_times (
  sha256      TEXT PRIMARY KEY,
  time_used   TEXT NOT NULL,
  time_source TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE stores (
  place        TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  first_row_at TEXT,
  state        TEXT NOT NULL,
  why          TEXT NOT NULL DEFAULT '',
  since        TEXT NOT NULL,
  next_try     TEXT
) WITHOUT ROWID;

CREATE TABLE left_alone (
  feed  TEXT NOT NULL,
  name  TEXT NOT NULL,
  why   TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (feed, name)
) WITHOUT ROWID;
)sql",
    R"sql(
CREATE TABLE manifests (
  feed      TEXT NOT NULL,
  name      TEXT NOT NULL,              -- of the extract that it came for
  sha256    TEXT NOT NULL,              -- that the extract must have
  run       TEXT NOT NULL,
  sequence  INTEGER NOT NULL,
  text      TEXT NOT NULL,              -- the whole manifest
  came_at   TEXT NOT NULL,
  loaded_at TEXT,                       -- its extract was; NULL: it has not come, or is not done
  too_late  INTEGER NOT NULL DEFAULT 0, -- rows of the extract were made without it
  PRIMARY KEY (feed, name, sha256)
) WITHOUT ROWID;
CREATE INDEX manifests_sha256 ON manifests (sha256);
CREATE INDEX manifests_open ON manifests (came_at) WHERE loaded_at IS NULL;

CREATE TABLE sources (
  feed     TEXT NOT NULL,
  run      TEXT NOT NULL,
  source   TEXT NOT NULL,               -- in words: the log and its host
  next     INTEGER NOT NULL,            -- all sequence numbers below have come, or are in gaps
  first_at TEXT NOT NULL,
  last_at  TEXT NOT NULL,
  PRIMARY KEY (feed, run)
) WITHOUT ROWID;

CREATE TABLE gaps (
  feed  TEXT NOT NULL,
  run   TEXT NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (feed, run, first)
) WITHOUT ROWID;
)sql",
    R"sql(
CREATE TABLE news (
  feed   TEXT NOT NULL,
  what   TEXT NOT NULL,                 -- what lasts, and was said: a silence, a missing extract
  at_end TEXT NOT NULL,                 -- what to say when it ends; '' = nothing
  PRIMARY KEY (feed, what)
) WITHOUT ROWID;
-- 0: its extracts were here when the gap opened, so nobody heard of it
ALTER TABLE gaps ADD COLUMN told INTEGER NOT NULL DEFAULT 1;
)sql",
    R"sql(
CREATE TABLE directories (
  path  TEXT PRIMARY KEY,               -- of a drop directory that is not well
  state TEXT NOT NULL,
  why   TEXT NOT NULL,
  since TEXT NOT NULL
) WITHOUT ROWID;
)sql",
    R"sql(
DROP INDEX extracts_not_archived;
CREATE INDEX extracts_to_archive ON extracts (id)
  WHERE done_path = '' AND state IN ('done', 'failed') AND origin IN ('drop', 'capture');
)sql",
    R"sql(
ALTER TABLE extracts ADD COLUMN settled TEXT NOT NULL DEFAULT '';      -- of a failure: '' = open
ALTER TABLE extracts ADD COLUMN settled_at TEXT;
ALTER TABLE extracts ADD COLUMN settled_why TEXT NOT NULL DEFAULT '';  -- what a person said
CREATE INDEX extracts_failed_open ON extracts (id, feed) WHERE state = 'failed' AND settled = '';
CREATE TABLE retries (
  extract  INTEGER PRIMARY KEY,         -- extracts.id: it is to go in again
  asked_at TEXT NOT NULL
);
CREATE TABLE closed_gaps (
  feed      TEXT NOT NULL,
  run       TEXT NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  since     TEXT NOT NULL,
  closed_at TEXT NOT NULL,
  why       TEXT NOT NULL,              -- what a person said
  PRIMARY KEY (feed, run, first, closed_at)
) WITHOUT ROWID;
)sql",
    R"sql(
CREATE TABLE remembered (               -- extracts that are counted in `daily`
  id            INTEGER PRIMARY KEY,    -- as it was in extracts
  feed          TEXT NOT NULL,
  name          TEXT NOT NULL,
  origin        TEXT NOT NULL,
  state         TEXT NOT NULL,          -- done, or failed
  why           TEXT NOT NULL,
  claimed_at    TEXT,
  done_at       TEXT NOT NULL,
  size          INTEGER NOT NULL,
  sha256        TEXT NOT NULL,
  format        TEXT NOT NULL,
  time_used     TEXT NOT NULL,
  time_source   TEXT NOT NULL,
  year_guessed  INTEGER NOT NULL,
  lines         INTEGER NOT NULL,
  rows          INTEGER NOT NULL,
  dropped       INTEGER NOT NULL,
  rejected      INTEGER NOT NULL,
  stored        INTEGER NOT NULL,
  already_there INTEGER NOT NULL,
  differs       INTEGER NOT NULL,
  replaced      INTEGER NOT NULL,
  failed        INTEGER NOT NULL,
  first_time    TEXT NOT NULL,
  last_time     TEXT NOT NULL,
  store         TEXT NOT NULL,
  done_path     TEXT NOT NULL,
  host          TEXT NOT NULL,
  settled       TEXT NOT NULL
);
CREATE INDEX remembered_sha256 ON remembered (sha256);
CREATE INDEX remembered_done_at ON remembered (done_at);

CREATE TABLE daily (                    -- sums over extracts that have no row in `extracts` any more
  feed          TEXT NOT NULL,
  day           TEXT NOT NULL,          -- of done_at, UTC
  done          INTEGER NOT NULL,       -- extracts
  not_done      INTEGER NOT NULL,       -- extracts that failed
  bytes         INTEGER NOT NULL,
  lines         INTEGER NOT NULL,
  rows          INTEGER NOT NULL,
  dropped       INTEGER NOT NULL,
  rejected      INTEGER NOT NULL,
  stored        INTEGER NOT NULL,
  already_there INTEGER NOT NULL,
  differs       INTEGER NOT NULL,
  replaced      INTEGER NOT NULL,
  failed        INTEGER NOT NULL,
  years_guessed INTEGER NOT NULL,
  last_claim    TEXT,                   -- of those that came by a drop directory
  forgotten     INTEGER NOT NULL,       -- extracts of these that are in `remembered` no more
  first_time    TEXT,                   -- the row times of the forgotten
  last_time     TEXT,
  PRIMARY KEY (feed, day),
  CHECK (lines = stored + already_there + dropped + rejected + failed),
  CHECK (forgotten <= done + not_done)
) WITHOUT ROWID;

CREATE INDEX manifests_came_at ON manifests (came_at);

CREATE TABLE wishes (
  what     TEXT PRIMARY KEY,            -- that whoever holds the lock of the spool is to do
  asked_at TEXT NOT NULL
) WITHOUT ROWID;
)sql",
    R"sql(
ALTER TABLE sources ADD COLUMN changed_at TEXT NOT NULL DEFAULT '';  -- when something of it ended
UPDATE sources SET changed_at = CASE WHEN last_at <> '' THEN last_at
  ELSE strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END;

CREATE TABLE batches (                  -- what stores were sent at a time, and how long that took
  feed          TEXT NOT NULL,
  store         TEXT NOT NULL,          -- its name
  rows_class    INTEGER NOT NULL,       -- numbers of the classes of BatchSums
  seconds_class INTEGER NOT NULL,
  batches       INTEGER NOT NULL,       -- in both classes
  rows          INTEGER NOT NULL,       -- sums over these
  seconds       REAL NOT NULL,
  PRIMARY KEY (feed, store, rows_class, seconds_class)
) WITHOUT ROWID;

CREATE TABLE overfull (                 -- folders that hold more than they may, after retention
  spool  TEXT NOT NULL,
  folder TEXT NOT NULL,
  bytes  INTEGER NOT NULL,
  most   INTEGER NOT NULL,
  since  TEXT NOT NULL,
  PRIMARY KEY (spool, folder)
) WITHOUT ROWID;
)sql",
};
static_assert(std::size(kSteps) == kLedgerSchema);

/// The first column of the only row that the statement yields.
Result<std::int64_t> number(Sqlite& database, std::string_view sql) {
  std::int64_t value = 0;
  CARAVEL_TRY(database.each(sql, [&](const Statement& row) { value = row.integer(0); }));
  return value;
}

/// The file's schema; 0 for an empty file.
Result<int> schema_of(Sqlite& database) {
  // The tables are counted before the id is read. Another process may be making both right now, in
  // one transaction: in the other order we could see its tables without its id, and refuse them.
  CARAVEL_ASSIGN_OR_RETURN(auto tables, number(database, "SELECT count(*) FROM sqlite_master"));
  CARAVEL_ASSIGN_OR_RETURN(auto application, number(database, "PRAGMA application_id"));
  CARAVEL_ASSIGN_OR_RETURN(auto version, number(database, "PRAGMA user_version"));
  // A file without tables has no id yet: it was made a moment ago, or a crash came before the first
  // commit.
  if (tables != 0 && application != kApplicationId) {
    return fail(ErrorKind::usage, "this SQLite file is no ledger of caravel");
  }
  if (version > kLedgerSchema) {
    return fail(ErrorKind::usage,
                fmt::format("written by a newer caravel (schema {}; this one knows {})", version,
                            kLedgerSchema));
  }
  return static_cast<int>(version);
}

}  // namespace

Result<> upgrade_ledger(Sqlite& database) {
  CARAVEL_ASSIGN_OR_RETURN(auto schema, schema_of(database));
  if (schema == kLedgerSchema) return {};
  // All steps and the new number in one transaction: a crash leaves the older schema whole.
  CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database));
  // Again, under the lock: another process may have come first.
  CARAVEL_ASSIGN_OR_RETURN(schema, schema_of(database));
  for (int step = schema; step < kLedgerSchema; ++step) {
    CARAVEL_TRY(database.script(kSteps[step]));
  }
  // Both pragmas write the header of the file, and that is a part of the transaction too
  // (https://www.sqlite.org/fileformat2.html, 1.3).
  CARAVEL_TRY(database.script(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                                          kApplicationId, kLedgerSchema)));
  return transaction.commit();
}

Result<> check_ledger(Sqlite& database) {
  CARAVEL_ASSIGN_OR_RETURN(auto schema, schema_of(database));
  if (schema == kLedgerSchema) return {};
  // A fault and not `usage`: the next start of a watcher or sweep mends it.
  return fail(ErrorKind::fault,
              fmt::format("has the older schema {}; caravel watch or sweep will bring it to {}",
                          schema, kLedgerSchema));
}

}  // namespace caravel::watcher
