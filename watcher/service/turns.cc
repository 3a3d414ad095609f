#include "watcher/service/turns.h"

#include <algorithm>
#include <utility>

#include "watcher/pipeline/group/run_together.h"

namespace caravel::watcher {

namespace {

/// Nothing of its past hinders it from being one of many.
bool may_be_one_of_many(const ReadyExtract& extract) {
  return extract.is_new && !extract.last_chance && extract.bytes <= kMostBytesOfOne;
}

/// The first, and those behind it as far as they go together.
std::vector<ReadyExtract> take_group(std::deque<ReadyExtract>& queue, std::size_t most) {
  std::vector<ReadyExtract> group;
  std::uint64_t bytes = 0;
  do {
    bytes += queue.front().bytes;
    group.push_back(std::move(queue.front()));
    queue.pop_front();
  } while (may_be_one_of_many(group.front()) && !queue.empty() &&
           may_be_one_of_many(queue.front()) && queue.front().root == group.front().root &&
           group.size() < most && bytes + queue.front().bytes <= kMostBytesTogether);
  return group;
}

}  // namespace

Turns::Turns(const std::vector<FeedConfig>& feeds, std::size_t workers, const Groups& groups)
    : workers_(workers) {
  for (const FeedConfig& feed : feeds) {
    feeds_.push_back({.config = &feed, .groups = groups && groups(feed), .queue = {}});
    stores_.emplace(feed.store, 0);
  }
}

Turns::Groups groups_of(const Config& config) {
  return [&config](const FeedConfig& feed) { return config.find_store(feed.store)->takes_groups; };
}

Turns::Feed& Turns::find(const FeedConfig* feed) {
  return *std::find_if(feeds_.begin(), feeds_.end(),
                       [&](const Feed& one) { return one.config == feed; });
}

void Turns::add(ReadyExtract extract) {
  Feed& feed = find(extract.feed);
  feed.queue.push_back(std::move(extract));
}

bool Turns::has_worker_for(const std::string& store) const {
  if (busy_ >= workers_) return false;
  if (workers_ < stores_.size()) return true;
  const auto without = std::count_if(stores_.begin(), stores_.end(), [&](const auto& one) {
    return one.second == 0 && one.first != store;
  });
  return workers_ - busy_ > static_cast<std::size_t>(without);
}

std::vector<ReadyExtract> Turns::take() {
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const std::size_t place = (next_ + i) % feeds_.size();
    Feed& feed = feeds_[place];
    if (feed.busy || feed.queue.empty() || !has_worker_for(feed.config->store)) continue;
    std::vector<ReadyExtract> taken = take_group(feed.queue, feed.groups ? kMostTogether : 1);
    feed.busy = true;
    ++busy_;
    ++stores_[feed.config->store];
    next_ = (place + 1) % feeds_.size();
    return taken;
  }
  return {};
}

void Turns::give_back(const FeedConfig* feed) {
  find(feed).busy = false;
  --busy_;
  --stores_[feed->store];
}

std::size_t Turns::waiting_feeds() const {
  return static_cast<std::size_t>(std::count_if(feeds_.begin(), feeds_.end(), [](const Feed& feed) {
    return !feed.busy && !feed.queue.empty();
  }));
}

}  // namespace caravel::watcher
