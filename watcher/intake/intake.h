// From the drop directories to claimed extracts that may be read.
//
//   inotify ---events---+
//                       v
//   drop/NAME -scan-> Noticer ---Candidate---> Claimer ---ClaimedFile---> WaitingClaims
//                     still, or closed         a row in the ledger,       one link, no writer,
//                     by its writer            then a rename              its manifest
//                                                                              |
//   work/ after a crash -----> Recovery ---ClaimedFile---> WaitingClaims       | ReadyExtract
//   done/, changed since ----> TakenBack ---ClaimedFile--> WaitingClaims       v
//   failed/, asked for ------> TakenBack                                  whoever loads it
//
// Nothing goes back to an earlier stage but an extract that proved not to be ready, which waits
// again. Everything here is one thread's. Logic takes `now`; the caller holds the clock and
// poll(2).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "watcher/config/config.h"
#include "watcher/intake/claimer.h"
#include "watcher/intake/intake_messages.h"
#include "watcher/intake/noticing/drop_directory.h"
#include "watcher/intake/noticing/inotify.h"
#include "watcher/intake/noticing/noticer.h"
#include "watcher/intake/open_claims.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/intake/recovery.h"
#include "watcher/intake/taken_back.h"
#include "watcher/intake/waiting_claims.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/claim.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Puts the stages together and says when each has something to do.
class Intake {
 public:
  /// All must outlive it. `inotify` is null for one pass (sweep): then only scans find files.
  /// `origin` tells a capture's own extracts from those of drop directories: a watcher and captures
  /// share one ledger.
  Intake(const Config& config, const Spool& spool, Ledger& ledger, Inotify* inotify,
         Origin origin = Origin::drop);
  Intake(const Intake&) = delete;  // its stages refer to each other
  Intake& operator=(const Intake&) = delete;

  /// Called whenever some extracts have become ready and more work is ahead: whoever takes them
  /// (take_ready()) need not wait for that. May be empty.
  std::function<void()> on_ready;

  /// Opens the drop directories, takes up what a crash left in work/, and scans once. A drop
  /// directory that cannot be opened is reported and tried again; it stops no other.
  [[nodiscard]] Result<> start(const Moment& now);

  /// What inotify said.
  void on_events(const std::vector<DropEvent>& events, const Moment& now);
  /// Whatever is due: files that have become still, claims that wait, scans.
  void step(const Moment& now);
  /// When step() has something to do next.
  [[nodiscard]] std::chrono::steady_clock::time_point next_deadline() const;

  /// Those that became ready since the last call, in that order.
  [[nodiscard]] std::vector<ReadyExtract> take_ready() { return waiting_.take_ready(); }
  /// An extract that was taken is through, or was given up: its place is free.
  void finished(const ReadyExtract& extract, const Moment& now);
  /// An extract that was taken could not be read, or was loaded in vain. It becomes ready again
  /// once that may have changed.
  void wait_again(const ReadyExtract& extract, const WaitAgain& again, const Moment& now);

  /// For one pass: nothing waits for its settle time, and no claim for a writer that was seen only
  /// a moment ago.
  [[nodiscard]] bool settled() const;
  /// The same, without the files in the drop directories: some never hold still.
  [[nodiscard]] bool claims_settled() const { return waiting_.all_stuck(); }
  /// How often something went wrong that a person should see to.
  [[nodiscard]] std::size_t faults() const { return messages_.faults(); }
  /// How many files are seen or claimed and may not be read yet.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size() + noticer_.size(); }

  /// Looks once more at what was archived within the last hour: a file that changed since is taken
  /// again, as a new extract.
  void recheck_archived(const Moment& now);
  /// Takes up what `caravel retry` asks for. step() does so each minute.
  void take_retries(const Moment& now);

  /// Messages since the last call: what is wrong, in words. A lasting fault is said once.
  [[nodiscard]] std::vector<std::string> take_messages() { return messages_.take(); }

 private:
  void open_directory(std::size_t index, const Moment& now);
  /// Tells the log and `status` whether the directory is there, and whether events tell of it.
  void tell_of(const DropDirectory& directory, const Result<>& opened, const Moment& now);
  void scan(std::size_t index, const Moment& now);
  void adopt(const Moment& now);
  /// Returns those that could not be claimed now; a later scan finds them again.
  std::vector<Claimer::Left> claim(std::vector<Candidate> candidates, const Moment& now);
  void add(const std::vector<ClaimedFile>& files, const Moment& now);

  const Spool& spool_;
  Ledger& ledger_;
  Inotify* inotify_;
  const Origin origin_;
  std::optional<ClaimRoot> work_;  // SPOOL/work, wherever the drop directories are
  IntakeMessages messages_;
  DropDirectories directories_;
  OpenClaims open_;
  Noticer noticer_;
  Claimer claimer_;
  WaitingClaims waiting_;
  Recovery recovery_;
  TakenBack taken_back_;
  std::chrono::steady_clock::time_point next_scan_{};  // of all directories
};

}  // namespace caravel::watcher
