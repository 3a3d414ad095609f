#include "watcher/pipeline/stale_rows.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file.h"
#include "formatter/rows/row_id.h"
#include "formatter/rows/sidecar.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"

namespace caravel::watcher {
namespace {

using formatter::Hash128;

constexpr std::size_t kRemoveAtOnce = 500;

bool less(const Hash128& a, const Hash128& b) {
  return a.high != b.high ? a.high < b.high : a.low < b.low;
}

Result<std::vector<Hash128>> yielded_ids(const std::string& sidecar_path,
                                         const std::string& csv_path) {
  CARAVEL_ASSIGN_OR_RETURN(auto csv, open_file(csv_path, O_RDONLY));
  CARAVEL_ASSIGN_OR_RETURN(auto sidecar, open_file(sidecar_path, O_RDONLY));
  CARAVEL_ASSIGN_OR_RETURN(auto rows,
                           formatter::RowReader::open(std::move(csv), std::move(sidecar)));
  std::vector<Hash128> ids;
  formatter::Row row;
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto more, rows.next(row));
    if (!more) break;
    ids.push_back(formatter::hash_bytes(row.id_tail));
  }
  std::sort(ids.begin(), ids.end(), less);
  return ids;
}

}  // namespace

Result<StaleRows> remove_stale_rows(uploader::Store& store, Ledger& ledger, const std::string& feed,
                                    const std::string& sha256, const std::string& unpacked_sha256,
                                    const std::string& sidecar_path, const std::string& csv_path,
                                    const IdentityRules& rules) {
  CARAVEL_ASSIGN_OR_RETURN(auto yielded, yielded_ids(sidecar_path, csv_path));
  CARAVEL_ASSIGN_OR_RETURN(auto others, ledger.history().other_row_times(feed, sha256));
  const auto covered = [&](std::string_view time) {
    return std::any_of(others.begin(), others.end(), [&](const RowTimes& other) {
      return other.first_time <= time && time <= other.last_time;
    });
  };

  Result<bool> several_places = false;
  if (rules.by_position) {
    several_places = ledger.manifests().has_several_places(feed, sha256, unpacked_sha256,
                                                           rules.manifests_ignored);
  }
  if (!several_places) return tl::unexpected(several_places.error());

  StaleRows stale;
  stale.why_kept = *several_places
                       ? "extracts of the same content came from several places of their logs, and "
                         "nothing tells whose rows these are"
                       : "other extracts cover their time";
  std::vector<std::string> doomed;
  const std::string extract = sha256.substr(0, 16);
  CARAVEL_TRY(store.for_each_row_of(feed, extract, [&](const uploader::StoredDocument& row) {
    const std::string_view tail = std::string_view(row.id).substr(feed.size() + 1);
    if (std::binary_search(yielded.begin(), yielded.end(), formatter::hash_bytes(tail), less)) {
      return;
    }
    const bool keep = *several_places || covered(tail.substr(0, tail.find(':')));
    (keep ? stale.kept : doomed).push_back(row.id);
  }));
  for (std::size_t at = 0; at < doomed.size(); at += kRemoveAtOnce) {
    const std::vector<std::string> some(
        doomed.begin() + static_cast<std::ptrdiff_t>(at),
        doomed.begin() + static_cast<std::ptrdiff_t>(std::min(at + kRemoveAtOnce, doomed.size())));
    CARAVEL_ASSIGN_OR_RETURN(auto removed, store.remove_rows(feed, extract, some));
    stale.removed += removed;
  }
  return stale;
}

}  // namespace caravel::watcher
