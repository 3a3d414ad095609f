#include "watcher/service/worker.h"

#include <utility>

#include "watcher/service/log.h"

namespace caravel::watcher {
namespace {

using std::chrono::steady_clock;

/// A store takes what it refused once somebody has mended its validation function, or its rights.
constexpr std::chrono::seconds kRefusedRetry{15};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(const Service& service, const FeedConfig& feed,
                                              OnFinished on_finished) {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(service.config.ledger_path()));
  return std::unique_ptr<Worker>(
      new Worker(service, feed, std::move(ledger), std::move(on_finished)));
}

// No patience (nullopt): a worker tries until the store answers or the service stops.
Worker::Worker(const Service& service, const FeedConfig& feed, Ledger ledger,
               OnFinished on_finished)
    : service_(service),
      feed_(feed),
      ledger_(std::move(ledger)),
      loader_(service, feed, ledger_, std::nullopt),
      on_finished_(std::move(on_finished)),
      thread_([this] { loop(); }) {}

Worker::~Worker() {
  // The lock makes sure that the thread is not between its look at `stop` and its wait: it would
  // miss the notification.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_one();
  thread_.join();
}

void Worker::add(ReadyExtract extract) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(extract));
  }
  changed_.notify_one();
}

void Worker::loop() {
  while (const std::optional<Next> taken = next()) {
    const ReadyExtract& extract = taken->extract;
    const PipelineResult result = loader_.load(extract);
    // The intake is told nothing: the extract keeps its claim and its place until it is through.
    if (result.ending == Ending::refused) {
      refused_.push_back(extract);
      next_refused_ = steady_clock::now() + kRefusedRetry;
      continue;
    }
    // The store takes again what it refused: the other refused ones need not wait.
    if (taken->refused_before) next_refused_ = steady_clock::now();
    log_result(feed_.name, extract.claim.name, result);
    on_finished_(extract, result);
  }
}

std::optional<Worker::Next> Worker::next() {
  std::unique_lock lock(mutex_);
  const auto wanted = [this] { return service_.stop.requested() || !queue_.empty(); };
  // A stop alone wakes nobody here, since a signal handler may not notify a condition variable. The
  // loop of watch() sees the stop and destroys the workers, and ~Worker() notifies.
  if (refused_.empty()) {
    changed_.wait(lock, wanted);
  } else {
    changed_.wait_until(lock, next_refused_, wanted);
  }
  if (service_.stop.requested()) return std::nullopt;
  // A refused extract that is due goes before the queue: a queue that never runs empty must not
  // keep it from being tried.
  const bool again = !refused_.empty() && steady_clock::now() >= next_refused_;
  std::deque<ReadyExtract>& from = again ? refused_ : queue_;
  Next next{std::move(from.front()), again};
  from.pop_front();
  return next;
}

}  // namespace caravel::watcher
