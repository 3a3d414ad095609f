#include "watcher/service/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/ending/stop_on_signal.h"
#include "base/idle_memory.h"
#include "base/moment.h"
#include "watcher/intake/intake.h"
#include "watcher/intake/noticing/inotify.h"
#include "watcher/service/log.h"
#include "watcher/service/nudge.h"
#include "watcher/service/program_log.h"
#include "watcher/service/reload.h"
#include "watcher/service/tidy.h"
#include "watcher/service/watchdog.h"
#include "watcher/service/workers.h"
#include "watcher/sources/source_watch.h"

namespace caravel::watcher {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::hours kTidyEvery{1};
/// Between two steps of folding, so that extracts and their workers come first.
constexpr std::chrono::milliseconds kFoldPause{250};
constexpr std::chrono::minutes kSettleLoadsEvery{1};
/// Silences are noticed even if nothing at all happens.
constexpr std::chrono::minutes kLookAtSourcesEvery{1};
/// Some senders close a file and then set its time by its name (`scp -O -p`, Python's
/// shutil.copy2, unzip). If the file is claimed in between, they fail and the time is lost. Nothing
/// says who will do so, so each file that is closed in place is left alone for as long as they need
/// where nothing interrupts them; a rename says that all is done.
constexpr std::chrono::microseconds kTimeByName{250};
/// So long after the last work its memory is given back.
constexpr std::chrono::seconds kRestAfter{2};

/// What workers tell the loop: which extracts are through. fd() is readable when there are some.
class FinishedExtracts {
 public:
  struct One {
    ReadyExtract extract;
    PipelineResult result;
  };

  /// From any thread.
  void add(const ReadyExtract& extract, const PipelineResult& result) {
    const std::lock_guard lock(mutex_);
    extracts_.push_back({extract, result});
    const std::uint64_t one = 1;
    // The write can only fail if the counter is full, and then the loop wakes anyway.
    [[maybe_unused]] const ssize_t put = ::write(fd_.get(), &one, sizeof one);
  }
  [[nodiscard]] std::vector<One> take() {
    const std::lock_guard lock(mutex_);
    std::uint64_t count;  // does not matter: the list is taken whole
    [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof count);
    return std::exchange(extracts_, {});
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// poll(2) passes over a descriptor that is none: the loop would hear of nothing.
  [[nodiscard]] Result<> expect_open() const {
    return fd_ ? Result<>() : fail_with_errno("eventfd", error_);
  }

 private:
  UniqueFd fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int error_ = errno;  // of the line above, if it failed
  std::mutex mutex_;
  std::vector<One> extracts_;
};

/// Why an extract that a worker had waits in the intake again; nothing if it is through.
std::optional<WaitAgain> why_it_waits(const PipelineResult& result) {
  switch (result.ending) {
    case Ending::mismatched:
      return WaitAgain{WaitReason::mismatched, result.message};
    case Ending::not_ready:
      return WaitAgain{WaitReason::not_ready, result.message};
    case Ending::put_off:
      return WaitAgain{WaitReason::put_off, result.message, result.took};
    case Ending::refused:
      return WaitAgain{WaitReason::refused, result.message,
                       result.asks_for_room_first ? std::chrono::milliseconds(0) : result.took};
    case Ending::done:
    case Ending::failed:
    case Ending::gave_up:
    case Ending::stopped:
    case Ending::vanished:
      break;
  }
  return std::nullopt;
}

/// Requests the stop when it is destroyed. Members are destroyed in the reverse order of their
/// declaration, so it stands behind the workers, whose destructors wait for their threads.
struct StopAtEnd {
  StopSignal& stop;
  ~StopAtEnd() { stop.request(); }
};

/// The loop of `watch`, with all that it waits for. Its thread is the only one that touches the
/// intake; workers have ledger connections of their own.
class Watch {
 public:
  Watch(const Service& service, Reload& reload, Ledger ledger)
      : service_(service),
        reload_(reload),
        ledger_(std::move(ledger)),
        nudges_(service.spool),
        intake_(service.config, service.spool, ledger_, &inotify_, service.origin),
        fold_(service, ledger_),
        sources_(service.config, ledger_) {}

  Result<> run() {
    CARAVEL_TRY(finished_.expect_open());
    settle_loads_if_due(Moment::now());
    // Workers first: the intake has extracts for them as soon as it has taken up what a crash left.
    CARAVEL_ASSIGN_OR_RETURN(
        workers_,
        Workers::start(service_, [this](const ReadyExtract& extract, const PipelineResult& result) {
          finished_.add(extract, result);
        }));
    intake_.on_ready = [this] { hand_over(); };
    CARAVEL_TRY(intake_.start(Moment::now()));
    hand_over();
    for (const FeedConfig& feed : service_.config.feeds) {
      log_info("watching {} for {} (feed {}, store {})", feed.drop, feed.match, feed.name,
               feed.store);
    }
    // From here on nothing that a sender drops is missed: systemd may start what depends on us.
    ::sd_notify(0, "READY=1");
    while (!service_.stop.requested()) {
      if (reload_.take_request()) break;
      tidy_if_due(Moment::now());
      fold_if_due(Moment::now());
      CARAVEL_ASSIGN_OR_RETURN(const bool has_events, wait());
      const Moment now = Moment::now();
      // Extracts that are through make room before the drop directories are looked at.
      bool is_busy = take_back_finished(now) || has_events;
      if (nudges_.take()) {
        is_busy = true;
        intake_.take_retries(now);
        take_prune_wish_now();
      }
      CARAVEL_TRY(look_at_drop_directories(has_events, now));
      hand_over();
      log_warnings(sources_.step(now.wall));
      settle_loads_if_due(now);
      watchdog_.pass_done(now.steady);
      rest_unless(is_busy, now);
    }
    // The program that starts in our place says READY=1 (sd_notify(3)).
    ::sd_notify(0, reload_.accepted() ? "RELOADING=1" : "STOPPING=1");
    if (!reload_.accepted()) log_info("stopping");
    return {};
  }

 private:
  /// The workers take any number: how many are claimed at a time is bounded by the intake
  /// (max_claims).
  void hand_over() {
    for (ReadyExtract& extract : intake_.take_ready()) workers_->add(std::move(extract));
    log_warnings(intake_.take_messages());
  }

  void tidy_if_due(const Moment& now) {
    if (now.steady < next_tidy_) return;
    tidy(service_, ledger_, now.wall);
    next_tidy_ = now.steady + kTidyEvery;
    next_fold_ = now.steady;
  }

  /// In steps between which the loop goes on: the first pass over an old ledger takes minutes.
  void fold_if_due(const Moment& now) {
    if (now.steady < next_fold_) return;
    next_fold_ = fold_.run(now.wall) ? now.steady + kFoldPause : steady_clock::time_point::max();
  }

  /// `caravel prune` prunes by whoever holds the spool's lock.
  void take_prune_wish_now() {
    if (take_prune_wish(service_, ledger_)) next_tidy_ = {};
  }

  /// A `process` that was killed leaves its extract in work, and nobody comes back for it.
  void settle_loads_if_due(const Moment& now) {
    if (now.steady < next_settling_) return;
    next_settling_ = now.steady + kSettleLoadsEvery;
    log_broken_off_loads(service_, ledger_, now.wall);
    take_prune_wish_now();  // a nudge may be lost
    service_.spool.note_work();
  }

  /// Gives memory back a moment after the last work: what the formats were compiled from, what the
  /// last extract was read with. What the minute's look brought back goes with it, without a
  /// wake-up of its own.
  void rest_unless(bool is_busy, const Moment& now) {
    if (is_busy) next_rest_ = now.steady + kRestAfter;
    const bool long_ago = now.steady - rested_at_ >= kSettleLoadsEvery / 2;
    const bool rests = next_rest_ == steady_clock::time_point::max();
    if (now.steady < next_rest_ && !(rests && long_ago)) return;
    give_back_idle_memory();
    rested_at_ = now.steady;
    next_rest_ = steady_clock::time_point::max();
  }

  /// Waits until something has happened, something is due, or the service is to stop. True if
  /// inotify has events.
  Result<bool> wait() {
    const auto now = steady_clock::now();
    const auto wake = std::min({intake_.next_deadline(), next_tidy_, next_fold_, next_rest_,
                                now + kLookAtSourcesEvery, watchdog_.due()});
    pollfd polled[] = {{service_.stop.fd(), POLLIN, 0},
                       {inotify_.fd(), POLLIN, 0},
                       {finished_.fd(), POLLIN, 0},
                       {reload_.fd(), POLLIN, 0},
                       {nudges_.fd(), POLLIN, 0}};
    // EINTR: a signal handler ran, which may have requested the stop.
    if (::poll(polled, std::size(polled), poll_timeout(wake - now)) < 0 && errno != EINTR) {
      return fail_with_errno("poll", errno);
    }
    return (polled[1].revents & POLLIN) != 0;
  }

  /// Tells the intake what became of the extracts that the workers had. True if they had any.
  bool take_back_finished(const Moment& now) {
    const std::vector<FinishedExtracts::One> finished = finished_.take();
    for (const FinishedExtracts::One& one : finished) {
      // Its claim stays: it is waited for until the file can be read, another transfer comes, or
      // the trouble is over.
      if (const auto why = why_it_waits(one.result)) {
        intake_.wait_again(one.extract, *why, now);
      } else {
        intake_.finished(one.extract, now);
      }
    }
    return !finished.empty();
  }

  /// What inotify has to say. A file that was closed a moment ago is looked at kTimeByName later.
  Result<> drain_events(std::vector<DropEvent>& events) {
    CARAVEL_TRY(inotify_.drain(events));
    const bool some_closed = std::ranges::any_of(events, [](const DropEvent& event) {
      return event.kind == EventKind::closed && !event.name.empty();
    });
    if (!some_closed) return {};
    std::this_thread::sleep_for(kTimeByName);
    return inotify_.drain(events);
  }

  /// Lets the intake do what the events say and what is due by the clock.
  Result<> look_at_drop_directories(bool has_events, const Moment& now) {
    std::vector<DropEvent> events;
    if (has_events) CARAVEL_TRY(drain_events(events));
    // step() is due for its deadlines even if inotify says nothing; on_events() ends with a step of
    // its own.
    if (events.empty()) {
      intake_.step(now);
    } else {
      intake_.on_events(events, now);
    }
    return {};
  }

  const Service& service_;
  Reload& reload_;
  Ledger ledger_;
  Inotify inotify_;
  FinishedExtracts finished_;
  Nudges nudges_;
  Watchdog watchdog_;
  Intake intake_;
  FoldStep fold_;
  SourceWatch sources_;
  steady_clock::time_point next_tidy_{};
  steady_clock::time_point next_fold_{};
  steady_clock::time_point next_rest_ = steady_clock::now() + kRestAfter;
  steady_clock::time_point rested_at_{};
  std::unique_ptr<Workers> workers_;
  steady_clock::time_point next_settling_{};
  // However the loop is left, by a stop or an error: this is destroyed before the workers are.
  const StopAtEnd stop_at_end_{service_.stop};
};

}  // namespace

Result<> watch(const Service& service, Reload& reload) {
  set_exit_code_at_stop(0);
  // What could not be waited for any longer is no fault: a watcher that was told to stop has ended
  // well, and the next start goes on. Asked before Watch is destroyed, which requests the stop too.
  const auto unless_told_to_stop = [&](Result<> ran) {
    const bool broken_off = !ran && ran.error().kind == ErrorKind::retry;
    return broken_off && service.stop.requested() ? Result<>() : ran;
  };
  auto ledger = Ledger::open(service.config.ledger_path(), Ledger::Mode::read_write, &service.stop);
  if (!ledger) return unless_told_to_stop(tl::unexpected(std::move(ledger).error()));
  say_if_ledger_is_new(service, *ledger);
  Watch watch(service, reload, *std::move(ledger));
  return unless_told_to_stop(watch.run());
}

}  // namespace caravel::watcher
