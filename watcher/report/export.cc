#include "watcher/report/export.h"

#include <nlohmann/json.hpp>

#include "base/sqlite/sqlite.h"

namespace caravel::watcher {

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
