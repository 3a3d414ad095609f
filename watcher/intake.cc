#include "watcher/intake.h"

#include <algorithm>

#include <fmt/format.h>

#include "watcher/archive.h"
#include "watcher/pipeline.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kScanEvery{60};
/// Where no event tells of a file: how long after one scan the next follows.
constexpr seconds kPollEvery{2};
/// A drop directory that is not there is looked for so often, besides the watch on its parent.
constexpr seconds kReopenEvery{5};
/// Claims that were looked at more often wait for something: one pass does not wait with them.
constexpr unsigned kQuietLooks = 3;

}  // namespace

Intake::Intake(const Config& config, const Spool& spool, Ledger& ledger, Inotify* inotify)
    : config_(config), spool_(spool), ledger_(ledger), inotify_(inotify) {
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
  auto work = claim_root_for(spool_, spool_.fd(), spool_.path());
  if (!work) return tl::unexpected(work.error());
  work_ = std::move(*work);
  for (std::size_t i = 0; i < directories_.size(); ++i) open_directory(i, now);
  adopt(now);
  recheck_archived(now);
  for (std::size_t i = 0; i < directories_.size(); ++i) scan(i, now);
  next_scan_ = now.steady + kScanEvery;
  return {};
}

void Intake::open_directory(std::size_t index, const Moment& now) {
  DropDirectory& directory = *directories_[index];
  still_.forget_directory(static_cast<int>(index));
  auto opened = directory.open(spool_, inotify_);
  if (opened) {
    if (said_.erase(directory.path()) > 0) say(fmt::format("{}: is there again", directory.path()));
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
  const std::string& any_match = directory.feeds().front()->match;
  auto scanned = scan_directory(directory.fd(), any_match, [&](const ScanEntry& entry) {
    const DropDirectory::Judged judged = directory.judge(entry);
    if (judged.feed == nullptr) {
      if (left_alone.size() < Ledger::kMaxLeftAlone) {
        const bool takeable_name = judged.entry.verdict.kind == NameKind::candidate;
        left_alone.push_back(
            {printable(entry.name),
             std::string(takeable_name ? describe(entry.kind) : judged.entry.verdict.reason)});
      }
      return true;
    }
    if (still_.look(static_cast<int>(index), entry.name, entry.stamp, now, judged.feed->settle,
                    directory.traits().own_clock)) {
      candidates.push_back({index, judged.feed, entry.name, entry.stamp});
    } else if (in_drop[judged.feed].size() < Ledger::kMaxInDrop) {
      in_drop[judged.feed].push_back({printable(entry.name), entry.stamp.size, entry.stamp.mtime_ns,
                                      "it must be still for the settle time"});
    }
    // Claim in between: a directory may hold more names than memory should.
    if (candidates.size() >= config_.max_claims) claim_all(std::move(candidates), now);
    return true;
  });
  if (!scanned) say_error(directory.path(), with_context(directory.path(), scanned.error()));
  claim_all(std::move(candidates), now);
  for (const FeedConfig* feed : directory.feeds()) {
    auto noted = ledger_.set_in_drop(feed->name, in_drop[feed], now.wall);
    if (noted && feed == directory.feeds().front()) {
      noted = ledger_.set_left_alone(feed->name, left_alone, now.wall);
    }
    if (!noted) say_error("ledger", noted.error());
  }
  directory.next_scan = now.steady + (directory.polled() ? kPollEvery : kScanEvery);
}

void Intake::look(std::size_t index, const std::string& name, bool complete, const Moment& now,
                  std::vector<Candidate>& candidates) {
  DropDirectory& directory = *directories_[index];
  if (!directory.is_open()) return;
  auto judged = directory.look(name);
  if (!judged || !*judged || (*judged)->feed == nullptr) {
    still_.forget(static_cast<int>(index), name);
    return;
  }
  const ScanEntry& entry = (*judged)->entry;
  const FeedConfig& feed = *(*judged)->feed;
  if (complete || still_.look(static_cast<int>(index), name, entry.stamp, now, feed.settle,
                              directory.traits().own_clock)) {
    still_.forget(static_cast<int>(index), name);
    candidates.push_back({index, &feed, name, entry.stamp});
  }
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
    if (key.first == kStillClaims) continue;  // below
    look(static_cast<std::size_t>(key.first), key.second, false, now, candidates);
  }
  claim_all(std::move(candidates), now);

  for (auto place = pending_.begin(); place != pending_.end();) {
    Pending& pending = place->second;
    const bool settled = pending.next_look <= now.steady && examine(pending, now);
    place = settled ? pending_.erase(place) : std::next(place);
  }

  const bool minute = now.steady >= next_scan_;
  if (minute) {
    next_scan_ = now.steady + kScanEvery;
    recheck_archived(now);
  }
  const bool room = starved_ && open_.size() <= config_.max_claims / 2;
  if (room) starved_ = false;
  const bool missed = still_.take_missed();
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (minute || room || missed || now.steady >= directories_[i]->next_scan) scan(i, now);
  }
}

std::chrono::steady_clock::time_point Intake::next_deadline() const {
  auto next = next_scan_;
  if (const auto still = still_.next_deadline()) next = std::min(next, *still);
  for (const auto& [id, pending] : pending_) next = std::min(next, pending.next_look);
  for (const auto& directory : directories_) next = std::min(next, directory->next_scan);
  return next;
}

void Intake::claim_all(std::vector<Candidate> candidates, const Moment& now) {
  // Oldest first, so that rows arrive about in the order of their time.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.directory, a.stamp.mtime_ns, a.name) <
           std::tie(b.directory, b.stamp.mtime_ns, b.name);
  });
  for (auto from = candidates.begin(); from != candidates.end();) {
    const auto until = std::find_if(
        from, candidates.end(), [&](const Candidate& c) { return c.directory != from->directory; });
    claim_some(from->directory, {from, until}, now);
    from = until;
  }
}

void Intake::claim_some(std::size_t index, const std::vector<Candidate>& candidates,
                        const Moment& now) {
  const DropDirectory& directory = *directories_[index];
  std::vector<NewClaim> rows;
  std::vector<Claim> claims;
  for (const Candidate& candidate : candidates) {
    if (open_.size() + claims.size() >= config_.max_claims) {
      starved_ = true;
      break;
    }
    Claim claim{make_claim_id(now.wall), candidate.name};
    NewClaim row = claim_row(claim, *candidate.feed, directory.root());
    row.size = candidate.stamp.size;
    row.mtime_ns = candidate.stamp.mtime_ns;
    rows.push_back(std::move(row));
    claims.push_back(std::move(claim));
  }
  if (claims.empty()) return;
  // The row first: after a crash a claim without a file is forgotten, a file without a claim found.
  if (auto committed = ledger_.commit_claims(rows, now.wall); !committed) {
    say_error("ledger", committed.error());
    directories_[index]->next_scan = now.steady + kPollEvery;
    return;
  }
  std::vector<Claim> taken;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    auto outcome = claim(directory.root(), directory.fd(), claims[i]);
    if (!outcome) {
      say_error("claim " + claims[i].name,
                with_context(printable(claims[i].name), outcome.error()));
      directories_[index]->next_scan = now.steady + kPollEvery;
    }
    if (!outcome || *outcome == ClaimOutcome::vanished) {
      if (auto gone = ledger_.claim_gone(claims[i].id); !gone) say_error("ledger", gone.error());
      continue;
    }
    taken.push_back(claims[i]);
    pend(claims[i], candidates[i].feed, directory.root(), now);
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

void Intake::finished(const Claim& claim, const Moment& now) {
  open_.erase(claim.id);
  if (starved_) step(now);
}

bool Intake::settled() const {
  return still_.size() == 0 &&
         std::all_of(pending_.begin(), pending_.end(),
                     [](const auto& pending) { return pending.second.looks > kQuietLooks; });
}

std::vector<std::string> Intake::take_messages() { return std::exchange(messages_, {}); }

void Intake::say(std::string message) { messages_.push_back(std::move(message)); }

void Intake::say_error(const std::string& key, const Error& error) {
  std::string& said = said_[key];
  if (said == error.message) return;
  said = error.message;
  say(error.message);
}

}  // namespace caravel::watcher
