#include "base/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "base/text.h"

namespace caravel {
namespace {

/// What passes by itself, and what a person must see to (sqlite.org/rescode.html).
ErrorKind kind_of(int code) {
  switch (code & 0xff) {  // an extended code has its primary one in the lowest byte
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:  // a lost race for a lock of the WAL
    case SQLITE_INTERRUPT:
      return ErrorKind::retry;
    default:
      // A damaged file, a file that is no database, a missing right, a missing table: waiting mends
      // none of these.
      return ErrorKind::fault;
  }
}

/// errno of the call that failed; 0 if it is not known. "disk I/O error" does not say that a limit
/// on the size of files was met, or that a quota is used up.
int reason_of_system(sqlite3* database, int code) {
  const int primary = code & 0xff;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN && primary != SQLITE_FULL) return 0;
  // SQLite keeps it for some failures only, not for that of a commit (c3ref/system_errno.html).
  // errno itself is that of the last system call that failed, which may have been a mere question
  // whether a file is there: so only what speaks of disks counts.
  const int asked = database != nullptr ? sqlite3_system_errno(database) : 0;
  const int last = asked != 0 ? asked : errno;
  for (const int reason : {EIO, ENOSPC, EDQUOT, EFBIG, EROFS, EMFILE, ENFILE}) {
    if (last == reason) return reason;
  }
  return 0;
}

tl::unexpected<Error> failure(sqlite3* database, int code) {
  const char* const words = sqlite3_errstr(code);
  // The words of the connection name the table or the constraint. Without a connection only those
  // of the code are left.
  const char* const details = database != nullptr ? sqlite3_errmsg(database) : words;
  Error error{kind_of(code), details};
  const int primary = code & 0xff;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    error.message = std::string(kDamagedDatabase) + ": " + error.message;
  }
  if ((error.system = reason_of_system(database, code)) != 0) {
    error.message += std::string(" (") + ::strerrordesc_np(error.system) + ")";
  }
  return tl::unexpected<Error>(std::move(error));
}

/// A null pointer would bind NULL; an empty text is a text.
const char* never_null(std::string_view value) {
  return value.data() == nullptr ? "" : value.data();
}

/// A wait in vain that was shorter is worth another one.
constexpr std::chrono::seconds kLongWait{1};

/// Whether a statement that is about to begin need not try: one before it waited in vain just now.
/// Within a transaction the lock is held already, and a ROLLBACK must never be kept from running.
bool would_wait_in_vain(sqlite3* database, const LockPatience& patience) {
  return std::chrono::steady_clock::now() < patience.in_vain_until &&
         sqlite3_get_autocommit(database) != 0;
}

/// Notes how a statement ended that was begun at `begun`.
void note_wait(int code, std::chrono::steady_clock::time_point begun, LockPatience& patience) {
  // SQLITE_PROTOCOL: SQLite has waited by itself, for ten seconds (sqlite.org/rescode.html).
  const int primary = code & 0xff;
  if (primary != SQLITE_BUSY && primary != SQLITE_PROTOCOL) return;
  const auto now = std::chrono::steady_clock::now();
  if (!patience.once || now - begun < kLongWait) return;
  patience.in_vain_until = now + (now - begun) / 2;
  patience.in_vain_code = code;
}

/// SQLite counts each of its allocations under a lock that all connections share. Nobody asks for
/// these counts (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS). To
/// be said before anything else of SQLite is used; later it has no effect.
void count_no_memory() {
  [[maybe_unused]] static const int kSaid = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/// The bytes, beside letters and digits, that stand for themselves in the path of a "file:" URI.
constexpr std::string_view kPlainInUri = "/-._~";

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);  // repeats the error of the last step, which was returned there
}

void Statement::note(int bind_code) {
  // The first error is kept until step() returns it, so that no single bind() has to be checked.
  if (bind_code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = bind_code;
}

void Statement::bind(std::string_view value) {
  // SQLITE_TRANSIENT: SQLite copies the bytes before this call returns
  // (sqlite.org/c3ref/bind_blob.html).
  note(sqlite3_bind_text64(statement_.get(), ++bound_, never_null(value), value.size(),
                           SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind_borrowed(std::string_view value) {
  // SQLITE_STATIC: SQLite keeps the pointer, and each row saves a copy of each of its columns.
  note(sqlite3_bind_text64(statement_.get(), ++bound_, never_null(value), value.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(std::int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), ++bound_, value));
}

void Statement::bind(double value) { note(sqlite3_bind_double(statement_.get(), ++bound_, value)); }

void Statement::bind_null() { note(sqlite3_bind_null(statement_.get(), ++bound_)); }

void Statement::bind_pointer(void* pointer, const char* type) {
  note(sqlite3_bind_pointer(statement_.get(), ++bound_, pointer, type, nullptr));
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error of the last step, which was returned there
  // sqlite3_reset() leaves the bound values as they are (sqlite.org/c3ref/reset.html). The count
  // starts again, so that the next bind() replaces the first value.
  bound_ = 0;
  // One value that could not be bound spoils one run, and not all that follow.
  bind_error_ = SQLITE_OK;
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return failure(nullptr, bind_error_);
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  if (sqlite3_stmt_busy(statement_.get()) == 0 && would_wait_in_vain(database, *patience_)) {
    return failure(nullptr, patience_->in_vain_code);
  }
  errno = 0;  // see reason_of_system()
  const auto begun = std::chrono::steady_clock::now();
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  note_wait(code, begun, *patience_);
  return failure(database, code);
}

Result<> Statement::finish() {
  for (;;) {
    auto row = step();
    if (row && *row) continue;
    // A statement that is not reset could hold a commit up. One that has failed would report the
    // same error to the next caller.
    reset();
    if (!row) return tl::unexpected(std::move(row).error());
    return {};
  }
}

int Statement::columns() const { return sqlite3_column_count(statement_.get()); }

std::string_view Statement::column_name(int column) const {
  const char* const name = sqlite3_column_name(statement_.get(), column);
  return name != nullptr ? name : "";
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

bool Statement::is_integer(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}

bool Statement::is_real(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_FLOAT;
}

std::string Statement::text(int column) const { return std::string(text_view(column)); }

std::string_view Statement::text_view(int column) const {
  const auto* const data = sqlite3_column_text(statement_.get(), column);
  if (data == nullptr) return {};
  // The size is asked for last: sqlite3_column_text() may convert the value, and the size is that
  // of the converted form (sqlite.org/c3ref/column_blob.html).
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

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
  if (code != SQLITE_OK) return failure(database, code);
  // Extended codes carry the cause (which call failed with an I/O error) into the words.
  sqlite3_extended_result_codes(database, 1);
  // Without a handler SQLite returns SQLITE_BUSY at the first lock.
  if (busy_timeout_ms > 0) {
    sqlite3_busy_handler(database, &Sqlite::wait_for_lock, owner.patience_.get());
  }
  return owner;
}

Result<Statement> Sqlite::prepare(std::string_view sql) {
  if (would_wait_in_vain(database_.get(), *patience_)) {
    return failure(nullptr, patience_->in_vain_code);
  }
  sqlite3_stmt* statement = nullptr;
  const auto begun = std::chrono::steady_clock::now();
  // The _v2 form compiles the statement again by itself when the schema has changed since
  // (sqlite.org/c3ref/prepare.html).
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code == SQLITE_OK) return Statement(statement, patience_.get());
  note_wait(code, begun, *patience_);  // it may have read the schema first
  return failure(database_.get(), code);
}

Result<> Sqlite::script(const std::string& sql) {
  if (would_wait_in_vain(database_.get(), *patience_)) {
    return failure(nullptr, patience_->in_vain_code);
  }
  errno = 0;  // see reason_of_system()
  const auto begun = std::chrono::steady_clock::now();
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  note_wait(code, begun, *patience_);
  return failure(database_.get(), code);
}

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
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return {};
}

Result<> Sqlite::let_triggers_run(bool run) {
  const int code = sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, run ? 1 : 0,
                                     static_cast<int*>(nullptr));
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return {};
}

Result<Transaction> Transaction::begin(Sqlite& database) {
  // IMMEDIATE waits for the write lock at the start. A transaction that begins as a reader gets
  // SQLITE_BUSY at its first write, without any waiting, if another writer came first.
  CARAVEL_TRY(database.script("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // After some errors, a full disk for one, SQLite has rolled back by itself. ROLLBACK then fails
  // because no transaction is open, which is as good.
  [[maybe_unused]] const Result<> rolled_back = database_->script("ROLLBACK");
}

Result<> Transaction::commit() {
  // A COMMIT that meets a lock leaves the transaction open (sqlite.org/lang_transaction.html).
  // `database_` is then still set, and the destructor rolls back.
  CARAVEL_TRY(database_->script("COMMIT"));
  database_ = nullptr;
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
