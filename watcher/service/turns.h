// Which extract a free worker loads next: feeds take turns, and each store keeps a worker.
//
//   add() ──> a queue a feed ──> turns of feeds ──> take(): its feed is busy until give_back()
//
// What could not be loaded and is tried again later goes back to the intake, not to its queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "watcher/config/config.h"
#include "watcher/intake/ready_extract.h"

namespace caravel::watcher {

/// The order in which extracts of all feeds are loaded by a few workers. Values in, values out: no
/// thread, no clock.
///
/// - A feed has one extract in work at a time, or a group of small ones that have waited for their
///   turn behind each other (run_together()); and its extracts keep their order.
/// - Feeds take turns: a feed with a thousand extracts goes behind the others after each.
/// - A worker stays free for each store that none works for: a store that does not answer keeps its
///   feeds' workers for as long as it is down, and may not keep them all. (With fewer workers than
///   stores that cannot be promised; the first that come are served.)
class Turns {
 public:
  /// Whether the extracts of a feed can be loaded together.
  using Groups = std::function<bool(const FeedConfig&)>;

  /// `feeds` must outlive it. `workers`: how many feeds may have extracts in work at a time.
  /// `groups` empty: none of them can.
  Turns(const std::vector<FeedConfig>& feeds, std::size_t workers, const Groups& groups = {});

  void add(ReadyExtract extract);

  /// The extract whose turn it is, with those behind it that it may be loaded together with; none
  /// if none may be loaded now.
  [[nodiscard]] std::vector<ReadyExtract> take();

  /// What take() gave out is through, or was left.
  void give_back(const FeedConfig* feed);

  /// Of how many feeds an extract waits for its turn.
  [[nodiscard]] std::size_t waiting_feeds() const;

  /// Another number of workers, because no more can be started.
  void set_workers(std::size_t workers) { workers_ = workers; }

 private:
  struct Feed {
    const FeedConfig* config;
    bool groups = false;
    std::deque<ReadyExtract> queue;
    bool busy = false;
  };

  [[nodiscard]] Feed& find(const FeedConfig* feed);
  /// Whether a worker may begin for the store: the others keep theirs.
  [[nodiscard]] bool has_worker_for(const std::string& store) const;

  std::vector<Feed> feeds_;
  std::size_t next_ = 0;                       // the feed whose turn is next
  std::map<std::string, std::size_t> stores_;  // store -> how many workers work for it
  std::size_t workers_;
  std::size_t busy_ = 0;
};

/// As the stores of the configuration can, which outlives the result.
[[nodiscard]] Turns::Groups groups_of(const Config& config);

}  // namespace caravel::watcher
