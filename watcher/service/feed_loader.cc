#include "watcher/service/feed_loader.h"

#include "base/ending/last_words.h"
#include "watcher/ledger/extracts.h"
#include "watcher/pipeline/group/run_together.h"
#include "watcher/service/log.h"

namespace caravel::watcher {
namespace {

ExtractJob job_of(const ReadyExtract& extract) {
  return job_of_claim(extract.claim, *extract.root, extract.last_chance, extract.is_new);
}

}  // namespace

// make_store() asks the store nothing: a feed whose store is down gets its loader all the same.
FeedLoader::FeedLoader(const Service& service, const FeedConfig& feed,
                       std::optional<std::chrono::milliseconds> patience)
    : service_(service),
      feed_(feed),
      patience_(patience),
      store_(uploader::make_store(*service.config.find_store(feed.store))),
      observer_(logging_observer(feed.name, feed.store, waits_)) {}

PipelineTools FeedLoader::tools(Ledger& ledger) {
  return {service_, feed_, ledger, *store_, observer_, patience_, &needs_, &put_off_};
}

PipelineResult FeedLoader::run(Ledger& ledger, const ReadyExtract& extract) {
  try {
    return run_pipeline(tools(ledger), job_of(extract));
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

std::vector<std::optional<PipelineResult>> FeedLoader::run_group(
    Ledger& ledger, const std::vector<ReadyExtract>& extracts) {
  std::vector<std::optional<PipelineResult>> results(extracts.size());
  if (extracts.size() < 2 || store_->begin_group() == nullptr) return results;
  std::vector<ExtractJob> jobs;
  for (const ReadyExtract& extract : extracts) jobs.push_back(job_of(extract));
  try {
    run_together(tools(ledger), jobs, results);
  } catch (...) {
    // Memory has run out, say. Each is taken alone now, and whoever has the trouble has it there.
    return results;
  }
  return results;
}

void FeedLoader::load(Ledger& ledger, const std::vector<ReadyExtract>& extracts,
                      const Wanted& wanted, const Loaded& loaded) {
  // A store whose file is not there yet is made with the first; one that is held up holds all up.
  const bool first_alone = extracts.size() > 1 && store_->begin_group() == nullptr;
  if (first_alone && wanted(extracts[0])) loaded(extracts[0], load(ledger, extracts[0]));
  const std::vector<ReadyExtract> others(extracts.begin() + (first_alone ? 1 : 0), extracts.end());
  const auto results = run_group(ledger, others);
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (!results[i]) continue;
    note_result(others[i], *results[i]);
    loaded(others[i], *results[i]);
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (results[i] || !wanted(others[i])) continue;
    ReadyExtract alone = others[i];
    // The group may have left something of it behind.
    alone.is_new = alone.is_new && others.size() == 1;
    loaded(others[i], load(ledger, alone));
  }
}

PipelineResult FeedLoader::load(Ledger& ledger, const ReadyExtract& extract) {
  PipelineResult result = run(ledger, extract);
  note_result(extract, result);
  return result;
}

void FeedLoader::note_result(const ReadyExtract& extract, const PipelineResult& result) {
  if (result.ending == Ending::refused) {
    refused_.insert(extract.claim.id);
  } else {
    refused_.erase(extract.claim.id);
    needs_.forget(extract.claim.id);
  }
  // The store, or the disk, works again. Should it fail later, that is another outage and is said
  // again.
  if (result.ending == Ending::done && refused_.empty()) waits_.clear(kWait);
}

}  // namespace caravel::watcher
