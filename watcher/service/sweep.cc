#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/intake/intake.h"
#include "watcher/ledger/extracts.h"
#include "watcher/service/feed_loader.h"
#include "watcher/service/log.h"
#include "watcher/service/program_log.h"
#include "watcher/service/tidy.h"
#include "watcher/service/turns.h"
#include "watcher/service/watch.h"
#include "watcher/sources/source_watch.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long one pass holds out for a store that does not answer.
constexpr std::chrono::seconds kPatience{20};
/// One pass waits so much longer than `settle` for files to be still.
constexpr std::chrono::seconds kGrace{1};
/// Once `enough` is past, claims whose files should be whole in a moment are looked at after this
/// time at the latest.
constexpr milliseconds kShortestWait{10};

/// One pass over the drop directories.
class Sweep {
 public:
  Sweep(const Service& service, Ledger& ledger)
      : service_(service),
        ledger_(ledger),
        intake_(service.config, service.spool, ledger, nullptr, service.origin) {}

  Result<SweepResult> run() {
    // Without events a file is known to be whole only when it was still for `settle`.
    CARAVEL_TRY(intake_.start(Moment::now()));
    const auto enough = steady_clock::now() + longest_settle() + kGrace;
    bool rechecked = false;
    while (!service_.stop.requested()) {
      std::vector<ReadyExtract> ready = intake_.take_ready();
      const bool any = !ready.empty();
      load_in_turns(std::move(ready));
      log_warnings(intake_.take_messages());
      if (!any) {
        if (nothing_to_wait_for(enough)) {
          // Once more before the end: somebody may have written on into a file that was archived.
          if (std::exchange(rechecked, true)) break;
          intake_.recheck_archived(Moment::now());
          continue;
        }
        const auto soonest = std::max(enough, steady_clock::now() + kShortestWait);
        if (stopped_before(service_.stop, std::min(intake_.next_deadline(), soonest))) break;
      }
      intake_.step(Moment::now());
    }
    // Those that were given up have left the intake, and wait for the next pass all the same.
    total_.waiting = total_.gave_up + intake_.waiting();
    total_.faults = intake_.faults();
    return total_;
  }

 private:
  [[nodiscard]] milliseconds longest_settle() const {
    milliseconds longest{0};
    for (const FeedConfig& feed : service_.config.feeds) longest = std::max(longest, feed.settle);
    return longest;
  }

  /// A file in a drop directory that is never still would keep one pass from ending: after `enough`
  /// only what is claimed already is waited for.
  [[nodiscard]] bool nothing_to_wait_for(steady_clock::time_point enough) const {
    return steady_clock::now() < enough ? intake_.settled() : intake_.claims_settled();
  }

  /// Feeds take turns; what goes together is loaded together.
  void load_in_turns(std::vector<ReadyExtract> ready) {
    Turns turns(service_.config.feeds, 1, groups_of(service_.config));
    for (ReadyExtract& extract : ready) turns.add(std::move(extract));
    for (auto group = turns.take(); !group.empty(); group = turns.take()) {
      if (service_.stop.requested()) return;  // the next start takes up what is claimed
      load(group);
      turns.give_back(group.front().feed);
    }
  }

  void load(const std::vector<ReadyExtract>& group) {
    const FeedConfig& feed = *group.front().feed;
    auto& loader = loaders_.try_emplace(&feed, service_, feed, kPatience).first->second;
    if (!down_.contains(&feed)) {
      loader.load(
          ledger_, group, [&](const ReadyExtract& extract) { return !pass_over(extract); },
          [&](const ReadyExtract& extract, const PipelineResult& result) {
            note(extract, result);
          });
      return;
    }
    for (const ReadyExtract& extract : group) (void)pass_over(extract);
  }

  /// A store that did not answer for one extract is not asked again for the next in this pass.
  bool pass_over(const ReadyExtract& extract) {
    const auto down = down_.find(extract.feed);
    if (down == down_.end()) return false;
    // An error of the ledger is passed over: only the reason that `status` shows is missing then,
    // and the extract stays claimed for the next pass.
    (void)ledger_.extracts().set_waiting(extract.claim.id, down->second, std::nullopt,
                                         std::chrono::system_clock::now());
    PipelineResult result;
    result.ending = Ending::gave_up;
    give_back(extract, result);
    return true;
  }

  void note(const ReadyExtract& extract, const PipelineResult& result) {
    const FeedConfig& feed = *extract.feed;
    log_result(feed.name, extract.claim.name, result);
    if (result.ending == Ending::put_off || result.ending == Ending::refused) {
      log_error("{}: {}: not loaded: {}", feed.name, printable(extract.claim.name), result.message);
    }
    if (result.ending == Ending::gave_up) down_[&feed] = result.message;
    give_back(extract, result);
  }

  /// Tells the intake that its place is free, or that it waits again.
  void give_back(const ReadyExtract& extract, const PipelineResult& result) {
    count(result);
    // After a mismatch a good transfer may come in this very pass. Any other reason to wait is left
    // to the next pass.
    if (result.ending == Ending::mismatched) {
      intake_.wait_again(extract, {WaitReason::mismatched, result.message}, Moment::now());
    } else {
      intake_.finished(extract, Moment::now());
    }
  }

  /// What was stopped or has vanished counts nowhere: the pass ends early or the file is gone, and
  /// the log has said so.
  void count(const PipelineResult& result) {
    total_.rejected += result.counts.rejected;
    switch (result.ending) {
      case Ending::done:
        ++total_.done;
        break;
      case Ending::failed:
        ++total_.failed;
        break;
      case Ending::gave_up:
      case Ending::put_off:
      case Ending::refused:
      case Ending::not_ready:
        ++total_.gave_up;
        break;
      case Ending::stopped:
      case Ending::vanished:
      case Ending::mismatched:  // the intake counts those that wait
        break;
    }
  }

  const Service& service_;
  Ledger& ledger_;
  Intake intake_;
  // A feed gets its store connection with its first extract.
  std::map<const FeedConfig*, FeedLoader> loaders_;
  std::map<const FeedConfig*, std::string> down_;  // feeds whose store is, and why
  SweepResult total_;
};

}  // namespace

Result<SweepResult> sweep(const Service& service) {
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(service.config.ledger_path(),
                                                     Ledger::Mode::read_write, &service.stop));
  say_if_ledger_is_new(service, ledger);
  log_broken_off_loads(service, ledger, std::chrono::system_clock::now());
  CARAVEL_ASSIGN_OR_RETURN(auto total, Sweep(service, ledger).run());
  const Time now = std::chrono::system_clock::now();
  // After the loading, so that what came in this pass is neither silent nor overdue.
  log_warnings(SourceWatch(service.config, ledger).step(now));
  tidy(service, ledger, now);
  fold_ledger(service, ledger, now);
  take_prune_wish(service, ledger);
  return total;
}

}  // namespace caravel::watcher
