// SQLite's C interface with owners, Results and errors in our kinds (sqlite.org/c3ref/intro.html).
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::uploader {

/// `name` as an SQL identifier, whatever it holds.
[[nodiscard]] std::string sql_name(std::string_view name);

/// A prepared statement. Texts that are bound must stay until the next reset().
class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  void bind(int index, std::string_view text);
  void bind(int index, std::uint64_t number);
  void bind_null(int index);
  /// True if there is a row to look at.
  [[nodiscard]] Result<bool> step();
  /// Runs a statement that returns no rows, and makes it ready for the next time.
  [[nodiscard]] Result<> run();
  void reset();

  [[nodiscard]] int columns() const { return ::sqlite3_column_count(statement_.get()); }
  [[nodiscard]] std::string_view column_name(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] bool is_integer(int column) const;
  /// Valid until the next step() or reset().
  [[nodiscard]] std::string_view text(int column);
  [[nodiscard]] std::uint64_t number(int column);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// An open database file. Statements must be gone before it.
class SqliteFile {
 public:
  /// `flags`: SQLITE_OPEN_…. Errors say the path.
  static Result<SqliteFile> open(const std::string& path, int flags);

  [[nodiscard]] Result<> execute(const std::string& sql);
  [[nodiscard]] Result<SqliteStatement> prepare(const std::string& sql);
  [[nodiscard]] std::int64_t changes() const { return ::sqlite3_changes64(handle_.get()); }
  [[nodiscard]] bool in_transaction() const { return ::sqlite3_get_autocommit(handle_.get()) == 0; }
  /// The most columns that a table can have here.
  [[nodiscard]] std::size_t most_columns() const;
  /// The columns of a table, in lower case; empty if there is no such table.
  [[nodiscard]] Result<std::set<std::string>> columns_of(std::string_view table);
  /// False if the path now leads to another file, or to none: what is written here is lost.
  [[nodiscard]] bool still_there() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
  };
  SqliteFile() = default;

  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace caravel::uploader
