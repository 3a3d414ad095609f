#include "base/sqlite/statement.h"

#include <sqlite3.h>

#include <cerrno>

#include "base/sqlite/failure.h"

namespace caravel {
namespace {

/// A null pointer would bind NULL; an empty text is a text.
const char* never_null(std::string_view value) {
  return value.data() == nullptr ? "" : value.data();
}

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

void Statement::forget_values() {
  reset();
  sqlite3_clear_bindings(statement_.get());
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return sqlite::failure(nullptr, bind_error_);
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  if (sqlite3_stmt_busy(statement_.get()) == 0 &&
      sqlite::would_wait_in_vain(database, *patience_)) {
    return sqlite::failure(nullptr, patience_->in_vain_code);
  }
  errno = 0;  // see reason_of_system()
  const auto begun = std::chrono::steady_clock::now();
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite::note_wait(code, begun, *patience_);
  return sqlite::failure(database, code);
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

}  // namespace caravel
