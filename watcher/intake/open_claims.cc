#include "watcher/intake/open_claims.h"

namespace caravel::watcher {

void OpenClaims::open(const std::string& id, const FeedConfig& feed) {
  if (feeds_.emplace(id, &feed).second) ++counts_[&feed];
}

bool OpenClaims::close(const std::string& id) {
  const auto claim = feeds_.find(id);
  if (claim == feeds_.end()) return false;
  --counts_[claim->second];
  feeds_.erase(claim);
  return true;
}

bool OpenClaims::has_room(const FeedConfig& feed, std::size_t more) const {
  return count(feed) + more < most_;
}

bool OpenClaims::is_worth_a_scan(const FeedConfig& feed, std::size_t stuck) const {
  // The claims that are not stuck share the places that the stuck ones leave. A scan for each place
  // that becomes free would look at the whole drop directory for every single extract; a scan for
  // half of them keeps the workers busy as well.
  const std::size_t moving = count(feed) - stuck;
  return has_room(feed, 0) && moving <= (most_ - stuck) / 2;
}

std::size_t OpenClaims::count(const FeedConfig& feed) const {
  const auto counted = counts_.find(&feed);
  return counted == counts_.end() ? 0 : counted->second;
}

}  // namespace caravel::watcher
