#include "watcher/pipeline/pipeline.h"

#include <random>

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

/// Every return leaves the ledger as the next one needs it: an extract that is neither done nor
/// failed stays "unfinished" there, and its file in work/.
PipelineResult try_until_it_ends(const PipelineTools& tools, const ExtractJob& job) {
  Attempt attempt(tools, job);
  Outage outage;
  for (;;) {
    const std::uint64_t progress = attempt.progress();
    const auto through = attempt.go_on();
    if (through) return attempt.result();
    const Error& error = through.error().error;
    if (error.kind == ErrorKind::stopped) return attempt.result(Ending::stopped, error.message);
    if (const auto ending = through.error().ending) return attempt.result(*ending, error.message);
    const Moment now = Moment::now();
    const milliseconds wait = outage.next_wait(error, attempt.progress() != progress, now.steady);
    // The wait counts as well: nobody sleeps only to give up after it.
    if (tools.patience && now.steady + wait - outage.since() > *tools.patience) {
      // Only for `status`: if the ledger cannot be written, the result still says why.
      (void)tools.ledger.extracts().set_waiting(job.claim.id, error.message, now.wall, now.wall);
      return attempt.result(Ending::gave_up, error.message);
    }
    attempt.report_wait(error, wait, now.wall);
    // Others may be taken: the caller lets them pass and comes back to this one.
    if (error.kind == ErrorKind::refused) return attempt.result(Ending::refused, error.message);
    if (stopped_within(tools.service.stop, wait)) {
      return attempt.result(Ending::stopped, error.message);
    }
  }
}

}  // namespace

PipelineResult run_pipeline(const PipelineTools& tools, const ExtractJob& job) {
  const auto began = steady_clock::now();
  PipelineResult result = try_until_it_ends(tools, job);
  result.took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  return result;
}

}  // namespace caravel::watcher
