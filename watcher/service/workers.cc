#include "watcher/service/workers.h"

#include <algorithm>
#include <set>
#include <utility>

#include "watcher/service/log.h"
#include "watcher/service/start_thread.h"

namespace caravel::watcher {

std::size_t most_workers(const Config& config) {
  std::set<std::string> stores;
  for (const FeedConfig& feed : config.feeds) stores.insert(feed.store);
  return std::min(config.feeds.size(),
                  std::max(static_cast<std::size_t>(config.workers), stores.size()));
}

Result<std::unique_ptr<Workers>> Workers::start(const Service& service, OnFinished on_finished) {
  std::unique_ptr<Workers> workers(new Workers(service, std::move(on_finished)));
  CARAVEL_TRY(workers->start_one());
  return workers;
}

Workers::Workers(const Service& service, OnFinished on_finished)
    : service_(service),
      most_(most_workers(service.config)),
      on_finished_(std::move(on_finished)),
      turns_(service.config.feeds, most_, groups_of(service.config)) {}

Workers::~Workers() {
  // The lock makes sure that no thread is between its look at `stop` and its wait: it would miss
  // the notification.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
  for (Worker& worker : workers_) worker.thread.join();
}

Result<> Workers::start_one() {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(service_.config.ledger_path(),
                                                     Ledger::Mode::read_write, &service_.stop));
  Worker& worker = workers_.emplace_back(Worker{std::move(ledger), {}});
  auto thread = start_thread([this, &worker] { loop(worker.ledger); });
  if (!thread) {
    workers_.pop_back();
    return tl::unexpected(std::move(thread).error());
  }
  worker.thread = std::move(*thread);
  return {};
}

/// Where no more threads can be had, the others go on, and the next extract tries again.
void Workers::start_one_if_needed() {
  {
    const std::lock_guard lock(mutex_);
    // Those that were told of an extract, and have not got so far, count as idle.
    if (idle_ >= turns_.waiting_feeds()) return;
  }
  if (workers_.size() >= most_) return;
  constexpr std::string_view kSubject = "threads";
  if (auto started = start_one(); !started) {
    notices_.set(kSubject, std::to_string(workers_.size()) + " of " + std::to_string(most_) +
                               " workers run and do the work of all: " + started.error().message);
  } else {
    notices_.clear(kSubject, "further workers could be started");
  }
  log_warnings(notices_.take());
  const std::lock_guard lock(mutex_);
  // As many as there really are: with the reserve for other stores counted from more, the last
  // worker would wait for ever.
  turns_.set_workers(workers_.size() < most_ && notices_.any() ? workers_.size() : most_);
}

void Workers::add(ReadyExtract extract) {
  {
    const std::lock_guard lock(mutex_);
    turns_.add(std::move(extract));
  }
  changed_.notify_one();
  start_one_if_needed();
}

void Workers::loop(Ledger& ledger) {
  for (;;) {
    const std::vector<ReadyExtract> extracts = next();
    if (extracts.empty()) return;
    load(ledger, extracts);
  }
}

std::vector<ReadyExtract> Workers::next() {
  std::unique_lock lock(mutex_);
  ++idle_;
  for (;;) {
    // A stop alone wakes nobody here, since a signal handler may not notify a condition variable.
    // The loop of watch() sees the stop and destroys the workers, and ~Workers() notifies.
    if (service_.stop.requested()) break;
    if (auto extracts = turns_.take(); !extracts.empty()) {
      --idle_;
      return extracts;
    }
    changed_.wait(lock);
  }
  --idle_;
  return {};
}

FeedLoader& Workers::loader_of(const FeedConfig& feed) {
  const std::lock_guard lock(mutex_);
  auto& loader = loaders_[&feed];
  // No patience (nullopt): a worker tries until the store answers or the service stops.
  if (!loader) loader = std::make_unique<FeedLoader>(service_, feed, std::nullopt);
  return *loader;
}

void Workers::load(Ledger& ledger, const std::vector<ReadyExtract>& extracts) {
  const FeedConfig& feed = *extracts.front().feed;
  loader_of(feed).load(
      ledger, extracts, [](const ReadyExtract&) { return true; },
      [&](const ReadyExtract& extract, const PipelineResult& result) {
        log_result(feed.name, extract.claim.name, result);
        on_finished_(extract, result);
      });
  const std::lock_guard lock(mutex_);
  turns_.give_back(&feed);
  // All, because several may be waiting for what this one held: its feed, its store's share.
  changed_.notify_all();
}

}  // namespace caravel::watcher
