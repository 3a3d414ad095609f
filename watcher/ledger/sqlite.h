// A thin owner of an SQLite connection and its statements, as the ledger needs it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace caravel::watcher {

/// One prepared statement. Values are bound in order, from the first "?"; columns count from 0.
class Statement {
 public:
  void bind(std::string_view value);
  void bind(std::int64_t value);
  void bind_null();
  template <class T>
  requires(std::is_integral_v<T>) void bind(T value) { bind(static_cast<std::int64_t>(value)); }
  void bind(const std::string& value) { bind(std::string_view(value)); }
  void bind(const char* value) { bind(std::string_view(value)); }
  template <class T>
  void bind(const std::optional<T>& value) {
    if (value) {
      bind(*value);
    } else {
      bind_null();
    }
  }

  /// Runs it to its end with these values; may be called again and again.
  template <class... Values>
  [[nodiscard]] Result<> run(const Values&... values) {
    reset();
    (bind(values), ...);
    for (;;) {
      CARAVEL_ASSIGN_OR_RETURN(auto row, step());
      if (!row) break;
    }
    reset();  // a statement that was left at its end could hold a commit up
    return {};
  }

  /// To the next row; false after the last.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] bool is_null(int column) const;
  /// "" for NULL.
  [[nodiscard]] std::string text(int column) const;
  /// 0 for NULL.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }

 private:
  friend class Sqlite;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int bind_error_ = 0;  // the first; step() returns it
};

/// One connection, for one thread. Errors carry SQLite's own words and the kind that its code
/// stands for: retry (busy, disk full, I/O), else fault.
class Sqlite {
 public:
  enum class Mode { read_write, read_only };

  /// The file must exist. A lock held by someone else is waited for up to `busy_timeout_ms`.
  static Result<Sqlite> open(const std::string& path, Mode mode, int busy_timeout_ms);

  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  /// Statements without values, separated by ";".
  [[nodiscard]] Result<> script(const std::string& sql);

  /// Runs one statement to its end; the number of rows that it changed.
  template <class... Values>
  [[nodiscard]] Result<std::int64_t> run(std::string_view sql, const Values&... values) {
    CARAVEL_ASSIGN_OR_RETURN(auto statement, prepare(sql));
    (statement.bind(values), ...);
    for (;;) {
      CARAVEL_ASSIGN_OR_RETURN(auto row, statement.step());
      if (!row) return changes();
    }
  }

  /// Calls `visit(const Statement&)` with each row.
  template <class Visit, class... Values>
  [[nodiscard]] Result<> each(std::string_view sql, Visit visit, const Values&... values) {
    CARAVEL_ASSIGN_OR_RETURN(auto statement, prepare(sql));
    (statement.bind(values), ...);
    for (;;) {
      CARAVEL_ASSIGN_OR_RETURN(auto row, statement.step());
      if (!row) return {};
      visit(std::as_const(statement));
    }
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Sqlite(sqlite3* database) : database_(database) {}
  [[nodiscard]] std::int64_t changes() const;

  std::unique_ptr<sqlite3, Close> database_;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back when it goes without commit().
class Transaction {
 public:
  static Result<Transaction> begin(Sqlite& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  [[nodiscard]] Result<> commit();

 private:
  explicit Transaction(Sqlite& database) : database_(&database) {}
  Sqlite* database_;
};

}  // namespace caravel::watcher
