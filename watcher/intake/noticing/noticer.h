// Which files in the drop directories may be whole by now.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "watcher/files/completeness.h"
#include "watcher/intake/noticing/candidate.h"
#include "watcher/intake/noticing/drop_directory.h"
#include "watcher/intake/noticing/drop_events.h"
#include "watcher/intake/noticing/drop_listing.h"
#include "watcher/intake/noticing/linked_files.h"

namespace caravel::watcher {

/// A file is a candidate at once if its writer has closed it or has renamed it into place (inotify
/// says so), else once it has been still for the feed's `settle`. Scans find what events do not
/// tell of. Nothing is touched here.
class Noticer {
 public:
  /// `directories` must outlive it. A scan hands its candidates on in batches of this size.
  Noticer(const DropDirectories& directories, std::size_t batch)
      : directories_(directories), batch_(batch) {}

  struct Noticed {
    std::vector<Candidate> candidates;
    /// Of each directory, whether it must be scanned: it was replaced, or events were lost.
    std::vector<bool> rescan;
    /// Of each directory, whether a file came that no feed takes: a scan tells people of it.
    std::vector<bool> unmatched;
  };
  [[nodiscard]] Noticed on_events(const std::vector<DropEvent>& events, const Moment& now);

  /// Looks at the files that may have become still, or have lost their second link, by now.
  [[nodiscard]] std::vector<Candidate> look_at_due(const Moment& now);

  /// Looks at every file of an open directory. `claim` is called with the candidates, batch by
  /// batch, since a directory may hold more names than memory should. What is no candidate goes
  /// into `listing`.
  [[nodiscard]] Result<> scan(std::size_t directory, const Moment& now, DropListing& listing,
                              const std::function<void(std::vector<Candidate>)>& claim);

  /// The directory was opened anew: other files may have the same names.
  void forget_directory(std::size_t directory);
  /// True, once, if there were more files than can be remembered, and there is room again: scan.
  [[nodiscard]] bool take_missed() { return still_.take_missed(); }

  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_deadline() const;
  /// How many files are seen and may not be claimed yet.
  [[nodiscard]] std::size_t size() const { return still_.size() + linked_.size(); }
  /// How many of them only have to be still.
  [[nodiscard]] std::size_t not_still() const { return still_.size(); }

 private:
  /// What is a candidate already, by directory and name: thousands of events may come at a time.
  using Named = std::set<std::pair<std::size_t, std::string>>;

  void on_event(const DropEvent& event, std::size_t directory, const Moment& now, Named& named,
                Noticed& noticed);
  /// `closed`: its writer is done with it, so it need not be still. False if no feed takes the
  /// name.
  [[nodiscard]] bool look(std::size_t directory, const std::string& name, bool closed,
                          const Moment& now, std::vector<Candidate>& candidates);

  const DropDirectories& directories_;
  std::size_t batch_;
  StillnessTracker still_;
  LinkedFiles linked_;
};

}  // namespace caravel::watcher
