// One thread a feed: a dead store, or a file of a million lines, holds up no other feed; an extract
// that the store refuses holds up no other extract.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/stop_signal.h"
#include "watcher/intake/intake.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// What all workers and commands share; must outlive them.
struct Service {
  const Config& config;
  const formatter::FormatSet& formats;
  const Spool& spool;
  StopSignal& stop;
  Origin origin = Origin::drop;
};

/// Takes the extracts of one feed through the pipeline, one after the other, in the order in which
/// they were added.
class Worker {
 public:
  /// Opens a ledger connection and a store of its own. `on_finished` is called in the worker's
  /// thread.
  static Result<std::unique_ptr<Worker>> start(
      const Service& service, const FeedConfig& feed,
      std::function<void(const ReadyExtract&, const PipelineResult&)> on_finished);
  /// Waits for the thread: call Service::stop first.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void add(ReadyExtract extract);
  /// Wakes the thread to see that the service stops.
  void wake();

 private:
  Worker(const Service& service, const FeedConfig& feed, Ledger ledger,
         std::function<void(const ReadyExtract&, const PipelineResult&)> on_finished);
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
  const uploader::StoreConfig& store_config_;
  std::unique_ptr<uploader::Store> store_;
  std::function<void(const ReadyExtract&, const PipelineResult&)> on_finished_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ReadyExtract> queue_;
  // Those that the store refused: tried again now and then, behind the others. The thread's own.
  std::deque<ReadyExtract> refused_;
  std::chrono::steady_clock::time_point next_refused_{};
  std::thread thread_;
};

/// The log's line about an extract that is through.
void log_result(const std::string& feed, const std::string& name, const PipelineResult& result,
                std::chrono::milliseconds took);

/// Says what a pipeline waits for: once for each reason.
[[nodiscard]] PipelineObserver logging_observer(const std::string& feed, const std::string& store);

}  // namespace caravel::watcher
