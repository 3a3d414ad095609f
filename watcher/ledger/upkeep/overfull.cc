#include "watcher/ledger/upkeep/overfull.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "base/units.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

/// What keeps files in a folder beyond its bound, and what lets them go.
std::string_view remedy_for(std::string_view folder) {
  if (folder == "failed") return "failures are removed once they are settled (caravel retry, ack)";
  if (folder == "rejects") return "rejects are removed once they are settled (caravel retry, ack)";
  if (folder == "csv") return "the CSVs of extracts that are on their way stay";
  return "originals that rejects are kept in by their place stay (caravel retry, ack)";
}

}  // namespace

std::string OverfullFolder::text(std::string_view spool) const {
  return fmt::format("{}/{} holds {} though max_{}_size is {}: {}", spool, folder,
                     size_for_people(bytes), folder, size_for_people(most), remedy_for(folder));
}

Result<std::vector<OverfullFolder>> Overfull::replace(const std::string& spool,
                                                      const std::vector<OverfullFolder>& folders,
                                                      Time now) {
  return in_context("overfull", [&]() -> Result<std::vector<OverfullFolder>> {
    CARAVEL_ASSIGN_OR_RETURN(const auto before, all());
    const auto was = [&](const OverfullFolder& folder) {
      return std::ranges::find_if(before, [&](const OverfullRecord& record) {
        return record.spool == spool && record.folder.folder == folder.folder;
      });
    };
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    for (const OverfullRecord& record : before) {
      const bool lasts = std::ranges::any_of(folders, [&](const OverfullFolder& folder) {
        return folder.folder == record.folder.folder;
      });
      if (record.spool != spool || lasts) continue;
      CARAVEL_TRY(database_.run("DELETE FROM overfull WHERE spool = ? AND folder = ?", spool,
                                record.folder.folder));
    }
    std::vector<OverfullFolder> news;
    for (const OverfullFolder& folder : folders) {
      if (was(folder) == before.end()) news.push_back(folder);
      CARAVEL_TRY(database_.run(
          "INSERT INTO overfull (spool, folder, bytes, most, since) VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT (spool, folder) DO UPDATE SET bytes = excluded.bytes, most = excluded.most",
          spool, folder.folder, folder.bytes, folder.most, time_text(now)));
    }
    CARAVEL_TRY(transaction.commit());
    return news;
  });
}

Result<std::vector<OverfullRecord>> Overfull::all() {
  return in_context("overfull", [&]() -> Result<std::vector<OverfullRecord>> {
    std::vector<OverfullRecord> out;
    CARAVEL_TRY(database_.each(
        "SELECT spool, folder, bytes, most, since FROM overfull ORDER BY spool, folder",
        [&](const Statement& row) {
          out.push_back({row.text(0), {row.text(1), row.count(2), row.count(3)}, time_at(row, 4)});
        }));
    return out;
  });
}

}  // namespace caravel::watcher
