#include "watcher/pipeline/pipeline.h"

#include <random>
#include <utility>

#include "base/backoff.h"
#include "base/moment.h"
#include "watcher/ledger/extracts.h"
#include "watcher/pipeline/attempt.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A store that is down is asked again soon at first; one that refuses us, seldom.
constexpr milliseconds kFirstRetry{250};
constexpr milliseconds kRetryLimit{15'000};
constexpr milliseconds kFirstFaultRetry{5'000};
constexpr milliseconds kFaultRetryLimit{60'000};
/// Trouble here is waited for only by hand, and other files of the same command come after it.
constexpr milliseconds kPatienceHere{10'000};

}  // namespace

/// How long something has been down, and how long to wait before it is tried again.
class Outage {
 public:
  /// A step failed at `now`. `moved`: something succeeded since the last failure, so that this is
  /// the beginning of another outage, with short waits again. Returns the wait before the next try.
  milliseconds next_wait(const Error& error, bool moved, steady_clock::time_point now) {
    if (!since_ || moved) {
      since_ = now;
      soon_.reset();
      seldom_.reset();
    }
    Backoff& backoff = error.kind == ErrorKind::retry ? soon_ : seldom_;
    return backoff.next(random_(), error.retry_after);
  }
  [[nodiscard]] steady_clock::time_point since() const { return *since_; }

 private:
  std::mt19937_64 random_{std::random_device{}()};
  Backoff soon_{kFirstRetry, kRetryLimit};
  Backoff seldom_{kFirstFaultRetry, kFaultRetryLimit};
  std::optional<steady_clock::time_point> since_;
};

/// An extract on its way, with what is known of its troubles. Internal: it lives in PutOffRuns
/// between two calls of run_pipeline().
class PipelineRun {
 public:
  PipelineRun(const PipelineTools& tools, ExtractJob job)
      : tools_(tools), job_(std::move(job)), attempt_(*tools_, job_) {}
  PipelineRun(const PipelineRun&) = delete;  // the attempt refers to the other members
  PipelineRun& operator=(const PipelineRun&) = delete;

  PipelineResult go_on();
  void use(const PipelineTools& tools) { tools_.emplace(tools); }
  [[nodiscard]] const std::string& claim() const { return job_.claim.id; }
  [[nodiscard]] bool is_worth_keeping() const { return attempt_.is_worth_keeping(); }
  [[nodiscard]] std::size_t refused_rows() const { return attempt_.refused_rows(); }
  void rest() { attempt_.rest(); }
  /// The intake may say by now that nobody waits any longer for another transfer.
  void set_last_chance(bool last) { job_.last_chance = last; }

 private:
  /// How it ends here and now, or nothing: then it is tried again after `wait`.
  std::optional<PipelineResult> give_way(const Obstacle& obstacle, milliseconds wait,
                                         const Moment& now);

  // A copy, exchanged in its place at each call: another thread, with a ledger connection of its
  // own, may take the next turn of the feed.
  std::optional<PipelineTools> tools_;
  ExtractJob job_;
  Attempt attempt_;
  Outage outage_;
};

/// Every return leaves the ledger as the next one needs it: an extract that is neither done nor
/// failed stays "unfinished" there, and its file in work/.
PipelineResult PipelineRun::go_on() {
  for (;;) {
    const std::uint64_t progress = attempt_.progress();
    const auto through = attempt_.go_on();
    if (through) return attempt_.result();
    const Obstacle& obstacle = through.error();
    const Error& error = obstacle.error;
    if (error.kind == ErrorKind::stopped) return attempt_.result(Ending::stopped, error.message);
    if (obstacle.ending) return attempt_.result(*obstacle.ending, error.message);
    const Moment now = Moment::now();
    const milliseconds wait = outage_.next_wait(error, attempt_.progress() > progress, now.steady);
    if (auto ended = give_way(obstacle, wait, now)) return *std::move(ended);
    if (stopped_within(tools_->service.stop, wait)) {
      return attempt_.result(Ending::stopped, error.message);
    }
  }
}

std::optional<PipelineResult> PipelineRun::give_way(const Obstacle& obstacle, milliseconds wait,
                                                    const Moment& now) {
  const std::string& why = obstacle.error.message;
  // Only for `status`: if the ledger cannot be written, the result still says why.
  const auto note_in_ledger = [&] {
    (void)tools_->ledger.extracts().set_waiting(job_.claim.id, why, now.wall, now.wall);
  };
  const bool refused = obstacle.error.kind == ErrorKind::refused;
  if (!obstacle.store && !refused && tools_->put_off != nullptr) {
    note_in_ledger();
    return attempt_.result(Ending::put_off, why);
  }
  // The wait counts as well: nobody sleeps only to give up after it.
  auto patience = tools_->patience;
  const bool store_is_down = obstacle.store && obstacle.error.kind != ErrorKind::fault;
  if (!patience && !store_is_down) patience = tools_->patience_otherwise;
  if (patience && !obstacle.store) patience = std::min(*patience, kPatienceHere);
  if (patience && now.steady + wait - outage_.since() > *patience) {
    note_in_ledger();
    return attempt_.result(refused          ? Ending::refused
                           : obstacle.store ? Ending::gave_up
                                            : Ending::put_off,
                           why);
  }
  attempt_.report_wait(obstacle, wait, now.wall);
  // Others may be taken: the caller lets them pass and comes back to this one.
  if (refused) return attempt_.result(Ending::refused, why);
  return std::nullopt;
}

PutOffRuns::PutOffRuns() = default;
PutOffRuns::~PutOffRuns() = default;

void PutOffRuns::put(std::unique_ptr<PipelineRun> run) {
  if (!run->is_worth_keeping()) return;
  run->rest();
  if (run->refused_rows() > kMostRefused) return;
  // The oldest goes: its extract may have left by another way long ago.
  while (runs_.size() >= kMost || refused_ + run->refused_rows() > kMostRefused) {
    (void)take(std::string(runs_.begin()->first));
  }
  refused_ += run->refused_rows();
  runs_[run->claim()] = std::move(run);
}

std::unique_ptr<PipelineRun> PutOffRuns::take(const std::string& claim) {
  const auto place = runs_.find(claim);
  if (place == runs_.end()) return nullptr;
  auto run = std::move(place->second);
  runs_.erase(place);
  refused_ -= run->refused_rows();
  return run;
}

PipelineResult run_pipeline(const PipelineTools& tools, const ExtractJob& job) {
  const auto began = steady_clock::now();
  auto run = tools.put_off != nullptr ? tools.put_off->take(job.claim.id) : nullptr;
  if (run == nullptr) {
    run = std::make_unique<PipelineRun>(tools, job);
  } else {
    run->use(tools);
    run->set_last_chance(job.last_chance);
  }
  PipelineResult result = run->go_on();
  result.took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  result.asks_for_room_first = result.ending == Ending::refused && tools.needs != nullptr &&
                               tools.needs->of(job.claim.id, steady_clock::now()) > 0;
  const bool again = result.ending == Ending::put_off || result.ending == Ending::refused;
  if (again && tools.put_off != nullptr) tools.put_off->put(std::move(run));
  return result;
}

}  // namespace caravel::watcher
