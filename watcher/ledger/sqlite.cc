#include "watcher/ledger/sqlite.h"

#include <sqlite3.h>

#include <fmt/format.h>

namespace caravel::watcher {
namespace {

/// https://www.sqlite.org/rescode.html; `code` may be an extended one.
ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
      return ErrorKind::retry;
    default:
      return ErrorKind::fault;
  }
}

tl::unexpected<Error> failure(sqlite3* database, int code) {
  const char* const words = sqlite3_errstr(code);
  const char* const details = database != nullptr ? sqlite3_errmsg(database) : words;
  return fail(kind_of(code), details);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);  // repeats the error of the last step, which was returned there
}

void Statement::bind(std::string_view value) {
  // A null pointer would bind NULL; an empty text is a text.
  const char* const data = value.data() == nullptr ? "" : value.data();
  const int code = sqlite3_bind_text64(statement_.get(), ++bound_, data, value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

void Statement::bind(std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), ++bound_, value);
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

void Statement::bind_null() {
  const int code = sqlite3_bind_null(statement_.get(), ++bound_);
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error of the last step, which was returned there
  bound_ = 0;
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return failure(nullptr, bind_error_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure(sqlite3_db_handle(statement_.get()), code);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::string Statement::text(int column) const {
  const auto* const data = sqlite3_column_text(statement_.get(), column);
  if (data == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void Sqlite::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Sqlite> Sqlite::open(const std::string& path, Mode mode, int busy_timeout_ms) {
  sqlite3* database = nullptr;
  const int access = mode == Mode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(path.c_str(), &database, access | SQLITE_OPEN_NOMUTEX, nullptr);
  Sqlite owner(database);  // even a failed open leaves a handle that must be closed
  if (code != SQLITE_OK) return failure(database, code);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, busy_timeout_ms);
  return owner;
}

Result<Statement> Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return Statement(statement);
}

Result<> Sqlite::script(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return {};
}

std::int64_t Sqlite::changes() const { return sqlite3_changes64(database_.get()); }

Result<Transaction> Transaction::begin(Sqlite& database) {
  // Immediate: a reader that becomes a writer halfway gets SQLITE_BUSY at once, without waiting.
  CARAVEL_TRY(database.script("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // After some errors SQLite has rolled back by itself, and this says so: nothing to do about it.
  [[maybe_unused]] const Result<> rolled_back = database_->script("ROLLBACK");
}

Result<> Transaction::commit() {
  CARAVEL_TRY(database_->script("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace caravel::watcher
