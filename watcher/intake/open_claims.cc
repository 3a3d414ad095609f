#include "watcher/intake/open_claims.h"

namespace caravel::watcher {

void OpenClaims::open(const std::string& id, const FeedConfig& feed) {
  const auto [claim, is_new] = claims_.emplace(id, OneClaim{&feed, false});
  if (is_new) ++counter(claim->second);
}

bool OpenClaims::close(const std::string& id) {
  const auto claim = claims_.find(id);
  if (claim == claims_.end()) return false;
  --counter(claim->second);
  claims_.erase(claim);
  return true;
}

void OpenClaims::set_resting(const std::string& id, bool resting) {
  const auto claim = claims_.find(id);
  if (claim == claims_.end()) return;
  --counter(claim->second);
  claim->second.resting = resting;
  ++counter(claim->second);
}

bool OpenClaims::has_room(const FeedConfig& feed, std::size_t more) const {
  return count(feed).going + more < most_;
}

bool OpenClaims::has_room_to_rest(const FeedConfig& feed, std::size_t more) const {
  return count(feed).resting + more < most_resting_;
}

bool OpenClaims::is_worth_a_scan(const FeedConfig& feed) const {
  // A scan for each place that becomes free would look at the whole drop directory for every single
  // extract; a scan for half of them keeps the workers busy as well.
  return has_room(feed, 0) && count(feed).going <= most_ / 2;
}

OpenClaims::Count OpenClaims::count(const FeedConfig& feed) const {
  const auto counted = counts_.find(&feed);
  return counted == counts_.end() ? Count{} : counted->second;
}

std::size_t& OpenClaims::counter(const OneClaim& claim) {
  Count& count = counts_[claim.feed];
  return claim.resting ? count.resting : count.going;
}

}  // namespace caravel::watcher
