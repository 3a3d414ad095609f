// Claims whose files may not be read yet, until they are ready.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/moment.h"
#include "watcher/intake/claimed_file.h"
#include "watcher/intake/intake_messages.h"
#include "watcher/intake/noticing/inotify.h"
#include "watcher/intake/open_claims.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/intake/writer_check.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// A claimed file is ready when all of this holds, asked for in this order:
///
///   it has one link            a second one is a name that a sender can still write through
///   nobody writes it           a read lease says so, or it was still where no lease tells
///   its manifest has come      if the feed, or the name, says that one comes
///
/// A manifest is taken instead, and what is no regular file is set aside, unread.
class WaitingClaims {
 public:
  /// All must outlive it. `inotify` may be null: then only time brings the next look.
  WaitingClaims(const Spool& spool, Ledger& ledger, Inotify* inotify, OpenClaims& open,
                IntakeMessages& messages)
      : spool_(spool), ledger_(ledger), inotify_(inotify), open_(open), messages_(messages) {}

  /// Opens the claim; its first look is due now.
  void add(const ClaimedFile& file, const Moment& now);
  /// An extract that was ready proved not to be, or was loaded in vain.
  void add_again(const ReadyExtract& extract, const WaitAgain& again, const Moment& now);
  /// An extract that had been loaded in vain came through. What stood in its way may stand in
  /// others' way no longer: two of the feed are due now, and each of them that comes through makes
  /// two more due. All at once would be a storm if it was for another reason after all.
  void hurry_others(const FeedConfig& feed, const Moment& now);
  /// The claim is finished, one way or the other: its place is free.
  void close(const std::string& id) {
    if (open_.close(id)) writers_.forget(id);
  }

  /// Makes the looks due that events speak of; look_at_due() does them.
  void on_events(const std::vector<DropEvent>& events, const Moment& now);
  void look_at_due(const Moment& now);
  /// Looks at one claim, due or not. One that is not waiting is passed over.
  void look_at(const std::string& id, const Moment& now);

  /// Those that became ready since the last call, in that order.
  [[nodiscard]] std::vector<ReadyExtract> take_ready() { return std::exchange(ready_, {}); }
  /// Puts what is ready into the order of the claims.
  void sort_ready();

  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_deadline() const {
    return looks_.empty() ? std::nullopt : std::optional(looks_.begin()->first);
  }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  /// Only claims are left that wait for something outside, a writer or a manifest say, and may do
  /// so for ever.
  [[nodiscard]] bool all_stuck() const { return stuck_ == waiting_.size(); }
  /// How many only have to be still.
  [[nodiscard]] std::size_t not_still() const { return writers_.not_still(); }

 private:
  struct Waiting {
    ReadyExtract extract;  // or a manifest, which never becomes ready
    bool manifest = false;
    unsigned looks = 0;
    std::chrono::steady_clock::time_point next_look;
    int watch = -1;
    std::string why;  // as the ledger has it
    std::optional<std::string> mismatch;
    bool stuck = false;  // it waits for something outside
  };
  using Place = std::map<std::string, Waiting>::iterator;
  using Time = std::chrono::steady_clock::time_point;

  Waiting& insert(const ReadyExtract& extract, const Moment& now);
  void erase(Place place);
  void look_next(Waiting& waiting, Time at);
  void set_stuck(Waiting& waiting, bool stuck);
  void put_off(Waiting& waiting, const WaitAgain& again, const Moment& now);
  /// True if the claim is settled: ready, taken, set aside, gone.
  bool look_at(Waiting& waiting, const Moment& now);
  bool judge_regular(Waiting& waiting, const ClaimLook& look, const Moment& now);
  bool take(Waiting& waiting, const ClaimLook& look, const Moment& now);
  /// A manifest came for the extract, good or bad: it need not wait for its own next look.
  void wake_extract_of(const Waiting& manifest, bool taken, const Moment& now);
  void set_aside_unread(const Waiting& waiting, const std::string& why, const Moment& now);
  void wait(Waiting& waiting, const std::string& why, std::chrono::milliseconds look_in,
            const Moment& now);
  /// The longer, the more claims wait: all looks together stay as seldom.
  [[nodiscard]] std::chrono::milliseconds slowed(std::chrono::milliseconds look_in) const;
  void make_ready(Waiting& waiting, const Moment& now);
  void watch(Waiting& waiting, int fd);
  void unwatch(const Waiting& waiting);

  const Spool& spool_;
  Ledger& ledger_;
  Inotify* inotify_;
  OpenClaims& open_;
  IntakeMessages& messages_;
  std::map<std::string, Waiting> waiting_;  // by claim id, so in the order of the claims
  // Thousands may wait, and senders choose how many: nothing goes through all of them.
  std::set<std::pair<Time, std::string>> looks_;                                   // what is due
  std::multimap<int, std::string> by_watch_;                                       // extracts
  std::multimap<std::pair<const FeedConfig*, std::string>, std::string> by_name_;  // extracts
  // Those that were loaded in vain, the least often first.
  std::set<std::tuple<const FeedConfig*, unsigned, std::string>> put_off_;
  std::size_t stuck_ = 0;
  WriterCheck writers_;
  bool told_of_lease_ = false;
  std::vector<ReadyExtract> ready_;
};

}  // namespace caravel::watcher
