// The threads of `watch` that load extracts: as many as `workers` says, for all feeds together.
//
//   loop of watch ── add() ──> Turns ──> a thread: FeedLoader::load() ── on_finished ──> loop of
//   watch
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/service/feed_loader.h"
#include "watcher/service/turns.h"

namespace caravel::watcher {

/// How many threads load extracts: Config::workers, but at least one for each store (Turns), and no
/// more than there are feeds.
[[nodiscard]] std::size_t most_workers(const Config& config);

/// Takes extracts of all feeds through the pipeline. Threads begin when there is work for them,
/// each with a ledger connection of its own. Where the system grants no more of them (TasksMax=,
/// ulimit -u), those that run take the turns of the others.
class Workers {
 public:
  /// An extract is through, or was left where it is. Called in a worker's thread.
  using OnFinished = std::function<void(const ReadyExtract&, const PipelineResult&)>;

  /// Starts the first thread, so that what keeps all from starting is told at once: the ledger
  /// cannot be opened, no thread is granted. `service` must outlive it.
  static Result<std::unique_ptr<Workers>> start(const Service& service, OnFinished on_finished);
  /// Waits for the threads: request Service::stop first, or this waits for ever.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Only the thread that started them calls it.
  void add(ReadyExtract extract);

 private:
  struct Worker {
    Ledger ledger;
    std::thread thread;
  };

  Workers(const Service& service, OnFinished on_finished);
  [[nodiscard]] Result<> start_one();
  void start_one_if_needed();
  void loop(Ledger& ledger);
  /// The next to load, once there are some (Turns::take()); none when the service stops.
  [[nodiscard]] std::vector<ReadyExtract> next();
  /// The loader of a feed. Only the worker that has a turn of the feed uses it.
  [[nodiscard]] FeedLoader& loader_of(const FeedConfig& feed);
  void load(Ledger& ledger, const std::vector<ReadyExtract>& extracts);

  const Service& service_;
  const std::size_t most_;
  OnFinished on_finished_;
  // The loop's own.
  Notices notices_;
  std::list<Worker> workers_;  // a list: a thread keeps a reference to its ledger
  // `mutex_` guards what stands below.
  std::mutex mutex_;
  std::condition_variable changed_;
  Turns turns_;
  std::size_t idle_ = 0;  // threads that wait for a turn
  std::map<const FeedConfig*, std::unique_ptr<FeedLoader>> loaders_;
};

}  // namespace caravel::watcher
