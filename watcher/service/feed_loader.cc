#include "watcher/service/feed_loader.h"

#include "watcher/service/log.h"

namespace caravel::watcher {

FeedLoader::FeedLoader(const Service& service, const FeedConfig& feed, Ledger& ledger,
                       std::optional<std::chrono::milliseconds> patience)
    : store_(uploader::make_store(*service.config.find_store(feed.store))),
      tools_{service, feed, ledger, *store_, logging_observer(feed.name, feed.store), patience} {}

PipelineResult FeedLoader::load(const ReadyExtract& extract) const {
  return run_pipeline(tools_, job_of_claim(extract.claim, *extract.root, extract.last_chance));
}

}  // namespace caravel::watcher
