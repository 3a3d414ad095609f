// Renames candidates out of their drop directories, where no sender can reach them.
#pragma once

#include <set>
#include <vector>

#include "base/moment.h"
#include "watcher/intake/claimed_file.h"
#include "watcher/intake/intake_messages.h"
#include "watcher/intake/noticing/candidate.h"
#include "watcher/intake/noticing/drop_directory.h"
#include "watcher/intake/open_claims.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// Claims as many candidates as their feeds have room for. The ledger's row comes before the
/// rename: a crash between the two leaves a row without a file, which recovery forgets, and the
/// file is found again where it was.
class Claimer {
 public:
  /// All must outlive it.
  Claimer(const DropDirectories& directories, Ledger& ledger, const OpenClaims& open, Origin origin,
          IntakeMessages& messages)
      : directories_(directories),
        ledger_(ledger),
        open_(open),
        origin_(origin),
        messages_(messages) {}

  /// Still in the drop directory: a later scan finds it.
  struct Left {
    Candidate candidate;
    std::string why;  // for people
  };
  struct Outcome {
    std::vector<ClaimedFile> claimed;  // not open yet in OpenClaims, nor durable
    std::vector<Left> left;
  };
  /// Oldest first, so that rows arrive about in the order of their time; manifests before the
  /// extracts that may wait for them.
  [[nodiscard]] Outcome claim(std::vector<Candidate> candidates, const Moment& now);

  /// Files of the feed were left because it had no room. Until that is forgotten, a file that comes
  /// later does not overtake them.
  [[nodiscard]] bool is_starved(const FeedConfig& feed) const { return starved_.contains(&feed); }
  [[nodiscard]] bool any_starved() const { return !starved_.empty(); }
  /// Forgets it of the feeds that have room again, by `has_room`. True if there are such feeds:
  /// scan for their files.
  template <class HasRoom>
  bool forget_starved(HasRoom has_room) {
    return std::erase_if(starved_, [&](const FeedConfig* feed) { return has_room(*feed); }) > 0;
  }
  void forget_all_starved() { starved_.clear(); }

 private:
  struct Chosen {
    Candidate candidate;
    Claim claim;
  };
  void claim_in(DropDirectory& directory, std::vector<Candidate> candidates, const Moment& now,
                Outcome& outcome);
  /// Those that there is room for; the others go to `left`.
  std::vector<Chosen> choose(const DropDirectory& directory, std::vector<Candidate> candidates,
                             const Moment& now, std::vector<Left>& left);
  void name_claims(std::vector<Chosen>& chosen, const Moment& now, std::vector<Left>& left);
  /// Whether nothing seems to stand in the way of a file that is still in its drop directory. Asked
  /// only where so many claims wait that a further one must not: the claim alone tells for sure.
  [[nodiscard]] bool could_go(const DropDirectory& directory, const Candidate& candidate) const;
  bool commit(const DropDirectory& directory, const std::vector<Chosen>& chosen, const Moment& now);
  void rename(DropDirectory& directory, Chosen chosen, const Moment& now, Outcome& outcome);

  const DropDirectories& directories_;
  Ledger& ledger_;
  const OpenClaims& open_;
  const Origin origin_;
  IntakeMessages& messages_;
  std::set<const FeedConfig*> starved_;
  Time last_claim_;  // the time in the id of the last claim
};

}  // namespace caravel::watcher
