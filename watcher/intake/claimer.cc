#include "watcher/intake/claimer.h"

#include <fcntl.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "watcher/files/completeness.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/manifests.h"
#include "watcher/spool/claim_batch.h"

namespace caravel::watcher {
namespace {

constexpr char kSeeTheLog[] = "it could not be claimed: see the log";

ClaimedFile claimed_file(const DropDirectory& directory, const Candidate& candidate,
                         const Claim& claim) {
  return {claim, candidate.feed, &directory.root(), candidate.manifest, true, std::nullopt};
}

}  // namespace

Claimer::Outcome Claimer::claim(std::vector<Candidate> candidates, const Moment& now) {
  // Manifests come first: an extract that is looked at right after its claim then finds its
  // manifest in the ledger and need not wait. The name only settles ties of the mtime, so that the
  // order does not depend on readdir(3).
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    const bool a_later = !a.manifest;
    const bool b_later = !b.manifest;
    return std::tie(a.directory, a_later, a.stamp.mtime_ns, a.name) <
           std::tie(b.directory, b_later, b.stamp.mtime_ns, b.name);
  });
  // One transaction for all claims of a directory: it takes the ledger's lock, which workers want.
  Outcome outcome;
  for (auto from = candidates.begin(); from != candidates.end();) {
    const std::size_t directory = from->directory;
    const auto until = std::find_if(from, candidates.end(),
                                    [&](const Candidate& c) { return c.directory != directory; });
    claim_in(*directories_[directory],
             {std::make_move_iterator(from), std::make_move_iterator(until)}, now, outcome);
    from = until;
  }
  return outcome;
}

void Claimer::claim_in(DropDirectory& directory, std::vector<Candidate> candidates,
                       const Moment& now, Outcome& outcome) {
  std::vector<Chosen> all_chosen = choose(directory, std::move(candidates), now, outcome.left);
  if (all_chosen.empty()) return;
  // The row before the rename. A crash between the two leaves rows without files, which recovery
  // forgets. The other order would leave files in work/ of which nobody knows when they came.
  if (!commit(directory, all_chosen, now)) {
    directory.scan_soon(now);
    for (Chosen& chosen : all_chosen) {
      outcome.left.push_back({std::move(chosen.candidate), kSeeTheLog});
    }
    return;
  }
  // One file that cannot be renamed holds up no other: rename() reports it and goes on.
  for (Chosen& chosen : all_chosen) rename(directory, std::move(chosen), now, outcome);
}

std::vector<Claimer::Chosen> Claimer::choose(const DropDirectory& directory,
                                             std::vector<Candidate> candidates, const Moment& now,
                                             std::vector<Left>& left) {
  std::vector<Chosen> chosen;
  std::map<const FeedConfig*, std::size_t> more;  // chosen here, so not open yet
  for (Candidate& candidate : candidates) {
    const FeedConfig& feed = *candidate.feed;
    // A manifest is in work only for a moment, and extracts in work may wait for it: it needs no
    // room.
    if (!candidate.manifest && (is_starved(feed) || !open_.has_room(feed, more[&feed]))) {
      starved_.insert(&feed);
      left.push_back({std::move(candidate), "max_claims extracts of its feed are in work"});
      continue;
    }
    if (!candidate.manifest && !open_.has_room_to_rest(feed, more[&feed]) &&
        !could_go(directory, candidate)) {
      left.push_back(
          {std::move(candidate), "it cannot be loaded yet, and too many of its feed wait already"});
      continue;
    }
    ++more[&feed];
    chosen.push_back({std::move(candidate), {}});
  }
  name_claims(chosen, now, left);
  return chosen;
}

/// Those of a feed that are claimed together have a directory together (claim_batch.h).
void Claimer::name_claims(std::vector<Chosen>& chosen, const Moment& now, std::vector<Left>& left) {
  std::map<const FeedConfig*, std::vector<Chosen*>> feeds;
  for (Chosen& one : chosen) feeds[one.candidate.feed].push_back(&one);
  std::set<std::string> taken;
  for (const auto& [feed, claims] : feeds) {
    // Ids ascend, so that a start goes on in about the same order. The clock may be set back, or
    // stand still: then the next id lies one microsecond above the last.
    last_claim_ = std::max(now.wall, last_claim_ + std::chrono::microseconds(1));
    const bool all_named =
        std::ranges::all_of(claims, [](const Chosen* one) { return one->candidate.manifest; });
    const std::string id = all_named || feed->name.size() <= kLongestFeedInId
                               ? make_claim_id(last_claim_, feed->name)
                               : make_claim_id(last_claim_);
    for (Chosen* const one : claims) {
      const std::string& name = one->candidate.name;
      one->claim = {claims.size() == 1 ? id : claim_id_in_batch(id, name), name};
      // A hash that two names have: one of them waits for the next batch.
      if (!taken.insert(one->claim.id).second) one->claim.id.clear();
    }
  }
  for (Chosen& one : chosen) {
    if (one.claim.id.empty()) left.push_back({std::move(one.candidate), kSeeTheLog});
  }
  std::erase_if(chosen, [](const Chosen& one) { return one.claim.id.empty(); });
}

bool Claimer::could_go(const DropDirectory& directory, const Candidate& candidate) const {
  const FeedConfig& feed = *candidate.feed;
  if (feed.manifest != ManifestRule::ignore &&
      (feed.manifest == ManifestRule::required || parse_tail_name(candidate.name))) {
    const auto known = ledger_.manifests().for_name(feed.name, candidate.name);
    if (!known || known->empty()) return false;
  }
  // It is opened by a name that a sender may exchange: nothing here blocks or follows a link.
  const UniqueFd fd(::openat(directory.fd(), candidate.name.c_str(),
                             O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  return fd && writer_state(fd.get()) == WriterState::none;
}

bool Claimer::commit(const DropDirectory& directory, const std::vector<Chosen>& all_chosen,
                     const Moment& now) {
  std::vector<NewClaim> rows;
  for (const auto& [candidate, claim] : all_chosen) {
    // A manifest gets no row: its claim id names the feed (make_claim_id()), and after a crash
    // recovery finds it by that and takes it again.
    if (candidate.manifest) continue;
    NewClaim row = row_of(claimed_file(directory, candidate, claim), origin_);
    row.size = candidate.stamp.size;
    row.mtime_ns = candidate.stamp.mtime_ns;
    rows.push_back(std::move(row));
  }
  // Neither row nor rename waits for the disk: whoever loads the extract sees to that
  // (Durability, watcher/pipeline). A loss of power before that leaves the file in the one place or
  // the other, with or without its row, and recovery goes by the claim id.
  return messages_.check("ledger: claims",
                         ledger_.extracts().commit_claims(rows, now.wall, Commit::unsynced),
                         "the ledger takes claims again");
}

void Claimer::rename(DropDirectory& directory, Chosen chosen, const Moment& now, Outcome& outcome) {
  const auto& [candidate, claim] = chosen;
  // Whatever stands behind the name by now is taken, unopened. A look at the claim judges it, where
  // no sender can exchange it any more.
  auto renamed = watcher::claim(directory.root(), directory.fd(), claim);
  if (!renamed) renamed = tl::unexpected(with_context(printable(claim.name), renamed.error()));
  messages_.check_file(directory.path() + "/" + claim.name, renamed);
  if (renamed && *renamed == ClaimOutcome::claimed) {
    outcome.claimed.push_back(claimed_file(directory, candidate, claim));
    return;
  }
  // A crash before the row is forgotten leaves a row without a file, as one before the rename does.
  if (!candidate.manifest) {
    messages_.check("ledger: claims that are gone", ledger_.extracts().claim_gone(claim.id));
  }
  // A file that vanished is no fault: its sender took it back. After any other error the file is
  // still in the drop directory, and the next scan finds it.
  if (!renamed) {
    directory.scan_soon(now);
    outcome.left.push_back({std::move(chosen.candidate), kSeeTheLog});
  }
}

}  // namespace caravel::watcher
