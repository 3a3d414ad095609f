// From the drop directories to claimed extracts that may be read: notices, claims, waits.
//
//   drop/NAME  --event or scan-->  claim (ledger, then rename)  --nobody writes-->  ready
//
// Everything here is one thread's. Logic takes `now`; who calls it holds the clock and the poll(2).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "watcher/config/config.h"
#include "watcher/files/completeness.h"
#include "watcher/files/scan.h"
#include "watcher/intake/drop_directory.h"
#include "watcher/intake/inotify.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/ledger.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// A claimed extract that is whole, as far as completeness can be told.
struct ReadyExtract {
  Claim claim;
  const FeedConfig* feed = nullptr;
  const ClaimRoot* root = nullptr;  // valid as long as the Intake
  /// When it was claimed; its manifest, or a good transfer, is waited for from then on.
  std::chrono::steady_clock::time_point claimed{};
  /// It was waited for long enough: what is not as its manifest says is given up.
  bool last_chance = false;
  /// How many manifests had come for it, and its stamp, when it was found ready.
  std::size_t manifests = 0;
  FileStamp stamp{};
};

class Intake {
 public:
  /// All must outlive it. `inotify` is null for one pass (sweep): then only scans find files.
  /// `origin` tells a capture's own extracts from those of drop directories: a watcher and captures
  /// share one ledger.
  Intake(const Config& config, const Spool& spool, Ledger& ledger, Inotify* inotify,
         Origin origin = Origin::drop);

  /// Opens the drop directories, takes up what a crash left in work/, and scans once. A drop
  /// directory that cannot be opened is reported and tried again; it stops no other.
  [[nodiscard]] Result<> start(const Moment& now);

  /// What inotify said.
  void on_events(const std::vector<DropEvent>& events, const Moment& now);
  /// Whatever is due: still files, claims that wait for their writers, the scan of every minute.
  void step(const Moment& now);
  /// When step() has something to do next.
  [[nodiscard]] std::chrono::steady_clock::time_point next_deadline() const;

  /// Those that became ready since the last call, in that order.
  [[nodiscard]] std::vector<ReadyExtract> take_ready();
  /// An extract that was taken is through (or given up): its place is free. With `not_ready` and
  /// `mismatched` it is waited for again, and `why` says for what.
  void finished(const ReadyExtract& extract, Ending ending, const std::string& why,
                const Moment& now);

  /// For one pass: nothing waits for its settle time, and no claim for a writer that was seen only
  /// a moment ago.
  [[nodiscard]] bool settled() const;
  /// The same, without those in the drop directories: some never hold still.
  [[nodiscard]] bool claims_settled() const;
  /// How often something went wrong that a person should see to.
  [[nodiscard]] std::size_t faults() const { return faults_; }
  /// How many files are seen or claimed and may not be read yet.
  [[nodiscard]] std::size_t waiting() const {
    return pending_.size() + still_.size() + linked_.size();
  }

  /// Looks once more at what was archived within the last hour: a file that changed since is taken
  /// again, as a new extract.
  void recheck_archived(const Moment& now);

  /// Messages since the last call: what is wrong, in words. A lasting fault is said once.
  [[nodiscard]] std::vector<std::string> take_messages();

 private:
  struct Candidate {
    std::size_t directory = 0;
    const FeedConfig* feed = nullptr;
    std::string name;
    FileStamp stamp;
    bool manifest = false;
  };
  /// A claim whose file may not be read yet.
  struct Pending {
    ReadyExtract extract;
    unsigned looks = 0;
    std::chrono::steady_clock::time_point next_look;
    int watch = -1;
    std::string why;          // as the ledger has it
    bool manifest = false;    // the ledger has no row of it: a crash makes it found again
    bool mismatched = false;  // its content was not what its manifest says
  };
  /// A file that has more than one link still.
  struct Linked {
    std::chrono::milliseconds delay;
    std::chrono::steady_clock::time_point next_look;
  };

  void open_directory(std::size_t index, const Moment& now);
  void scan(std::size_t index, const Moment& now);
  void look(std::size_t index, const std::string& name, bool complete, const Moment& now,
            std::vector<Candidate>& candidates);
  void wait_for_links(const StillnessTracker::Key& key, const Moment& now);
  /// Returns those that could not be claimed now; a later scan finds them again.
  std::vector<Candidate> claim_all(std::vector<Candidate> candidates, const Moment& now);
  void claim_some(std::size_t directory, std::vector<Candidate>& candidates, const Moment& now);
  [[nodiscard]] bool has_room(const FeedConfig& feed, std::size_t more) const;
  /// Whether there is room for so many of a feed's extracts that a scan for them is worth it.
  [[nodiscard]] bool is_worth_a_scan(const FeedConfig& feed) const;
  void adopt(const Moment& now);
  /// `directory`: the drop directory whose claims alone lie in `root`; nullptr for work/.
  void adopt_root(const ClaimRoot& root, const DropDirectory* directory,
                  std::map<std::string, Extract>& known, const Moment& now);
  [[nodiscard]] const FeedConfig* feed_for(const std::string& name, NameKind kind,
                                           const DropDirectory* directory) const;
  /// From now on the claim is waited for, until it is ready.
  /// `claimed_at`: when that was, if it was before now.
  Pending& pend(const Claim& claim, const FeedConfig* feed, const ClaimRoot& root,
                const Moment& now, std::optional<Time> claimed_at = std::nullopt);
  [[nodiscard]] NewClaim claim_row(const Claim& claim, const FeedConfig& feed,
                                   const ClaimRoot& root) const;
  void examine_due(const Moment& now);
  /// True if it is settled one way or the other: ready, set aside, gone.
  bool examine(Pending& pending, const Moment& now);
  bool judge_writer(Pending& pending, const ClaimLook& look, const Moment& now);
  void wait_for(Pending& pending, const std::string& why, std::chrono::milliseconds delay,
                const Moment& now);
  bool awaits_manifest(Pending& pending, const ClaimLook& look, const Moment& now);
  void make_ready(Pending& pending, const Moment& now);
  /// The same as examine().
  bool take_manifest(Pending& pending, const ClaimLook& look, const Moment& now);
  void set_aside_unread(const Pending& pending, const std::string& why, const Moment& now);
  void close_claim(const std::string& id);
  void say(std::string message);
  void say_error(const std::string& key, const Error& error);

  const Config& config_;
  const Spool& spool_;
  Ledger& ledger_;
  Inotify* inotify_;
  const Origin origin_;
  std::optional<ClaimRoot> work_;  // SPOOL/work, wherever the drop directories are
  std::vector<std::unique_ptr<DropDirectory>> directories_;
  StillnessTracker still_;
  // Of claims where no lease tells. When to look at one is its Pending's to say: the deadlines of
  // this tracker are not asked for.
  StillnessTracker still_claims_;
  // Senders that link a finished file into place remove its first name right after, which no watch
  // on this directory tells of.
  std::map<StillnessTracker::Key, Linked> linked_;
  std::map<std::string, Pending> pending_;  // by claim id, so in the order of the claims
  Time last_claim_;                         // its id's time
  std::vector<ReadyExtract> ready_;
  std::map<std::string, const FeedConfig*> open_;  // claims not finished, by id
  std::map<const FeedConfig*, std::size_t> open_count_;
  std::set<const FeedConfig*> starved_;  // reached max_claims: scan again when there is room
  bool started_ = false;
  std::size_t faults_ = 0;
  std::chrono::steady_clock::time_point next_scan_{};
  std::vector<std::string> messages_;
  std::map<std::string, std::string> said_;  // lasting faults, by what they are about
};

}  // namespace caravel::watcher
