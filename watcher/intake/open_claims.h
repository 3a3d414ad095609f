// Which claims are not finished, and whether a feed may have more of them.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "watcher/config/config.h"

namespace caravel::watcher {

/// The claims that wait and those that a worker has, counted by feed. A feed may have `max_claims`
/// that can go on: the files of a feed whose store is down stay in the drop directory, and other
/// feeds go on. A claim that waits for something outside (a right, a writer, a manifest, the end of
/// its own trouble) takes no place of those: senders could fill all places with such files.
class OpenClaims {
 public:
  /// So many claims of a feed may wait for something outside: each costs some hundred bytes.
  static constexpr std::size_t kMostResting = 10'000;

  explicit OpenClaims(std::size_t most_of_a_feed, std::size_t most_resting = kMostResting)
      : most_(most_of_a_feed), most_resting_(most_resting) {}

  void open(const std::string& id, const FeedConfig& feed);
  /// False if it was not open.
  bool close(const std::string& id);
  [[nodiscard]] bool contains(const std::string& id) const { return claims_.contains(id); }
  /// It waits for something outside, or does so no longer.
  void set_resting(const std::string& id, bool resting);

  /// Whether one more claim fits beside those that can go on and `more` others.
  [[nodiscard]] bool has_room(const FeedConfig& feed, std::size_t more) const;
  /// Whether one more claim may turn out to wait for something outside.
  [[nodiscard]] bool has_room_to_rest(const FeedConfig& feed, std::size_t more) const;
  /// Whether so many places of the feed are free that a scan for more of its files is worth it.
  [[nodiscard]] bool is_worth_a_scan(const FeedConfig& feed) const;
  /// How many of the feed wait for something outside.
  [[nodiscard]] std::size_t resting(const FeedConfig& feed) const { return count(feed).resting; }

 private:
  struct OneClaim {
    const FeedConfig* feed = nullptr;
    bool resting = false;
  };
  struct Count {
    std::size_t going = 0;
    std::size_t resting = 0;
  };
  [[nodiscard]] Count count(const FeedConfig& feed) const;
  std::size_t& counter(const OneClaim& claim);

  std::size_t most_;
  std::size_t most_resting_;
  std::map<std::string, OneClaim> claims_;  // by claim id
  std::map<const FeedConfig*, Count> counts_;
};

}  // namespace caravel::watcher
