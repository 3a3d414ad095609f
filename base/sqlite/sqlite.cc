#include "base/sqlite/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "base/sqlite/failure.h"
#include "base/text.h"

namespace caravel {
namespace {

/// SQLite counts each of its allocations under a lock that all connections share. Nobody asks for
/// these counts (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS). To
/// be said before anything else of SQLite is used; later it has no effect.
void count_no_memory() {
  [[maybe_unused]] static const int kSaid = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/// The bytes, beside letters and digits, that stand for themselves in the path of a "file:" URI.
constexpr std::string_view kPlainInUri = "/-._~";

}  // namespace

void Sqlite::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

/// SQLite calls this again and again while somebody else has the lock; 0 gives up with SQLITE_BUSY
/// (sqlite.org/c3ref/busy_handler.html). sqlite3_busy_timeout() would do the same, but nothing ends
/// its sleep.
int Sqlite::wait_for_lock(void* of_connection, int tries) {
  constexpr std::chrono::milliseconds kLongestPause{50};
  // A lock that is held for a moment only need not spoil the last words of a program that ends.
  constexpr std::chrono::milliseconds kAfterStop{100};
  auto& patience = *static_cast<LockPatience*>(of_connection);
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) patience.since = now;
  const bool stopped = patience.stop != nullptr && patience.stop->requested();
  const auto left = patience.since + (stopped ? kAfterStop : patience.most) - now;
  if (left <= left.zero()) return 0;
  const auto pause = std::min<std::chrono::steady_clock::duration>(
      left, std::min(std::chrono::milliseconds(1 + tries), kLongestPause));
  if (patience.stop != nullptr && !stopped) {
    (void)stopped_before(*patience.stop, now + pause);
  } else {
    std::this_thread::sleep_for(pause);
  }
  return 1;
}

Result<Sqlite> Sqlite::open(const std::string& path, Mode mode, int busy_timeout_ms,
                            const StopSignal* stop) {
  count_no_memory();
  sqlite3* database = nullptr;
  // NOMUTEX: a connection is used by one thread at a time, so SQLite need not lock it for each call
  // (sqlite.org/threadsafe.html, "Multi-thread").
  int flags = SQLITE_OPEN_NOMUTEX;
  std::string name = path;
  switch (mode) {
    case Mode::read_write:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Mode::read_only:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case Mode::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case Mode::immutable:
      // Encoded, because a "?" or "#" in the path would begin the parameters or the fragment of the
      // URI (sqlite.org/uri.html).
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      name = "file:" + percent_encode(path, kPlainInUri) + "?immutable=1";
      break;
  }
  const int code = sqlite3_open_v2(name.c_str(), &database, flags, nullptr);
  auto patience = std::make_unique<LockPatience>();
  patience->most = std::chrono::milliseconds(busy_timeout_ms);
  patience->stop = stop;
  Sqlite owner(
      database,
      std::move(patience));  // even a failed open leaves a handle that must be closed (c3ref/open)
  if (code != SQLITE_OK) return sqlite::failure(database, code);
  // Extended codes carry the cause (which call failed with an I/O error) into the words.
  sqlite3_extended_result_codes(database, 1);
  // Without a handler SQLite returns SQLITE_BUSY at the first lock.
  if (busy_timeout_ms > 0) {
    sqlite3_busy_handler(database, &Sqlite::wait_for_lock, owner.patience_.get());
  }
  return owner;
}

Result<Statement> Sqlite::prepare(std::string_view sql) {
  if (sqlite::would_wait_in_vain(database_.get(), *patience_)) {
    return sqlite::failure(nullptr, patience_->in_vain_code);
  }
  sqlite3_stmt* statement = nullptr;
  const auto begun = std::chrono::steady_clock::now();
  // The _v2 form compiles the statement again by itself when the schema has changed since
  // (sqlite.org/c3ref/prepare.html).
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code == SQLITE_OK) return Statement(statement, patience_.get());
  sqlite::note_wait(code, begun, *patience_);  // it may have read the schema first
  return sqlite::failure(database_.get(), code);
}

Result<KeptStatement> Sqlite::prepare_kept(std::string_view sql) {
  // Pragmas take effect when they are compiled, some of them (sqlite.org/pragma.html).
  StatementCache* const cache = sql.starts_with("PRAGMA") ? nullptr : &statements_;
  std::optional<Statement> statement;
  if (cache != nullptr) statement = cache->take(sql);
  if (!statement) {
    CARAVEL_ASSIGN_OR_RETURN(statement, prepare(sql));
  }
  return KeptStatement(cache, sql, *std::move(statement));
}

Result<> Sqlite::script(const std::string& sql) {
  if (sqlite::would_wait_in_vain(database_.get(), *patience_)) {
    return sqlite::failure(nullptr, patience_->in_vain_code);
  }
  errno = 0;  // see reason_of_system()
  const auto begun = std::chrono::steady_clock::now();
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  sqlite::note_wait(code, begun, *patience_);
  return sqlite::failure(database_.get(), code);
}

void Sqlite::sync_commits(bool wait) {
  // It cannot fail outside of a transaction, and neither value endangers the file.
  (void)script(wait ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  // A commit that is not to wait leaves the checkpoint, which waits as well, to one that does
  // (sqlite.org/c3ref/wal_autocheckpoint.html; 1000 pages is the library's own value).
  constexpr int kPagesToCheckpoint = 1000;
  sqlite3_wal_autocheckpoint(database_.get(), wait ? kPagesToCheckpoint : 0);
}

bool Sqlite::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

std::int64_t Sqlite::changes() const { return sqlite3_changes64(database_.get()); }

std::size_t Sqlite::most_columns() const {
  // A negative value leaves the limit as it is (sqlite.org/c3ref/limit.html).
  constexpr int kOnlyAsk = -1;
  return static_cast<std::size_t>(sqlite3_limit(database_.get(), SQLITE_LIMIT_COLUMN, kOnlyAsk));
}

Result<std::map<std::string, std::string>> Sqlite::columns_of(std::string_view table) {
  // In lower case, since SQLite does not tell column names apart by the case of ASCII letters;
  // lower() changes only those.
  std::map<std::string, std::string> types;
  CARAVEL_TRY(each(
      "SELECT lower(name), type FROM pragma_table_info(?)",
      [&](const Statement& row) { types.emplace(row.text(0), row.text(1)); }, table));
  return types;
}

Result<> Sqlite::extend(int (*add)(sqlite3*)) {
  const int code = add(database_.get());
  if (code != SQLITE_OK) return sqlite::failure(database_.get(), code);
  return {};
}

Result<> Sqlite::let_triggers_run(bool run) {
  const int code = sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, run ? 1 : 0,
                                     static_cast<int*>(nullptr));
  if (code != SQLITE_OK) return sqlite::failure(database_.get(), code);
  return {};
}

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    // Only the quote itself has a meaning between quotes, and is doubled.
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

}  // namespace caravel
