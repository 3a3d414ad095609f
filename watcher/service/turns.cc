#include "watcher/service/turns.h"

#include <algorithm>
#include <utility>

namespace caravel::watcher {

Turns::Turns(const std::vector<FeedConfig>& feeds, std::size_t workers) : workers_(workers) {
  for (const FeedConfig& feed : feeds) {
    feeds_.push_back({.config = &feed, .queue = {}});
    stores_.emplace(feed.store, 0);
  }
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

std::optional<ReadyExtract> Turns::take() {
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const std::size_t place = (next_ + i) % feeds_.size();
    Feed& feed = feeds_[place];
    if (feed.busy || feed.queue.empty() || !has_worker_for(feed.config->store)) continue;
    ReadyExtract extract = std::move(feed.queue.front());
    feed.queue.pop_front();
    feed.busy = true;
    ++busy_;
    ++stores_[feed.config->store];
    next_ = (place + 1) % feeds_.size();
    return extract;
  }
  return std::nullopt;
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
