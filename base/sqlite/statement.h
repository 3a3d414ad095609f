// A prepared statement, with its owner, Results and errors in our kinds.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/stop_signal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace caravel {

/// What an error of SQLite begins with if it found the bytes of the database file damaged
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

  /// The same, and no value stays bound: what bind_borrowed() was given may go.
  void forget_values();

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

}  // namespace caravel
