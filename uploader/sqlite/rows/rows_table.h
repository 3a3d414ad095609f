// Rows of ours that a statement reads as a table (sqlite.org/vtab.html), so that one statement
// stores thousands of them:
//
//   INSERT INTO "hrt" (…) SELECT … FROM caravel_rows(?1)          RowSource
//     │                                                             │
//     │  xNext     to the next row  ─────────────────────────────>  next()
//     │  xColumn   one of its values, once for each column  ─────>  give_value()
//     │  the row's id is looked for in the table
//     ├─ not there: the row is inserted
//     └─ there: ON CONFLICT (_id) DO UPDATE … WHERE caravel_taken(?1, …)
//                  what has the id, and what was to be inserted ─>  taken(); nothing is changed
//
// A statement with bound values, run once for each row, costs half as much again: it begins and
// ends each time, and looks for its place in the table from the root.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/sqlite/sqlite.h"
#include "uploader/verdict.h"

struct sqlite3_context;

namespace caravel::uploader {

/// Takes one value of a row. Texts that are lent stay as they are until the next row.
class ValueTaker {
 public:
  explicit ValueTaker(sqlite3_context* context) : context_(context) {}
  void lend_text(std::string_view text);
  void copy_text(std::string_view text);
  /// CSV cannot tell an empty value from a missing one: both are NULL.
  void lend_text_or_null(std::string_view text);
  void take(std::int64_t value);
  void take(double value);

 private:
  sqlite3_context* context_;  // NULL until something else is said
};

/// A row of ours that was not inserted, because its id has another row in the table, `there`.
struct TakenRow {
  std::string_view id;
  std::uint64_t line = 0;
  std::string_view sum;
  RowCredit there;
};

/// The rows that one run of a statement reads.
class RowSource {
 public:
  enum class Step : std::uint8_t { row, end, stopped };

  virtual ~RowSource() = default;
  /// Before the first row.
  virtual void rewind() = 0;
  /// To the next row. After `stopped` the statement ends with an error of kind retry.
  virtual Step next() = 0;
  /// The value of a column of this row, from 0.
  virtual void give_value(int column, ValueTaker& taker) = 0;
  /// Mostly the row that next() went to last. But where people's triggers wait for rows, SQLite
  /// reads all rows before it inserts the first.
  virtual void taken(const TakenRow& row) = 0;
};

/// Makes the table and the function known to the connection: once, since SQLite then compiles all
/// of its statements anew.
[[nodiscard]] Result<> declare_rows_table(Sqlite& file);
/// The name of the table. Its columns are c0, c1, …, one less than a table may have; its parameter
/// is the source.
inline constexpr const char* kRowsTable = "caravel_rows";
/// (source, our id, line and sum, the extract, line and sum that are there): always false.
inline constexpr const char* kTakenFunction = "caravel_taken";
/// Binds the next value, as the source. It must outlive the run.
void bind_source(Statement& statement, RowSource& source);

}  // namespace caravel::uploader
