#include "watcher/service/feed_loader.h"

#include "watcher/service/log.h"

namespace caravel::watcher {

// make_store() asks the store nothing: a feed whose store is down gets its loader all the same.
FeedLoader::FeedLoader(const Service& service, const FeedConfig& feed, Ledger& ledger,
                       std::optional<std::chrono::milliseconds> patience)
    : store_(uploader::make_store(*service.config.find_store(feed.store))),
      tools_{service,  feed,   ledger, *store_, logging_observer(feed.name, feed.store, waits_),
             patience, &needs_} {}

PipelineResult FeedLoader::load(const ReadyExtract& extract) {
  PipelineResult result =
      run_pipeline(tools_, job_of_claim(extract.claim, *extract.root, extract.last_chance));
  if (result.ending == Ending::refused) {
    refused_.insert(extract.claim.id);
  } else {
    refused_.erase(extract.claim.id);
    needs_.forget(extract.claim.id);
  }
  // The store, or the disk, works again. Should it fail later, that is another outage and is said
  // again.
  if (result.ending == Ending::done && refused_.empty()) waits_.clear(kWait);
  return result;
}

}  // namespace caravel::watcher
