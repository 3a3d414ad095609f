#include "watcher/intake/intake.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/ledger/drop_names.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kScanEvery{60};
/// Where no event tells of a file: how long after one scan the next follows.
constexpr seconds kPollEvery{2};
/// A drop directory that is not there is looked for so often, besides the watch on its parent.
constexpr seconds kReopenEvery{5};
/// A file that proved not to be ready is looked at again after this.
constexpr seconds kNotReadyLook{1};
/// A file with more than one link is looked at again after this, then after ever longer, up to the
/// scan of every minute.
constexpr milliseconds kLinkedLook{20};
constexpr std::size_t kMaxLinked = 1000;
/// Claims that were looked at more often wait for something: one pass does not wait with them.
constexpr unsigned kQuietLooks = 3;

}  // namespace

Intake::Intake(const Config& config, const Spool& spool, Ledger& ledger, Inotify* inotify,
               Origin origin)
    : config_(config), spool_(spool), ledger_(ledger), inotify_(inotify), origin_(origin) {
  for (const FeedConfig& feed : config.feeds) {
    auto place = std::find_if(directories_.begin(), directories_.end(), [&](const auto& directory) {
      return directory->path() == feed.drop;
    });
    if (place == directories_.end()) {
      directories_.push_back(std::make_unique<DropDirectory>(feed.drop));
      place = directories_.end() - 1;
    }
    (*place)->add_feed(feed);
  }
}

Result<> Intake::start(const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto work, claim_root_for(spool_, spool_.fd(), spool_.path()));
  work_ = std::move(work);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    // Drop directories inside the spool are ours to make; others are the administrator's.
    DropDirectory& directory = *directories_[i];
    if (directory.path().starts_with(spool_.path() + "/")) {
      (void)::mkdir(directory.path().c_str(), 0755);
    }
    open_directory(i, now);
  }
  started_ = true;
  adopt(now);
  recheck_archived(now);
  for (std::size_t i = 0; i < directories_.size(); ++i) scan(i, now);
  // What was claimed before goes before what the scan found.
  examine_due(now);
  std::stable_sort(ready_.begin(), ready_.end(),
                   [](const auto& a, const auto& b) { return a.claim.id < b.claim.id; });
  next_scan_ = now.steady + kScanEvery;
  return {};
}

void Intake::open_directory(std::size_t index, const Moment& now) {
  DropDirectory& directory = *directories_[index];
  still_.forget_directory(static_cast<int>(index));
  std::erase_if(linked_,
                [&](const auto& file) { return file.first.first == static_cast<int>(index); });
  auto opened = directory.open(spool_, inotify_);
  if (opened) {
    if (said_.erase(directory.path()) > 0) say(fmt::format("{}: is there again", directory.path()));
    // It may hold claims of before: on another file system they lie in the directory itself.
    if (started_) adopt(now);
  } else {
    say_error(directory.path(), with_context("drop directory", opened.error()));
    directory.next_scan = now.steady + kReopenEvery;
  }
}

void Intake::scan(std::size_t index, const Moment& now) {
  DropDirectory& directory = *directories_[index];
  if (!directory.is_open() || !directory.is_current()) {
    open_directory(index, now);
    if (!directory.is_open()) return;
  }
  std::vector<Candidate> candidates;
  std::map<const FeedConfig*, std::vector<InDrop>> in_drop;
  std::vector<LeftAlone> left_alone;
  // Before anything can ask for an earlier one.
  directory.next_scan = now.steady + (directory.polled() ? kPollEvery : kScanEvery);
  const auto note_unclaimed = [&](std::vector<Candidate> found) {
    for (const Candidate& candidate : claim_all(std::move(found), now)) {
      if (candidate.manifest || in_drop[candidate.feed].size() >= DropNames::kMaxInDrop) continue;
      in_drop[candidate.feed].push_back(
          {printable(candidate.name), candidate.stamp.size, candidate.stamp.mtime_ns,
           starved_.contains(candidate.feed) ? "max_claims extracts of its feed are in work"
                                             : "it could not be claimed: see the log"});
    }
  };
  const std::string& any_match = directory.feeds().front()->match;
  auto scanned = scan_directory(directory.fd(), any_match, [&](const ScanEntry& entry) {
    const DropDirectory::Judged judged = directory.judge(entry);
    if (judged.feed == nullptr) {
      if (left_alone.size() < DropNames::kMaxLeftAlone) {
        left_alone.push_back(
            {printable(entry.name),
             std::string(judged.entry.has_good_name() ? describe(entry.kind)
                                                      : judged.entry.verdict.reason)});
      }
      return true;
    }
    if (still_.look(static_cast<int>(index), entry.name, entry.stamp, now, judged.feed->settle,
                    directory.traits().own_clock)) {
      candidates.push_back({index, judged.feed, entry.name, entry.stamp, judged.is_manifest()});
    } else if (!judged.is_manifest() && in_drop[judged.feed].size() < DropNames::kMaxInDrop) {
      in_drop[judged.feed].push_back({printable(entry.name), entry.stamp.size, entry.stamp.mtime_ns,
                                      "it must be still for the settle time"});
    }
    // Claim in between: a directory may hold more names than memory should.
    if (candidates.size() >= config_.max_claims) note_unclaimed(std::exchange(candidates, {}));
    return true;
  });
  if (!scanned) say_error(directory.path(), with_context(directory.path(), scanned.error()));
  note_unclaimed(std::move(candidates));
  for (const FeedConfig* feed : directory.feeds()) {
    auto noted = ledger_.drop_names().set_in_drop(feed->name, in_drop[feed], now.wall, origin_);
    // A capture's own outbox holds nothing else; a watcher of the same feed writes these.
    if (noted && feed == directory.feeds().front() && origin_ != Origin::capture) {
      noted = ledger_.drop_names().set_left_alone(feed->name, left_alone, now.wall);
    }
    if (!noted) say_error("ledger", noted.error());
  }
}

void Intake::look(std::size_t index, const std::string& name, bool complete, const Moment& now,
                  std::vector<Candidate>& candidates) {
  DropDirectory& directory = *directories_[index];
  if (!directory.is_open()) return;
  const StillnessTracker::Key key{static_cast<int>(index), name};
  auto judged = directory.look(name);
  if (!judged || !*judged || (*judged)->feed == nullptr) {
    still_.forget(key.first, name);
    const bool linked = judged && *judged && (*judged)->entry.kind == FileKind::linked &&
                        (*judged)->entry.has_good_name();
    linked ? wait_for_links(key, now) : void(linked_.erase(key));
    return;
  }
  linked_.erase(key);
  const ScanEntry& entry = (*judged)->entry;
  const FeedConfig& feed = *(*judged)->feed;
  if (complete || still_.look(static_cast<int>(index), name, entry.stamp, now, feed.settle,
                              directory.traits().own_clock)) {
    still_.forget(static_cast<int>(index), name);
    candidates.push_back({index, &feed, name, entry.stamp, (*judged)->is_manifest()});
  }
}

void Intake::wait_for_links(const StillnessTracker::Key& key, const Moment& now) {
  auto place = linked_.find(key);
  if (place == linked_.end()) {
    if (linked_.size() >= kMaxLinked) return;  // the scan of every minute finds it
    place = linked_.emplace(key, Linked{kLinkedLook, {}}).first;
  } else if (place->second.next_look <= now.steady) {
    place->second.delay *= 2;
    if (place->second.delay >= kScanEvery) {
      linked_.erase(place);
      return;
    }
  }
  place->second.next_look = now.steady + place->second.delay;
}

void Intake::on_events(const std::vector<DropEvent>& events, const Moment& now) {
  std::vector<Candidate> candidates;
  std::vector<bool> rescan(directories_.size(), false);
  for (const DropEvent& event : events) {
    if (event.kind == EventKind::overflow) {
      rescan.assign(directories_.size(), true);
      continue;
    }
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      const DropDirectory& directory = *directories_[i];
      if (event.watch == directory.watch()) {
        if (event.kind == EventKind::watch_gone) {
          rescan[i] = true;
        } else if (!event.name.empty() && !event.is_directory) {
          const auto same = [&](const Candidate& c) {
            return c.directory == i && c.name == event.name;
          };
          if (std::none_of(candidates.begin(), candidates.end(), same)) {
            look(i, event.name, event.kind == EventKind::complete, now, candidates);
          }
        }
      } else if (event.watch == directory.parent_watch() && !directory.is_current()) {
        rescan[i] = true;
      }
    }
    for (auto& [id, pending] : pending_) {
      if (pending.watch == event.watch) pending.next_look = now.steady;
    }
  }
  claim_all(std::move(candidates), now);
  for (std::size_t i = 0; i < rescan.size(); ++i) {
    if (rescan[i]) scan(i, now);
  }
  step(now);
}

void Intake::step(const Moment& now) {
  std::vector<Candidate> candidates;
  for (const StillnessTracker::Key& key : still_.due(now)) {
    look(static_cast<std::size_t>(key.first), key.second, false, now, candidates);
  }
  std::vector<StillnessTracker::Key> linked;
  for (const auto& [key, file] : linked_) {
    if (file.next_look <= now.steady) linked.push_back(key);
  }
  for (const StillnessTracker::Key& key : linked) {
    look(static_cast<std::size_t>(key.first), key.second, false, now, candidates);
  }
  claim_all(std::move(candidates), now);

  examine_due(now);

  const bool minute = now.steady >= next_scan_;
  if (minute) {
    next_scan_ = now.steady + kScanEvery;
    recheck_archived(now);
    starved_.clear();
  }
  const bool room =
      std::erase_if(starved_, [&](const FeedConfig* feed) { return is_worth_a_scan(*feed); }) > 0;
  const bool missed = still_.take_missed();
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (minute || room || missed || now.steady >= directories_[i]->next_scan) scan(i, now);
  }
}

std::chrono::steady_clock::time_point Intake::next_deadline() const {
  auto next = next_scan_;
  if (const auto still = still_.next_deadline()) next = std::min(next, *still);
  for (const auto& [key, file] : linked_) next = std::min(next, file.next_look);
  for (const auto& [id, pending] : pending_) next = std::min(next, pending.next_look);
  for (const auto& directory : directories_) next = std::min(next, directory->next_scan);
  return next;
}

bool Intake::has_room(const FeedConfig& feed, std::size_t more) const {
  const auto open = open_count_.find(&feed);
  return (open == open_count_.end() ? 0 : open->second) + more < config_.max_claims;
}

std::vector<Intake::Candidate> Intake::claim_all(std::vector<Candidate> candidates,
                                                 const Moment& now) {
  // Oldest first, so that rows arrive about in the order of their time; manifests before all that
  // may wait for them.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    const bool a_later = !a.manifest;
    const bool b_later = !b.manifest;
    return std::tie(a.directory, a_later, a.stamp.mtime_ns, a.name) <
           std::tie(b.directory, b_later, b.stamp.mtime_ns, b.name);
  });
  std::vector<Candidate> left;
  for (auto from = candidates.begin(); from != candidates.end();) {
    const auto until = std::find_if(
        from, candidates.end(), [&](const Candidate& c) { return c.directory != from->directory; });
    std::vector<Candidate> some(std::make_move_iterator(from), std::make_move_iterator(until));
    claim_some(some.front().directory, some, now);
    std::move(some.begin(), some.end(), std::back_inserter(left));
    from = until;
  }
  return left;
}

/// Leaves those in `candidates` that were not claimed and are still there.
void Intake::claim_some(std::size_t index, std::vector<Candidate>& candidates, const Moment& now) {
  const DropDirectory& directory = *directories_[index];
  std::vector<NewClaim> rows;
  std::vector<Claim> claims;
  std::vector<Candidate> chosen;
  std::vector<Candidate> left;
  std::map<const FeedConfig*, std::size_t> more;
  for (Candidate& candidate : candidates) {
    // Manifests stay only for a moment, and extracts in work may wait for them.
    // Those that came before wait for the scan that there being room brings.
    const bool full =
        starved_.contains(candidate.feed) || !has_room(*candidate.feed, more[candidate.feed]);
    if (!candidate.manifest && full) {
      starved_.insert(candidate.feed);
      left.push_back(std::move(candidate));
      continue;
    }
    ++more[candidate.feed];
    // Ids ascend with the claims, so that a start goes on in the same order.
    last_claim_ = std::max(now.wall, last_claim_ + std::chrono::microseconds(1));
    Claim claim{candidate.manifest ? make_manifest_claim_id(last_claim_, candidate.feed->name)
                                   : make_claim_id(last_claim_),
                candidate.name};
    if (!candidate.manifest) {
      NewClaim row = claim_row(claim, *candidate.feed, directory.root());
      row.size = candidate.stamp.size;
      row.mtime_ns = candidate.stamp.mtime_ns;
      rows.push_back(std::move(row));
    }
    claims.push_back(std::move(claim));
    chosen.push_back(std::move(candidate));
  }
  candidates = std::move(left);
  if (claims.empty()) return;
  const auto again_soon = [&] {
    auto& next = directories_[index]->next_scan;
    next = std::min(next, now.steady + kPollEvery);
  };
  // The row first: after a crash a claim without a file is forgotten, a file without a claim found.
  if (auto committed = ledger_.extracts().commit_claims(rows, now.wall); !committed) {
    say_error("ledger", committed.error());
    again_soon();
    std::move(chosen.begin(), chosen.end(), std::back_inserter(candidates));
    return;
  }
  std::vector<Claim> taken;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    auto outcome = claim(directory.root(), directory.fd(), claims[i]);
    if (!outcome) {
      say_error("claim " + claims[i].name,
                with_context(printable(claims[i].name), outcome.error()));
      again_soon();
      candidates.push_back(chosen[i]);
    }
    if (!outcome || *outcome == ClaimOutcome::vanished) {
      if (chosen[i].manifest) continue;
      if (auto gone = ledger_.extracts().claim_gone(claims[i].id); !gone)
        say_error("ledger", gone.error());
      continue;
    }
    taken.push_back(claims[i]);
    pend(claims[i], chosen[i].feed, directory.root(), now).manifest = chosen[i].manifest;
  }
  if (auto synced = sync_claims(directory.root(), directory.fd(), taken); !synced) {
    say_error("sync", synced.error());
  }
  for (const Claim& claim : taken) {
    const auto place = pending_.find(claim.id);
    if (place != pending_.end() && examine(place->second, now)) pending_.erase(place);
  }
}

std::vector<ReadyExtract> Intake::take_ready() { return std::exchange(ready_, {}); }

void Intake::finished(const ReadyExtract& extract, Ending ending, const std::string& why,
                      const Moment& now) {
  close_claim(extract.claim.id);
  if (ending == Ending::not_ready || ending == Ending::mismatched) {
    Pending& pending = pend(extract.claim, extract.feed, *extract.root, now);
    pending.extract = extract;
    pending.mismatched = ending == Ending::mismatched;
    wait_for(pending, why, kNotReadyLook, now);
  }
  if (!starved_.empty()) step(now);
}

void Intake::close_claim(const std::string& id) {
  const auto open = open_.find(id);
  if (open == open_.end()) return;
  --open_count_[open->second];
  open_.erase(open);
  still_claims_.forget(0, id);
}

bool Intake::settled() const {
  return still_.size() + still_claims_.size() == 0 && claims_settled();
}

bool Intake::claims_settled() const {
  return std::all_of(pending_.begin(), pending_.end(),
                     [](const auto& pending) { return pending.second.looks > kQuietLooks; });
}

std::vector<std::string> Intake::take_messages() { return std::exchange(messages_, {}); }

void Intake::say(std::string message) { messages_.push_back(std::move(message)); }

void Intake::say_error(const std::string& key, const Error& error) {
  ++faults_;
  std::string& said = said_[key];
  if (said == error.message) return;
  said = error.message;
  say(error.message);
}

}  // namespace caravel::watcher
