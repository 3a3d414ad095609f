#include "watcher/service/worker.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/text.h"
#include "watcher/files/name_rules.h"

namespace caravel::watcher {
namespace {

constexpr std::chrono::seconds kRefusedRetry{15};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(
    const Service& service, const FeedConfig& feed,
    std::function<void(const ReadyExtract&, const PipelineResult&)> on_finished) {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(service.config.ledger_path()));
  return std::unique_ptr<Worker>(
      new Worker(service, feed, std::move(ledger), std::move(on_finished)));
}

Worker::Worker(const Service& service, const FeedConfig& feed, Ledger ledger,
               std::function<void(const ReadyExtract&, const PipelineResult&)> on_finished)
    : service_(service),
      feed_(feed),
      ledger_(std::move(ledger)),
      store_config_(*service.config.find_store(feed.store)),
      store_(uploader::make_store(store_config_)),
      on_finished_(std::move(on_finished)),
      thread_([this] { loop(); }) {}

Worker::~Worker() {
  wake();
  thread_.join();
}

void Worker::add(ReadyExtract extract) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(extract));
  }
  changed_.notify_one();
}

void Worker::wake() {
  // The lock makes sure that the thread is not between its look at `stop` and its wait.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_one();
}

void Worker::loop() {
  const PipelineObserver observer = logging_observer(feed_.name, store_config_.name);
  while (const std::optional<Next> taken = next()) {
    const ReadyExtract& extract = taken->extract;
    ExtractJob job;
    job.claim = extract.claim;
    job.root = extract.root;
    job.last_chance = extract.last_chance;
    const auto began = std::chrono::steady_clock::now();
    const PipelineResult result =
        Pipeline({service_.config, feed_, service_.formats, service_.spool, ledger_, *store_,
                  store_config_, service_.stop, observer, std::nullopt})
            .run(job);
    const auto ended = std::chrono::steady_clock::now();
    if (result.ending == Ending::refused) {
      refused_.push_back(extract);
      next_refused_ = ended + kRefusedRetry;
      continue;
    }
    // The store takes again what it refused: the others need not wait.
    if (taken->refused_before) next_refused_ = ended;
    log_result(feed_.name, extract.claim.name, result,
               std::chrono::duration_cast<std::chrono::milliseconds>(ended - began));
    on_finished_(extract, result);
  }
}

std::optional<Worker::Next> Worker::next() {
  std::unique_lock lock(mutex_);
  const auto some = [this] { return service_.stop.requested() || !queue_.empty(); };
  if (refused_.empty()) {
    changed_.wait(lock, some);
  } else {
    changed_.wait_until(lock, next_refused_, some);
  }
  if (service_.stop.requested()) return std::nullopt;
  const bool again = !refused_.empty() && std::chrono::steady_clock::now() >= next_refused_;
  std::deque<ReadyExtract>& from = again ? refused_ : queue_;
  Next next{std::move(from.front()), again};
  from.pop_front();
  return next;
}

void log_result(const std::string& feed, const std::string& name, const PipelineResult& result,
                std::chrono::milliseconds took) {
  const LineCounts& counts = result.counts;
  switch (result.ending) {
    case Ending::done:
      spdlog::info(
          "{}: {}: done: {} lines: {} stored, {} already there, {} dropped, {} rejected "
          "({} ms)",
          feed, printable(name), counts.lines, counts.stored, counts.already_there, counts.dropped,
          counts.rejected, took.count());
      if (counts.differs > 0) {
        spdlog::warn(
            "{}: {}: {} rows differ from what is stored and were kept as they are: "
            "process --reprocess replaces them",
            feed, printable(name), counts.differs);
      }
      break;
    case Ending::failed:
      spdlog::error("{}: {}: failed: {}", feed, printable(name), result.message);
      break;
    case Ending::gave_up:
    case Ending::refused:
      spdlog::error("{}: {}: not loaded: {}", feed, printable(name), result.message);
      break;
    case Ending::stopped:
      spdlog::info("{}: {}: stopped", feed, printable(name));
      break;
    case Ending::not_ready:
    case Ending::mismatched:
      spdlog::warn("{}: {}: waits: {}", feed, printable(name), result.message);
      break;
    case Ending::vanished:
      spdlog::error("{}: {}: the file is gone", feed, printable(name));
      break;
  }
}

PipelineObserver logging_observer(const std::string& feed, const std::string& store) {
  PipelineObserver observer;
  observer.on_wait = [feed, store, said = std::string()](const std::string& why,
                                                         std::chrono::milliseconds wait) mutable {
    if (why == said) {
      spdlog::debug("{}: {}: next try in {} ms", feed, why, wait.count());
      return;
    }
    said = why;
    spdlog::warn("{}: waits (store {}): {}", feed, store, why);
  };
  observer.on_note = [feed](const std::string& text) { spdlog::warn("{}: {}", feed, text); };
  return observer;
}

}  // namespace caravel::watcher
