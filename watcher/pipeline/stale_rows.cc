#include "watcher/pipeline/stale_rows.h"

#include <algorithm>
#include <utility>

#include "formatter/rows/row_id.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/manifests.h"

namespace caravel::watcher {
namespace {

using formatter::Hash128;

// Ids of one call. A store may divide them further.
constexpr std::size_t kRemoveAtOnce = 500;

bool less(const Hash128& a, const Hash128& b) {
  return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/// The hashes of all ids that the extract has now, sorted.
Result<std::vector<Hash128>> hashes_of_ids(formatter::RowReader rows) {
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

/// Whether extracts of this content came, or may have come, from several places of their logs: then
/// the rows of all of them name the same extract as their source.
Result<bool> has_several_places(Ledger& ledger, const StaleSearch& search) {
  // Without the place in it, the same line has the same id wherever it was.
  if (!search.by_position) return false;
  return ledger.manifests().has_several_places(search.feed, search.sha256, search.unpacked_sha256,
                                               search.manifests_ignored);
}

/// Removes the rows with these ids, a bounded number in each request or transaction.
Result<std::uint64_t> remove_all(uploader::Store& store, const std::string& feed,
                                 const std::string& extract, std::vector<std::string> ids) {
  std::uint64_t removed = 0;
  while (!ids.empty()) {
    // From the end, so that the ids in front need not move.
    const auto first = ids.end() - static_cast<std::ptrdiff_t>(std::min(kRemoveAtOnce, ids.size()));
    const std::vector<std::string> batch(first, ids.end());
    CARAVEL_ASSIGN_OR_RETURN(auto count, store.remove_rows(feed, extract, batch));
    removed += count;
    ids.erase(first, ids.end());
  }
  return removed;
}

}  // namespace

Result<StaleRows> remove_stale_rows(uploader::Store& store, Ledger& ledger,
                                    const StaleSearch& search, formatter::RowReader yielded) {
  // Hashes of 16 bytes, for millions of rows. Two ids with the same hash would keep a stale row,
  // and never remove one that is none.
  CARAVEL_ASSIGN_OR_RETURN(auto current, hashes_of_ids(std::move(yielded)));
  CARAVEL_ASSIGN_OR_RETURN(auto others,
                           ledger.history().other_row_times(search.feed, search.sha256));
  const auto covered = [&](std::string_view time) {
    // Times are compared as text: YYYYMMDDTHHMMSS sorts as the times do.
    return std::any_of(others.begin(), others.end(), [&](const RowTimes& other) {
      return other.first_time <= time && time <= other.last_time;
    });
  };
  CARAVEL_ASSIGN_OR_RETURN(auto several_places, has_several_places(ledger, search));

  StaleRows stale;
  stale.why_kept = several_places
                       ? "extracts of the same content came from several places of their logs, and "
                         "nothing tells whose rows these are"
                       : "other extracts cover their time";
  std::vector<std::string> doomed;
  const std::string extract = search.sha256.substr(0, 16);  // as rows name it
  CARAVEL_TRY(store.for_each_row_of(search.feed, extract, [&](const uploader::StoredDocument& row) {
    // An id is FEED:TIME:…
    const std::string_view tail = std::string_view(row.id).substr(search.feed.size() + 1);
    const Hash128 hash = formatter::hash_bytes(tail);
    if (std::binary_search(current.begin(), current.end(), hash, less)) return;
    const bool keep = several_places || covered(tail.substr(0, tail.find(':')));
    (keep ? stale.kept : doomed).push_back(row.id);
  }));
  // Only when all rows were visited: a store that walks page by page finds its place again by the
  // last row of a page, which must still be there.
  CARAVEL_ASSIGN_OR_RETURN(stale.removed,
                           remove_all(store, search.feed, extract, std::move(doomed)));
  return stale;
}

}  // namespace caravel::watcher
