#include "uploader/sqlite/table_upgrade.h"

#include <algorithm>
#include <memory>
#include <variant>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "uploader/column_names.h"
#include "uploader/sqlite/rows/typed_value.h"
#include "uploader/sqlite/table_definition.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

// What is held in memory at a time: at most so many rows, values and bytes of texts.
constexpr std::size_t kRowsAtOnce = 1000;
constexpr std::size_t kValuesAtOnce = 20'000;
constexpr std::size_t kBytesAtOnce = 1 << 20;

/// While it lives the connection may edit the schema, and people's triggers do not run: what a row
/// says stays the same. It must outlive the transaction: only behind a rollback can the schema be
/// read again as it is. Sorting for indexes goes to files meanwhile, and not into memory as else
/// (rows_file.cc).
class SchemaWork {
 public:
  static Result<std::unique_ptr<SchemaWork>> begin(Sqlite& file) {
    auto work = std::unique_ptr<SchemaWork>(new SchemaWork(file));
    CARAVEL_TRY(file.let_triggers_run(false));
    CARAVEL_TRY(file.script("PRAGMA temp_store=FILE; PRAGMA writable_schema=ON"));
    return work;
  }
  SchemaWork(const SchemaWork&) = delete;
  SchemaWork& operator=(const SchemaWork&) = delete;
  ~SchemaWork() {
    // RESET, not OFF: the schema that this connection remembers may have been rolled back.
    (void)file_.script("PRAGMA writable_schema=RESET; PRAGMA temp_store=MEMORY");
    (void)file_.let_triggers_run(true);
  }

 private:
  explicit SchemaWork(Sqlite& file) : file_(file) {}
  Sqlite& file_;
};

/// A line for each column: all that is declared of it.
Result<std::vector<std::string>> declared(Sqlite& file, const std::string& table,
                                          const std::set<std::string>& without_type) {
  std::vector<std::string> lines;
  CARAVEL_TRY(file.each(
      "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)",
      [&](const Statement& row) {
        const bool blank = without_type.contains(folded_name(row.text(0)));
        lines.push_back(fmt::format("{}|{}|{}|{}|{}|{}", row.text(0), blank ? "" : row.text(1),
                                    row.text(2), row.text(3), row.text(4), row.text(5)));
      },
      table));
  return lines;
}

/// Whether `sql` makes the table as it is, but for the type of `columns`. Tried in a database of
/// its own: a schema that SQLite cannot read would make the whole file unreadable.
Result<bool> is_the_same_table(Sqlite& file, const std::string& feed, const std::string& sql,
                               const std::set<std::string>& columns) {
  CARAVEL_ASSIGN_OR_RETURN(auto trial, Sqlite::open(":memory:", Sqlite::Mode::create, 0));
  if (!trial.script(sql)) return false;
  CARAVEL_ASSIGN_OR_RETURN(const auto made, declared(trial, feed, {}));
  CARAVEL_ASSIGN_OR_RETURN(const auto wanted, declared(file, feed, columns));
  return made == wanted;
}

/// Takes the type TEXT from `columns` in the schema; false if that cannot be done.
Result<bool> untype(Sqlite& file, const std::string& feed, const std::set<std::string>& columns) {
  std::string before;
  CARAVEL_TRY(file.each(
      "SELECT sql FROM sqlite_schema WHERE type = 'table' AND lower(name) = ?",
      [&](const Statement& row) { before = row.text(0); }, feed));
  const std::string after = without_text_type(before, columns);
  CARAVEL_ASSIGN_OR_RETURN(const bool same, is_the_same_table(file, feed, after, columns));
  if (!same) return false;
  std::int64_t version = 0;
  CARAVEL_TRY(
      file.each("PRAGMA schema_version", [&](const Statement& row) { version = row.integer(0); }));
  CARAVEL_TRY(file.run("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND lower(name) = ?",
                       after, feed));
  // Another number makes every connection read the schema again, this one too.
  CARAVEL_TRY(file.script(
      fmt::format("PRAGMA schema_version={}; PRAGMA writable_schema=OFF", version + 1)));
  return true;
}

/// People's indexes were built while the column was TEXT: a condition or an expression of theirs
/// may mean something else now, and an UPDATE would not find the entries that it has to replace.
Result<> rebuild_indexes(Sqlite& file, const std::string& feed) {
  std::vector<std::string> names;
  CARAVEL_TRY(file.each(
      "SELECT name FROM pragma_index_list(?) WHERE origin <> 'pk'",
      [&](const Statement& row) { names.push_back(row.text(0)); }, feed));
  for (const std::string& name : names) CARAVEL_TRY(file.script("REINDEX " + sql_name(name)));
  return {};
}

/// Replaces the texts of some columns by what typed_value() makes of them.
class TextConverter {
 public:
  static Result<TextConverter> make(Sqlite& file, const std::string& feed,
                                    const std::vector<TableColumn>& columns) {
    std::string read = "_id";
    std::string write;
    for (const TableColumn& column : columns) {
      const std::string name = sql_name(column.name);
      // People may have put a number or a blob there: that stays.
      read += fmt::format(", CASE typeof({0}) WHEN 'text' THEN {0} END", name);
      write += fmt::format("{0}{1} = coalesce(?, {1})", write.empty() ? "" : ", ", name);
    }
    const std::string table = sql_name(feed);
    const std::size_t rows =
        std::clamp(kValuesAtOnce / columns.size(), std::size_t{1}, kRowsAtOnce);
    // By ranges of the key: one SELECT over all rows may not be read on while they are changed
    // (sqlite.org/isolation.html, "No Isolation Between Operations On The Same Connection").
    CARAVEL_ASSIGN_OR_RETURN(
        auto select,
        file.prepare(fmt::format("SELECT {} FROM {} WHERE _id > ? ORDER BY _id LIMIT {}", read,
                                 table, rows)));
    CARAVEL_ASSIGN_OR_RETURN(
        auto update, file.prepare(fmt::format("UPDATE {} SET {} WHERE _id = ?", table, write)));
    TextConverter converter(std::move(select), std::move(update));
    for (const TableColumn& column : columns) converter.types_.push_back(column.type);
    return converter;
  }

  /// The next rows behind those that were converted; how many, 0 behind the last.
  Result<std::size_t> convert_some() {
    CARAVEL_ASSIGN_OR_RETURN(const std::size_t rows, read_some());
    for (const ChangedRow& row : changed_) {
      update_.reset();
      for (const Value& value : row.values) bind(value);
      update_.bind(row.id);
      CARAVEL_TRY(update_.finish());
    }
    return rows;
  }

 private:
  /// nothing: it stays as it is.
  using Value = std::variant<std::monostate, std::string, std::int64_t, double>;
  struct ChangedRow {
    std::string id;
    std::vector<Value> values;
  };

  TextConverter(Statement select, Statement update)
      : select_(std::move(select)), update_(std::move(update)) {}

  Result<std::size_t> read_some() {
    changed_.clear();
    std::size_t rows = 0;
    std::size_t bytes = 0;
    select_.reset();
    select_.bind(last_);
    while (bytes < kBytesAtOnce) {
      CARAVEL_ASSIGN_OR_RETURN(const bool found, select_.step());
      if (!found) break;
      ++rows;
      last_ = select_.text(0);
      ChangedRow row;
      bool changes = false;
      for (std::size_t i = 0; i < types_.size(); ++i) {
        const std::string_view text = select_.text_view(static_cast<int>(i) + 1);
        bytes += text.size();
        row.values.push_back(changed(types_[i], text));
        changes = changes || row.values.back().index() != 0;
      }
      row.id = last_;
      if (changes) changed_.push_back(std::move(row));
    }
    select_.reset();
    return rows;
  }

  Value changed(ColumnType type, std::string_view text) {
    if (text.empty()) return {};
    const SqlValue value = typed_value(type, text, scratch_);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
    if (const auto* real = std::get_if<double>(&value)) return *real;
    const std::string_view still = std::get<std::string_view>(value);
    if (still == text) return {};
    return std::string(still);
  }

  void bind(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      update_.bind(*integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      update_.bind(*real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      update_.bind(*text);
    } else {
      update_.bind_null();
    }
  }

  std::vector<ColumnType> types_;
  Statement select_;
  Statement update_;
  std::string last_;  // id of the last row that was read; ids are never empty
  std::vector<ChangedRow> changed_;
  std::string scratch_;
};

/// Converts all rows; how many there are.
Result<std::uint64_t> convert_rows(Sqlite& file, const std::string& feed,
                                   const std::vector<TableColumn>& columns,
                                   const UpgradeWatch& watch) {
  std::uint64_t all = 0;
  CARAVEL_TRY(file.each("SELECT count(*) FROM " + sql_name(feed),
                        [&](const Statement& row) { all = row.count(0); }));
  CARAVEL_ASSIGN_OR_RETURN(auto converter, TextConverter::make(file, feed, columns));
  for (std::uint64_t rows = 0;;) {
    if (watch.stop.requested()) return fail(ErrorKind::stopped, "asked to stop");
    CARAVEL_ASSIGN_OR_RETURN(const std::size_t some, converter.convert_some());
    if (some == 0) return rows;
    rows += some;
    if (watch.on_rows) watch.on_rows(rows, all);
  }
}

}  // namespace

Result<std::set<std::string>> columns_held_as_text(Sqlite& file, const std::string& feed,
                                                   const std::vector<TableColumn>& columns) {
  CARAVEL_ASSIGN_OR_RETURN(const auto there, file.columns_of(feed));
  std::set<std::string> names;
  for (const TableColumn& column : columns) {
    const std::string name = folded_name(column.name);
    const auto found = there.find(name);
    const bool text = found != there.end() && folded_name(found->second) == "text";
    if (text && column.type != ColumnType::text) names.insert(name);
  }
  return names;
}

Result<std::string> upgrade_table(Sqlite& file, const std::string& feed,
                                  const std::vector<TableColumn>& columns,
                                  const UpgradeWatch& watch) {
  CARAVEL_ASSIGN_OR_RETURN(const auto work, SchemaWork::begin(file));
  CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(file));
  // Another process may have been first.
  CARAVEL_ASSIGN_OR_RETURN(const auto old, columns_held_as_text(file, feed, columns));
  if (old.empty()) return "";
  CARAVEL_ASSIGN_OR_RETURN(const bool untyped, untype(file, feed, old));
  if (!untyped) {
    return fmt::format("table {} keeps its numbers as texts: its definition cannot be changed",
                       feed);
  }
  CARAVEL_TRY(rebuild_indexes(file, feed));
  std::vector<TableColumn> changing = columns;
  std::erase_if(changing,
                [&](const TableColumn& column) { return !old.contains(folded_name(column.name)); });
  CARAVEL_ASSIGN_OR_RETURN(const std::uint64_t rows, convert_rows(file, feed, changing, watch));
  CARAVEL_TRY(transaction.commit());
  if (rows == 0) return "";
  return fmt::format(
      "table {} was brought up to date: in its {} rows the numbers of {} columns are "
      "numbers now, where they were texts",
      feed, rows, changing.size());
}

}  // namespace caravel::uploader
