#include "uploader/sqlite/rows/rows_table.h"

#include <sqlite3.h>

#include <new>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

/// Of bind_source(): whoever asks for another type gets no pointer (sqlite.org/bindptr.html).
constexpr const char* kPointerType = "caravel-rows";
/// Column 0 of the table, which is hidden, takes the pointer; those of the rows stand behind it.
constexpr int kSourceColumn = 0;

/// The library finds its own parts of both structs at their beginning.
struct Cursor : sqlite3_vtab_cursor {
  RowSource* source = nullptr;
  bool at_row = false;
  sqlite3_int64 rows = 0;
};

Cursor& of(sqlite3_vtab_cursor* cursor) { return *static_cast<Cursor*>(cursor); }

int connect(sqlite3* database, void*, int, const char* const*, sqlite3_vtab** table, char**) {
  // A negative value leaves the limit as it is (sqlite.org/c3ref/limit.html).
  const int most = sqlite3_limit(database, SQLITE_LIMIT_COLUMN, -1);
  std::string definition = "CREATE TABLE rows (source HIDDEN";
  for (int i = 0; i + 1 < most; ++i) definition += fmt::format(", c{}", i);
  definition += ")";
  // No view and no trigger of the file may read it.
  int code = sqlite3_vtab_config(database, SQLITE_VTAB_DIRECTONLY);
  if (code == SQLITE_OK) code = sqlite3_declare_vtab(database, definition.c_str());
  if (code != SQLITE_OK) return code;
  *table = new (std::nothrow) sqlite3_vtab{};
  return *table != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

int disconnect(sqlite3_vtab* table) {
  delete table;
  return SQLITE_OK;
}

/// There is one way to read it: all of the rows of its source, in their order.
int choose_plan(sqlite3_vtab*, sqlite3_index_info* info) {
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const bool is_source =
        constraint.iColumn == kSourceColumn && constraint.op == SQLITE_INDEX_CONSTRAINT_EQ;
    if (!is_source || constraint.usable == 0) continue;
    info->aConstraintUsage[i].argvIndex = 1;
    info->aConstraintUsage[i].omit = 1;
    info->estimatedCost = 1;
    return SQLITE_OK;
  }
  return SQLITE_CONSTRAINT;
}

int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  *cursor = new (std::nothrow) Cursor;
  return *cursor != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete &of(cursor);
  return SQLITE_OK;
}

int move_on(sqlite3_vtab_cursor* any) {
  Cursor& cursor = of(any);
  const RowSource::Step step = cursor.source->next();
  cursor.at_row = step == RowSource::Step::row;
  ++cursor.rows;
  return step == RowSource::Step::stopped ? SQLITE_INTERRUPT : SQLITE_OK;
}

int begin(sqlite3_vtab_cursor* any, int, const char*, int, sqlite3_value** values) {
  Cursor& cursor = of(any);
  cursor.source = static_cast<RowSource*>(sqlite3_value_pointer(values[0], kPointerType));
  if (cursor.source == nullptr) return SQLITE_MISUSE;
  cursor.source->rewind();
  return move_on(any);
}

int is_behind_end(sqlite3_vtab_cursor* cursor) { return of(cursor).at_row ? 0 : 1; }

int give(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  if (column == kSourceColumn) return SQLITE_OK;
  ValueTaker taker(context);
  of(cursor).source->give_value(column - 1, taker);
  return SQLITE_OK;
}

int give_number(sqlite3_vtab_cursor* cursor, sqlite3_int64* row) {
  *row = of(cursor).rows;
  return SQLITE_OK;
}

/// Without xCreate and xDestroy the table is there for whoever names it, and in no file
/// (sqlite.org/vtab.html, "Eponymous-only virtual tables").
sqlite3_module make_module() {
  sqlite3_module module{};
  module.xConnect = connect;
  module.xBestIndex = choose_plan;
  module.xDisconnect = disconnect;
  module.xOpen = open_cursor;
  module.xClose = close_cursor;
  module.xFilter = begin;
  module.xNext = move_on;
  module.xEof = is_behind_end;
  module.xColumn = give;
  module.xRowid = give_number;
  return module;
}

std::string_view text_of(sqlite3_value* value) {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::uint64_t number_of(sqlite3_value* value) {
  return static_cast<std::uint64_t>(sqlite3_value_int64(value));
}

constexpr int kTakenArguments = 7;
void tell_taken(sqlite3_context* context, int, sqlite3_value** values) {
  auto* const source = static_cast<RowSource*>(sqlite3_value_pointer(values[0], kPointerType));
  if (source != nullptr) {
    source->taken({text_of(values[1]),
                   number_of(values[2]),
                   text_of(values[3]),
                   {text_of(values[4]), number_of(values[5]), text_of(values[6])}});
  }
  sqlite3_result_int(context, 0);
}

}  // namespace

void ValueTaker::lend_text(std::string_view text) {
  sqlite3_result_text64(context_, text.data() != nullptr ? text.data() : "", text.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
}

void ValueTaker::copy_text(std::string_view text) {
  sqlite3_result_text64(context_, text.data() != nullptr ? text.data() : "", text.size(),
                        SQLITE_TRANSIENT, SQLITE_UTF8);
}

void ValueTaker::lend_text_or_null(std::string_view text) {
  if (!text.empty()) lend_text(text);
}

void ValueTaker::take(std::int64_t value) { sqlite3_result_int64(context_, value); }

void ValueTaker::take(double value) { sqlite3_result_double(context_, value); }

Result<> declare_rows_table(Sqlite& file) {
  CARAVEL_TRY(file.extend([](sqlite3* database) {
    static const sqlite3_module module = make_module();
    return sqlite3_create_module(database, kRowsTable, &module, nullptr);
  }));
  return file.extend([](sqlite3* database) {
    return sqlite3_create_function(database, kTakenFunction, kTakenArguments,
                                   SQLITE_UTF8 | SQLITE_DIRECTONLY, nullptr, tell_taken, nullptr,
                                   nullptr);
  });
}

void bind_source(Statement& statement, RowSource& source) {
  statement.bind_pointer(&source, kPointerType);
}

}  // namespace caravel::uploader
