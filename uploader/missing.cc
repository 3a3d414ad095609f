#include "uploader/missing.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

constexpr std::size_t kMostExamples = 3;

struct Asked {
  std::string id;
  std::uint64_t lines = 1;
};

Result<> ask_for_batch(std::vector<Asked>& rows, const AskForIds& ask, Missing& missing) {
  std::sort(rows.begin(), rows.end(), [](const Asked& a, const Asked& b) { return a.id < b.id; });
  const auto same = [](const Asked& a, const Asked& b) { return a.id == b.id; };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
  std::vector<std::string> ids;
  for (Asked& row : rows) ids.push_back(std::move(row.id));
  CARAVEL_ASSIGN_OR_RETURN(const auto there, ask(ids));
  missing.asked += ids.size();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (there[i]) continue;
    ++missing.rows;
    missing.lines += rows[i].lines;
    if (missing.examples.size() < kMostExamples) missing.examples.push_back(ids[i]);
  }
  rows.clear();
  return {};
}

}  // namespace

Result<Missing> ask_for_rows(const std::string& feed, formatter::RowReader rows,
                             std::size_t at_once, const StopSignal& stop, const AskForIds& ask) {
  Missing missing;
  std::vector<Asked> asked;
  formatter::Row row;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const bool more, rows.next(row));
    if (!more) break;
    asked.push_back({fmt::format("{}:{}", feed, row.id_tail), row.lines});
    if (asked.size() < at_once) continue;
    if (stop.requested()) return fail(ErrorKind::stopped, "stopped");
    CARAVEL_TRY(ask_for_batch(asked, ask, missing));
  }
  if (!asked.empty()) CARAVEL_TRY(ask_for_batch(asked, ask, missing));
  return missing;
}

}  // namespace caravel::uploader
