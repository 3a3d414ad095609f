#include "watcher/report/export.h"

#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/sqlite/sqlite.h"
#include "formatter/rows/csv.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

/// Three tables with the same columns.
constexpr std::string_view kAllAsCsv =
    "SELECT 'extract' AS kind, feed, name, origin, state, settled, claimed_at, done_at, "
    "1 AS extracts, size AS bytes, lines, rows, stored, already_there, dropped, rejected, failed, "
    "differs, replaced, format, sha256, store, path, why, settled_why FROM extracts "
    "UNION ALL SELECT 'day', feed, '', '', '', '', NULL, day, done + not_done, bytes, lines, rows, "
    "stored, already_there, dropped, rejected, failed, differs, replaced, '', '', '', '', '', '' "
    "FROM daily "
    "UNION ALL SELECT 'remembered', feed, name, origin, state, settled, claimed_at, done_at, 1, "
    "size, lines, rows, stored, already_there, dropped, rejected, failed, differs, replaced, "
    "format, sha256, store, done_path, why, '' FROM remembered";

std::string csv_record(const std::vector<std::string>& values) {
  std::string line;
  formatter::append_csv_record({values.begin(), values.end()}, line);
  return line + "\n";
}

}  // namespace

Result<> export_csv(Ledger& ledger, const std::function<void(const std::string& line)>& write) {
  return in_context("export", [&]() -> Result<> {
    CARAVEL_ASSIGN_OR_RETURN(auto rows, ledger.database().prepare(kAllAsCsv));
    std::vector<std::string> values(static_cast<std::size_t>(rows.columns()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = rows.column_name(static_cast<int>(i));
    }
    write(csv_record(values));
    for (;;) {
      CARAVEL_ASSIGN_OR_RETURN(const bool more, rows.step());
      if (!more) return {};
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = rows.text(static_cast<int>(i));
      write(csv_record(values));
    }
  });
}

Result<> export_rows(Ledger& ledger, const std::function<void(const std::string& line)>& write) {
  return ledger.for_each_row([&](std::string_view table, const Statement& row) {
    nlohmann::ordered_json line = {{"table", table}};
    for (int i = 0; i < row.columns(); ++i) {
      const std::string name(row.column_name(i));
      if (row.is_null(i)) {
        line[name] = nullptr;
      } else if (row.is_integer(i)) {
        line[name] = row.integer(i);
      } else {
        line[name] = row.text(i);
      }
    }
    write(line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  });
}

}  // namespace caravel::watcher
