// Which claims are not finished, and whether a feed may have more of them.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "watcher/config/config.h"

namespace caravel::watcher {

/// The claims that wait and those that a worker has, counted by feed. A feed may have `max_claims`
/// of them: the files of a feed whose store is down stay in the drop directory, and other feeds go
/// on.
class OpenClaims {
 public:
  explicit OpenClaims(std::size_t most_of_a_feed) : most_(most_of_a_feed) {}

  void open(const std::string& id, const FeedConfig& feed);
  /// False if it was not open.
  bool close(const std::string& id);
  [[nodiscard]] bool contains(const std::string& id) const { return feeds_.contains(id); }

  /// Whether one more claim fits beside those that are open and `more` others.
  [[nodiscard]] bool has_room(const FeedConfig& feed, std::size_t more) const;
  /// Whether so many places of the feed are free that a scan for more of its files is worth it.
  /// `stuck` of its claims wait for something outside, and may do so for ever.
  [[nodiscard]] bool is_worth_a_scan(const FeedConfig& feed, std::size_t stuck) const;

 private:
  [[nodiscard]] std::size_t count(const FeedConfig& feed) const;

  std::size_t most_;
  std::map<std::string, const FeedConfig*> feeds_;  // by claim id
  std::map<const FeedConfig*, std::size_t> counts_;
};

}  // namespace caravel::watcher
