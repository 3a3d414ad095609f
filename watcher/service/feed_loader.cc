#include "watcher/service/feed_loader.h"

#include "base/ending/last_words.h"
#include "watcher/ledger/extracts.h"
#include "watcher/service/log.h"

namespace caravel::watcher {

// make_store() asks the store nothing: a feed whose store is down gets its loader all the same.
FeedLoader::FeedLoader(const Service& service, const FeedConfig& feed,
                       std::optional<std::chrono::milliseconds> patience)
    : service_(service),
      feed_(feed),
      patience_(patience),
      store_(uploader::make_store(*service.config.find_store(feed.store))),
      observer_(logging_observer(feed.name, feed.store, waits_)) {}

PipelineResult FeedLoader::run(Ledger& ledger, const ReadyExtract& extract) {
  try {
    return run_pipeline(
        {service_, feed_, ledger, *store_, observer_, patience_, &needs_, &put_off_},
        job_of_claim(extract.claim, *extract.root, extract.last_chance));
  } catch (...) {
    // All that the load had was given back on the way here; a transaction was rolled back. So this
    // is trouble of this extract alone, and one that needs too much memory does not end the loading
    // of all others.
    char words[kMostLastWords];
    PipelineResult result;
    result.ending = Ending::put_off;
    result.message = words_of_exception(words, sizeof words);
    // Only for `status`: if the ledger cannot be written, the log still says why.
    const Time now = std::chrono::system_clock::now();
    (void)ledger.extracts().set_waiting(extract.claim.id, result.message, std::nullopt, now);
    return result;
  }
}

PipelineResult FeedLoader::load(Ledger& ledger, const ReadyExtract& extract) {
  PipelineResult result = run(ledger, extract);
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
