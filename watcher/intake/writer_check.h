// Whether somebody still writes a claimed file.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/moment.h"
#include "watcher/files/completeness.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {

/// What an administrator can do about that; said in the log once.
inline constexpr std::string_view kNeedsCapLease =
    "files of other users are taken only once they are still for the settle time: the right "
    "CAP_LEASE is missing, with which a read lease says at once whether somebody has them open. In "
    "a unit: AmbientCapabilities=CAP_LEASE (the shipped ones have it); or let the senders' files "
    "belong to this user; or set the feed's settle";

/// Asks for a lease where one tells of every writer there can be (writer_state()). Elsewhere a file
/// counts as whole once it was still for the feed's `settle_without_lease`.
class WriterCheck {
 public:
  struct Busy {
    std::string why;  // for people
    std::chrono::milliseconds look_in;
    bool lacks_right = false;  // a lease would tell, and we may not take one: kNeedsCapLease
  };
  /// Nothing if nobody writes the file, which is open in `look`. `looks`: how often
  /// this claim was looked at, with this time.
  [[nodiscard]] std::optional<Busy> busy(const ReadyExtract& extract, const ClaimLook& look,
                                         unsigned looks, const Moment& now);
  /// The claim is settled, or its file is something else now: how long it was still is no matter.
  void forget(const std::string& claim) { still_.forget(0, claim); }
  /// How many claims only have to be still.
  [[nodiscard]] std::size_t not_still() const { return still_.size(); }

 private:
  // Its deadlines are not asked for: whoever asks busy() knows when to ask again.
  StillnessTracker still_;
};

}  // namespace caravel::watcher
