#include "uploader/missing.h"

#include <algorithm>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

constexpr std::size_t kMostExamples = 3;

Result<> ask_for_batch(std::vector<std::string>& ids, const AskForIds& ask, Missing& missing) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  CARAVEL_ASSIGN_OR_RETURN(const auto there, ask(ids));
  missing.asked += ids.size();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (there[i]) continue;
    ++missing.rows;
    if (missing.examples.size() < kMostExamples) missing.examples.push_back(ids[i]);
  }
  ids.clear();
  return {};
}

}  // namespace

Result<Missing> ask_for_rows(const std::string& feed, formatter::RowReader rows,
                             std::size_t at_once, const StopSignal& stop, const AskForIds& ask) {
  Missing missing;
  std::vector<std::string> ids;
  formatter::Row row;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(const bool more, rows.next(row));
    if (!more) break;
    ids.push_back(fmt::format("{}:{}", feed, row.id_tail));
    if (ids.size() < at_once) continue;
    if (stop.requested()) return fail(ErrorKind::stopped, "stopped");
    CARAVEL_TRY(ask_for_batch(ids, ask, missing));
  }
  if (!ids.empty()) CARAVEL_TRY(ask_for_batch(ids, ask, missing));
  return missing;
}

}  // namespace caravel::uploader
