// Loads the extracts of one feed that the intake found ready: what `watch` and `sweep` share.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "uploader/store.h"
#include "watcher/intake/intake.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// Has the feed's store, and tells the log what an extract waits for. One thread.
class FeedLoader {
 public:
  /// All must outlive it. The store is opened when the first extract needs it. `patience` as in
  /// PipelineTools.
  FeedLoader(const Service& service, const FeedConfig& feed, Ledger& ledger,
             std::optional<std::chrono::milliseconds> patience);

  /// Takes one extract all the way: run_pipeline(). Its end is not logged: log_result().
  [[nodiscard]] PipelineResult load(const ReadyExtract& extract) const;

 private:
  std::unique_ptr<uploader::Store> store_;
  PipelineTools tools_;
};

}  // namespace caravel::watcher
