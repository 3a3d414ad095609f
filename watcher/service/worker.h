// One thread a feed, for `watch`: a dead store, or a file of a million lines, holds up no other
// feed; an extract that the store refuses holds up no other extract.
//
//   loop of watch ── add() ──> queue ──> FeedLoader::load() ── on_finished() ──> loop of watch
//                                ^             │
//                                └── refused <─┘    (one of them is tried again every 15 s)
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/service/feed_loader.h"

namespace caravel::watcher {

/// Takes the extracts of one feed through the pipeline, one after the other, in the order in which
/// they were added.
class Worker {
 public:
  /// An extract is through, or was left where it is. Called in the worker's thread.
  using OnFinished = std::function<void(const ReadyExtract&, const PipelineResult&)>;

  /// Opens a ledger connection and a store of its own. `service` and `feed` must outlive it.
  static Result<std::unique_ptr<Worker>> start(const Service& service, const FeedConfig& feed,
                                               OnFinished on_finished);
  /// Waits for the thread: request Service::stop first, or this waits for ever.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void add(ReadyExtract extract);

 private:
  Worker(const Service& service, const FeedConfig& feed, Ledger ledger, OnFinished on_finished);
  void loop();
  struct Next {
    ReadyExtract extract;
    bool refused_before = false;
  };
  /// The next extract to load, once there is one; nothing when the service stops.
  std::optional<Next> next();

  const Service& service_;
  const FeedConfig& feed_;
  Ledger ledger_;
  FeedLoader loader_;
  OnFinished on_finished_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ReadyExtract> queue_;
  // The rest is the thread's own.
  std::deque<ReadyExtract> refused_;  // by the store
  std::chrono::steady_clock::time_point next_refused_{};
  std::thread thread_;  // the last: it uses all of the above
};

}  // namespace caravel::watcher
