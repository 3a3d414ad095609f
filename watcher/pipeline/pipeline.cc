#include "watcher/pipeline/pipeline.h"

#include <poll.h>

#include <random>

#include "uploader/couchdb/retry.h"
#include "watcher/ledger/extracts.h"
#include "watcher/pipeline/attempt.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

/// A store that is down is asked again soon at first; one that refuses us, seldom.
constexpr milliseconds kFirstRetry{250};
constexpr milliseconds kRetryLimit{15'000};
constexpr milliseconds kFirstFaultRetry{5'000};
constexpr milliseconds kFaultRetryLimit{60'000};

/// True if we were asked to stop meanwhile.
bool stopped_within(milliseconds wait, const StopSignal& stop) {
  pollfd polled{stop.fd(), POLLIN, 0};
  (void)::poll(&polled, 1, static_cast<int>(wait.count()));
  return stop.requested();
}

}  // namespace

PipelineResult Pipeline::run(const ExtractJob& job) {
  Attempt attempt(tools_, job);
  std::mt19937_64 random(std::random_device{}());
  uploader::Backoff soon(kFirstRetry, kRetryLimit);
  uploader::Backoff seldom(kFirstFaultRetry, kFaultRetryLimit);
  std::optional<system_clock::time_point> down_since;
  for (;;) {
    const std::uint64_t progress = attempt.progress();
    auto went = attempt.go_on();
    if (went) return attempt.result();
    const Error& error = went.error();
    if (error.kind == ErrorKind::stopped) return attempt.result(Ending::stopped, error.message);
    if (const auto trouble = attempt.file_trouble()) return attempt.result(*trouble, error.message);
    const auto now = system_clock::now();
    if (!down_since || attempt.progress() != progress) {
      down_since = now;
      soon.reset();
      seldom.reset();
    }
    uploader::Backoff& backoff = error.kind == ErrorKind::retry ? soon : seldom;
    const milliseconds wait = backoff.next(random(), error.retry_after);
    if (tools_.patience && now + wait - *down_since > *tools_.patience) {
      (void)tools_.ledger.extracts().set_waiting(job.claim.id, error.message, now, now);
      return attempt.result(Ending::gave_up, error.message);
    }
    attempt.report_wait(error, wait, now);
    if (error.kind == ErrorKind::refused) return attempt.result(Ending::refused, error.message);
    if (stopped_within(wait, tools_.stop)) return attempt.result(Ending::stopped, error.message);
  }
}

}  // namespace caravel::watcher
