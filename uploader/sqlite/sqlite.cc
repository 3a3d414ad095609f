#include "uploader/sqlite/sqlite.h"

#include <sys/stat.h>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

constexpr int kBusyMilliseconds = 5000;

/// sqlite.org/rescode.html: what passes by itself, and what a person must see to.
ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
      return ErrorKind::retry;
    default:
      return ErrorKind::fault;
  }
}

tl::unexpected<Error> failure(sqlite3* handle, std::string_view path) {
  const int code = ::sqlite3_extended_errcode(handle);
  return fail(kind_of(code), fmt::format("{}: {}", path, ::sqlite3_errmsg(handle)));
}

}  // namespace

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

void SqliteStatement::bind(int index, std::string_view text) {
  // A null pointer would be NULL, not an empty text.
  ::sqlite3_bind_text64(statement_.get(), index, text.data() != nullptr ? text.data() : "",
                        text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::bind(int index, std::uint64_t number) {
  ::sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(number));
}

void SqliteStatement::bind_null(int index) { ::sqlite3_bind_null(statement_.get(), index); }

Result<bool> SqliteStatement::step() {
  const int code = ::sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* handle = ::sqlite3_db_handle(statement_.get());
  const char* path = ::sqlite3_db_filename(handle, "main");
  auto failed = failure(handle, path != nullptr ? path : "");
  reset();
  return failed;
}

Result<> SqliteStatement::run() {
  CARAVEL_TRY(step());
  reset();
  return {};
}

void SqliteStatement::reset() { ::sqlite3_reset(statement_.get()); }

std::string_view SqliteStatement::column_name(int column) const {
  const char* name = ::sqlite3_column_name(statement_.get(), column);
  return name != nullptr ? name : "";
}

bool SqliteStatement::is_null(int column) const {
  return ::sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

bool SqliteStatement::is_integer(int column) const {
  return ::sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}

std::string_view SqliteStatement::text(int column) {
  const unsigned char* bytes = ::sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
}

std::uint64_t SqliteStatement::number(int column) {
  return static_cast<std::uint64_t>(::sqlite3_column_int64(statement_.get(), column));
}

Result<SqliteFile> SqliteFile::open(const std::string& path, int flags) {
  SqliteFile file;
  file.path_ = path;
  sqlite3* handle = nullptr;
  const int code = ::sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  file.handle_.reset(handle);
  if (code != SQLITE_OK) {
    if (handle == nullptr) return fail(ErrorKind::retry, fmt::format("{}: out of memory", path));
    return failure(handle, path);
  }
  ::sqlite3_extended_result_codes(handle, 1);
  ::sqlite3_busy_timeout(handle, kBusyMilliseconds);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    file.device_ = status.st_dev;
    file.inode_ = status.st_ino;
  }
  return file;
}

Result<> SqliteFile::execute(const std::string& sql) {
  if (::sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(handle_.get(), path_);
  }
  return {};
}

Result<SqliteStatement> SqliteFile::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (::sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                           nullptr) != SQLITE_OK) {
    return failure(handle_.get(), path_);
  }
  return SqliteStatement(statement);
}

std::size_t SqliteFile::most_columns() const {
  return static_cast<std::size_t>(::sqlite3_limit(handle_.get(), SQLITE_LIMIT_COLUMN, -1));
}

Result<std::set<std::string>> SqliteFile::columns_of(std::string_view table) {
  CARAVEL_ASSIGN_OR_RETURN(auto statement, prepare("SELECT lower(name) FROM pragma_table_info(?)"));
  statement.bind(1, table);
  std::set<std::string> names;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const auto row, statement.step());
    if (!row) return names;
    names.emplace(statement.text(0));
  }
}

bool SqliteFile::still_there() const {
  struct stat status {};
  return ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

}  // namespace caravel::uploader
