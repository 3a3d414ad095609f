// SQLite's C interface with owners, Results and errors in our kinds (sqlite.org/c3ref/intro.html).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/sqlite/statement.h"
#include "base/sqlite/statement_cache.h"
#include "base/stop_signal.h"

namespace caravel {

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
  /// The same for a statement that is run often: it is compiled once and kept. This object does not
  /// move as long as what is returned lives.
  [[nodiscard]] Result<KeptStatement> prepare_kept(std::string_view sql);
  /// Statements without values, separated by ";".
  [[nodiscard]] Result<> script(const std::string& sql);

  /// Whether commits wait for the disk; see UnsyncedCommits, which alone says that they do not. Not
  /// within a transaction.
  void sync_commits(bool wait);
  /// Whether a transaction is open on this connection.
  [[nodiscard]] bool in_transaction() const;
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

  /// Runs one statement to its end; the number of rows that it changed. Statements of run() and
  /// each() are kept.
  template <class... Values>
  [[nodiscard]] Result<std::int64_t> run(std::string_view sql, const Values&... values) {
    CARAVEL_TRY(each(
        sql, [](const Statement&) {}, values...));
    return changes();
  }

  /// Calls `visit(const Statement&)` with each row.
  template <class Visit, class... Values>
  [[nodiscard]] Result<> each(std::string_view sql, Visit visit, const Values&... values) {
    CARAVEL_ASSIGN_OR_RETURN(auto kept, prepare_kept(sql));
    Statement& statement = *kept;
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
  StatementCache statements_;
};

/// `name` as an SQL identifier, whatever bytes it holds (sqlite.org/lang_keywords.html).
[[nodiscard]] std::string sql_name(std::string_view name);

}  // namespace caravel
