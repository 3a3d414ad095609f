// Loads the extracts of one feed that the intake found ready: what `watch` and `sweep` share.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/notices.h"
#include "uploader/store.h"
#include "watcher/config/config.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// Has the feed's store, and tells the log what an extract waits for: once, until one comes
/// through. One thread at a time.
class FeedLoader {
 public:
  /// Both must outlive it. The store is opened when the first extract needs it. `patience` as in
  /// PipelineTools.
  FeedLoader(const Service& service, const FeedConfig& feed,
             std::optional<std::chrono::milliseconds> patience);
  FeedLoader(const FeedLoader&) = delete;  // the observer refers to `waits_`
  FeedLoader& operator=(const FeedLoader&) = delete;

  /// Takes one extract all the way: run_pipeline(). Its end is not logged: log_result(). `ledger`
  /// is that of the calling thread. What is thrown inside (memory that has run out) ends this load
  /// only: the extract is put off, so that it is tried again while others pass.
  [[nodiscard]] PipelineResult load(Ledger& ledger, const ReadyExtract& extract);
  /// The same for several, which are ones of Turns::take(). `loaded` hears of each as soon as it is
  /// through. `wanted` is asked for each that is to be taken alone.
  using Wanted = std::function<bool(const ReadyExtract&)>;
  using Loaded = std::function<void(const ReadyExtract&, const PipelineResult&)>;
  void load(Ledger& ledger, const std::vector<ReadyExtract>& extracts, const Wanted& wanted,
            const Loaded& loaded);

 private:
  [[nodiscard]] PipelineTools tools(Ledger& ledger);
  [[nodiscard]] std::vector<std::optional<PipelineResult>> run_group(
      Ledger& ledger, const std::vector<ReadyExtract>& extracts);
  void note_result(const ReadyExtract& extract, const PipelineResult& result);
  [[nodiscard]] PipelineResult run(Ledger& ledger, const ReadyExtract& extract);

  const Service& service_;
  const FeedConfig& feed_;
  std::optional<std::chrono::milliseconds> patience_;
  Notices waits_;
  // Claims of extracts that the store, or the disk, refused the last time. Each is tried again
  // every few seconds, while others come through: that is one condition, and not a new one at each
  // try.
  std::set<std::string> refused_;
  SpaceNeeds needs_;
  std::unique_ptr<uploader::Store> store_;
  PipelineObserver observer_;
  PutOffRuns put_off_;
};

}  // namespace caravel::watcher
