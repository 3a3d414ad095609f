// SQLite's C interface with owners, Results and errors in our kinds (sqlite.org/c3ref/intro.html).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace caravel {

/// What an error of this file begins with if SQLite found the bytes of the database file damaged
/// (SQLITE_CORRUPT, SQLITE_NOTADB).
inline constexpr std::string_view kDamagedDatabase = "the file is damaged";

/// How long a connection waits for locks, and whether it did in vain.
struct LockPatience {
  std::chrono::milliseconds most{0};
  const StopSignal* stop = nullptr;
  std::chrono::steady_clock::time_point since{};  // of the wait that goes on
  bool once = false;                              // see Sqlite::wait_once_only()
  std::chrono::steady_clock::time_point in_vain_until{};
  int in_vain_code = 0;  // of the statement that waited
};

/// One prepared statement, which must be gone before its Sqlite. Values are bound in order, from
/// the first "?"; columns count from 0.
class Statement {
 public:
  /// Copies the value. An empty text is a text, not NULL.
  void bind(std::string_view value);
  /// The same without a copy, for statements that run once for each of many rows: the bytes must
  /// stay as they are until the next reset(), run() or bind of this value.
  void bind_borrowed(std::string_view value);
  void bind(std::int64_t value);
  void bind(double value);
  void bind_null();
  /// For a function or a virtual table that asks for a pointer of this type
  /// (sqlite.org/bindptr.html). The type is a literal; SQL sees NULL. What is pointed to outlives
  /// the run.
  void bind_pointer(void* pointer, const char* type);
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
    return finish();
  }

  /// Runs it to its end with the values that are bound. They stay bound: finish() may follow again.
  [[nodiscard]] Result<> finish();
  /// Makes it ready to run again. Values stay bound until they are replaced, from the first on. A
  /// statement that stands at a row keeps a read transaction open: reset it when the row was read.
  void reset();

  /// To the next row; false after the last.
  [[nodiscard]] Result<bool> step();

  [[nodiscard]] int columns() const;
  [[nodiscard]] std::string_view column_name(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] bool is_integer(int column) const;
  [[nodiscard]] bool is_real(int column) const;
  /// "" for NULL.
  [[nodiscard]] std::string text(int column) const;
  /// The same without a copy: valid until the next step(), finish() or reset().
  [[nodiscard]] std::string_view text_view(int column) const;
  /// 0 for NULL.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }
  /// The double itself: its text() would have 15 digits at most.
  [[nodiscard]] double real(int column) const;

 private:
  friend class Sqlite;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3_stmt* statement, LockPatience* patience)
      : statement_(statement), patience_(patience) {}
  void note(int bind_code);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  LockPatience* patience_;  // the connection's
  int bound_ = 0;
  int bind_error_ = 0;  // the first; step() returns it
};

/// One connection, for one thread. Errors carry SQLite's own words, without the path, and the kind
/// that its code stands for: retry (busy, disk full, I/O), else fault.
class Sqlite {
 public:
  enum class Mode {
    read_write,
    read_only,
    create,     // read_write; a file that is missing is made
    immutable,  // read_only, and nothing is made beside the file, not even a lock or a WAL index:
                // for a look at a file that nobody writes, or that may be read a moment too old
                // (sqlite.org/uri.html, "immutable")
  };

  /// The file must exist, but for Mode::create. A lock that somebody else holds is waited for up to
  /// `busy_timeout_ms`, or until `stop` (which must outlive the connection, or may be null).
  static Result<Sqlite> open(const std::string& path, Mode mode, int busy_timeout_ms,
                             const StopSignal* stop = nullptr);
  /// The same from now on; null: by the timeout alone.
  void stop_waiting_at(const StopSignal* stop) { patience_->stop = stop; }
  /// From now on, where a statement waited in vain for long, those behind it fail at once for half
  /// of that time: a caller that has many of them would else say nothing for many times the
  /// timeout.
  void wait_once_only() { patience_->once = true; }

  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  /// Statements without values, separated by ";".
  [[nodiscard]] Result<> script(const std::string& sql);

  /// The rows that the last INSERT, UPDATE or DELETE changed.
  [[nodiscard]] std::int64_t changes() const;
  /// The most columns that a table may have here (sqlite.org/limits.html).
  [[nodiscard]] std::size_t most_columns() const;
  /// The columns of a table, in lower case, each with the type that it was declared with ("" if
  /// with none); empty if there is no such table.
  [[nodiscard]] Result<std::map<std::string, std::string>> columns_of(std::string_view table);
  /// Gives this connection what SQL can then name, a function or a virtual table: `add` calls
  /// SQLite with it, and returns SQLite's code.
  [[nodiscard]] Result<> extend(int (*add)(sqlite3*));
  /// Whether the triggers of this file run when this connection changes rows; they do at first.
  [[nodiscard]] Result<> let_triggers_run(bool run);

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
  static int wait_for_lock(void* patience, int tries);
  Sqlite(sqlite3* database, std::unique_ptr<LockPatience> patience)
      : patience_(std::move(patience)), database_(database) {}

  /// The busy handler and statements point to it: its address must not change when this is moved.
  std::unique_ptr<LockPatience> patience_;
  std::unique_ptr<sqlite3, Close> database_;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back when it ends without a commit(), or with one that failed.
/// The database outlives it.
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

/// `name` as an SQL identifier, whatever bytes it holds (sqlite.org/lang_keywords.html).
[[nodiscard]] std::string sql_name(std::string_view name);

}  // namespace caravel
