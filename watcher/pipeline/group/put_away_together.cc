#include "watcher/pipeline/group/put_away_together.h"

#include "watcher/files/directory.h"
#include "watcher/ledger/extracts.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/mover.h"

namespace caravel::watcher {

/// Midnight comes within a group too: then both days are synced.
Result<> PutAwayTogether::open_day(std::chrono::year_month_day day) {
  if (directory_ && day == day_) return {};
  if (directory_) CARAVEL_TRY(sync_fd(directory_.get(), "done/"));
  CARAVEL_ASSIGN_OR_RETURN(directory_, make_day(spool_.done_fd(), day));
  day_ = day;
  return {};
}

Result<> PutAwayTogether::add(const ClaimRoot& root, const Claim& claim, std::string_view sha256,
                              Time done_at) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(done_at));
  CARAVEL_TRY(open_day(day));
  Mover mover(root, claim, spool_.done_fd(), spool_.room(), Mover::Sync::later);
  const auto moved = move_to_day(mover, claim, sha256, directory_.get());
  if (!moved && moved.error().system == ENOENT) {
    // Whoever tidies found the day empty, and removed it, just now.
    directory_.reset();
    CARAVEL_TRY(open_day(day));
    CARAVEL_ASSIGN_OR_RETURN(auto again, move_to_day(mover, claim, sha256, directory_.get()));
    if (again) paths_.emplace_back(claim.id, spool_.absolute(done_directory(day) + "/" + *again));
    return {};
  }
  if (!moved) return tl::unexpected(moved.error());
  if (*moved) paths_.emplace_back(claim.id, spool_.absolute(done_directory(day) + "/" + **moved));
  return {};
}

Result<> PutAwayTogether::finish() {
  if (paths_.empty()) return {};
  CARAVEL_TRY(sync_fd(directory_.get(), "done/"));
  return ledger_.extracts().set_done_paths(paths_);
}

}  // namespace caravel::watcher
