// Intake: what happens to a claim until it is ready, and what a restart takes up.
#include <algorithm>

#include <fmt/format.h>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/files/host_name.h"
#include "watcher/intake/intake.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A file that nobody may read, or that has a second name, is looked at so often.
constexpr milliseconds kSlowLook{10'000};
/// The first looks at a claim are only moments apart: they are not worth a word in the ledger.
constexpr unsigned kQuietLooks = 3;
constexpr std::chrono::hours kRecheckFor{1};

}  // namespace

NewClaim Intake::claim_row(const Claim& claim, const FeedConfig& feed,
                           const ClaimRoot& root) const {
  NewClaim row;
  row.claim = claim.id;
  row.feed = feed.name;
  row.name = claim.name;
  row.path = fmt::format("{}/{}/{}", root.path, claim.id, claim.name);
  row.origin = origin_;
  row.store = feed.store;
  row.host = host_name();
  return row;
}

Intake::Pending& Intake::pend(const Claim& claim, const FeedConfig* feed, const ClaimRoot& root,
                              const Moment& now, std::optional<Time> claimed_at) {
  if (open_.emplace(claim.id, feed).second) ++open_count_[feed];
  Pending pending;
  pending.extract.claim = claim;
  pending.extract.feed = feed;
  pending.extract.root = &root;
  pending.extract.claimed = now.steady;
  // The wait for a manifest goes on where a restart, or the last pass of cron, broke it off.
  if (claimed_at) pending.extract.claimed -= std::max(now.wall - *claimed_at, Time::duration(0));
  pending.next_look = now.steady;
  return pending_[claim.id] = std::move(pending);
}

bool Intake::is_worth_a_scan(const FeedConfig& feed) const {
  // What waits for something outside may do so for ever: the others share what is left.
  const auto stuck = static_cast<std::size_t>(
      std::count_if(pending_.begin(), pending_.end(), [&](const auto& one) {
        return one.second.extract.feed == &feed && one.second.looks > kQuietLooks;
      }));
  const auto open = open_count_.find(&feed);
  const std::size_t moving = open == open_count_.end() ? 0 : open->second - stuck;
  return has_room(feed, 0) && moving <= (config_.max_claims - stuck) / 2;
}

void Intake::examine_due(const Moment& now) {
  for (auto place = pending_.begin(); place != pending_.end();) {
    Pending& pending = place->second;
    const bool settled = pending.next_look <= now.steady && examine(pending, now);
    place = settled ? pending_.erase(place) : std::next(place);
  }
}

bool Intake::examine(Pending& pending, const Moment& now) {
  ++pending.looks;
  auto look = look_at(*pending.extract.root, pending.extract.claim);
  if (!look) {
    wait_for(pending, look.error().message, kSlowLook, now);
    return false;
  }
  // What it was still for does not count once it is something else.
  if (look->state != ClaimState::regular) still_claims_.forget(0, pending.extract.claim.id);
  switch (look->state) {
    case ClaimState::regular:
      return judge_writer(pending, *look, now);
    case ClaimState::held:
      wait_for(pending, look->reason, writer_recheck_delay(pending.looks), now);
      return false;
    case ClaimState::more_links:
      if (inotify_ != nullptr && pending.watch < 0 && look->fd) {
        pending.watch = inotify_->watch_file(look->fd.get()).value_or(-1);
      }
      wait_for(pending, look->reason, kSlowLook, now);
      return false;
    case ClaimState::unreadable:
      wait_for(pending, look->reason, kSlowLook, now);
      return false;
    case ClaimState::not_regular:
      set_aside_unread(pending, look->reason, now);
      return true;
    case ClaimState::gone:
      if (pending.manifest) {
        // Nothing was written down of it.
      } else if (auto gone = ledger_.extracts().claim_gone(pending.extract.claim.id); !gone) {
        say_error("ledger", gone.error());
      }
      close_claim(pending.extract.claim.id);
      return true;
  }
  return false;
}

bool Intake::judge_writer(Pending& pending, const ClaimLook& look, const Moment& now) {
  const auto traits = file_system_of(look.fd.get());
  const bool leases_tell = traits && traits->leases_tell;
  // Watch first, then ask: a close in between is then seen.
  if (inotify_ != nullptr && pending.watch < 0) {
    pending.watch = inotify_->watch_file(look.fd.get()).value_or(-1);
  }
  const WriterState writer = writer_state(look.fd.get());
  if (writer == WriterState::present) {
    still_claims_.forget(0, pending.extract.claim.id);
    wait_for(pending, "a process has it open for writing", writer_recheck_delay(pending.looks),
             now);
    return false;
  }
  if (writer == WriterState::unknown || !leases_tell) {
    // Nobody can say whether it is open: it counts as whole once it was still long enough. Its
    // ctime is the rename of the claim, so this is at least `settle` from now.
    const milliseconds settle = pending.extract.feed->settle_without_lease;
    const std::string& id = pending.extract.claim.id;
    if (!still_claims_.look(0, id, look.stamp, now, settle, false)) {
      wait_for(pending, "no lease can be taken here: it must be still for the settle time", settle,
               now);
      return false;
    }
  }
  if (pending.manifest) return take_manifest(pending, look, now);
  if (awaits_manifest(pending, look, now)) return false;
  make_ready(pending, now);
  return true;
}

void Intake::wait_for(Pending& pending, const std::string& why, milliseconds delay,
                      const Moment& now) {
  pending.next_look = now.steady + delay;
  // Whoever waits that long waits for something outside.
  if (delay >= kSlowLook) pending.looks = std::max(pending.looks, kQuietLooks + 1);
  if (pending.looks <= kQuietLooks && !pending.mismatched) return;
  if (pending.why == why) return;
  pending.why = why;
  if (pending.manifest) return;
  auto noted =
      ledger_.extracts().set_waiting(pending.extract.claim.id, why, std::nullopt, now.wall);
  if (!noted) say_error("ledger", noted.error());
  say(fmt::format("{}: waits: {}", printable(pending.extract.claim.name), why));
}

void Intake::make_ready(Pending& pending, const Moment& now) {
  if (inotify_ != nullptr && pending.watch >= 0) inotify_->remove(pending.watch);
  if (!pending.why.empty()) {
    auto noted =
        ledger_.extracts().set_state(pending.extract.claim.id, State::claimed, "", now.wall);
    if (!noted) say_error("ledger", noted.error());
  }
  ready_.push_back(pending.extract);
}

void Intake::set_aside_unread(const Pending& pending, const std::string& why, const Moment& now) {
  const std::string& id = pending.extract.claim.id;
  const std::string text = pending.manifest ? why : fmt::format("is no regular file: {}", why);
  auto put = [&]() -> Result<> {
    if (pending.manifest) {
      auto path = set_aside(spool_, *pending.extract.root, pending.extract.claim, "", text);
      return path ? Result<>() : tl::unexpected(path.error());
    }
    CARAVEL_TRY(ledger_.extracts().finish_failed(id, text, 0, now.wall));
    CARAVEL_ASSIGN_OR_RETURN(auto extract, ledger_.extracts().find_claim(id));
    return extract ? put_away(spool_, ledger_, *pending.extract.root, *extract) : Result<>();
  }();
  if (!put) say_error("failed/", put.error());
  say(fmt::format("{}: failed: {}", printable(pending.extract.claim.name), text));
  close_claim(id);
}

const FeedConfig* Intake::feed_for(const std::string& name, NameKind kind,
                                   const DropDirectory* directory) const {
  // Claims of all drop directories on the spool's file system lie together in work/.
  for (const auto& each : directories_) {
    if (directory != nullptr && each.get() != directory) continue;
    for (const FeedConfig* feed : each->feeds()) {
      if (judge_name(name, feed->match).kind == kind) return feed;
    }
  }
  return nullptr;
}

void Intake::adopt(const Moment& now) {
  auto unfinished = ledger_.extracts().unfinished(origin_);
  auto put_off = ledger_.extracts().not_archived(origin_);
  if (!unfinished || !put_off) {
    say_error("ledger", (unfinished ? put_off.error() : unfinished.error()));
    return;
  }
  std::map<std::string, Extract> known;
  for (auto* const extracts : {&*unfinished, &*put_off}) {
    for (Extract& extract : *extracts) {
      // Captures of other feeds have spools of their own.
      const bool other = origin_ == Origin::capture && config_.find_feed(extract.feed) == nullptr;
      if (!other) known.emplace(extract.claim, std::move(extract));
    }
  }

  adopt_root(*work_, nullptr, known, now);
  bool all_roots_open = true;
  for (const auto& directory : directories_) {
    if (!directory->is_open()) {
      all_roots_open = false;
    } else if (!directory->root().in_spool) {
      adopt_root(directory->root(), directory.get(), known, now);
    }
  }
  if (!all_roots_open) return;
  // A row without a file: the crash came between its commit and the rename (the next scan finds the
  // file where it was), or after the move into done/ and before the ledger heard of it.
  for (const auto& [id, extract] : known) {
    if (open_.contains(id)) continue;
    Result<> settled;
    if (extract.state == State::done || extract.state == State::failed) {
      settled = put_away(spool_, ledger_, *work_, extract);
    } else if (extract.sha256.empty()) {
      settled = ledger_.extracts().claim_gone(id);
    } else {
      settled = ledger_.extracts().finish_failed(id, "its file is gone from work/",
                                                 extract.counts.lines, now.wall);
    }
    if (!settled) say_error("ledger " + id, settled.error());
  }
}

void Intake::adopt_root(const ClaimRoot& root, const DropDirectory* directory,
                        std::map<std::string, Extract>& known, const Moment& now) {
  auto claims = list_claims(root);
  if (!claims) {
    say_error(root.path, claims.error());
    return;
  }
  for (const Claim& claim : *claims) {
    const auto place = known.find(claim.id);
    if (open_.contains(claim.id)) {  // in work already: this is not the first time
      if (place != known.end()) known.erase(place);
      continue;
    }
    const FeedConfig* feed = nullptr;
    std::optional<Time> claimed_at;
    const bool manifest = place == known.end() && manifest_target(claim.name);
    if (manifest) {
      feed = config_.find_feed(feed_of_claim_id(claim.id));
      if (feed == nullptr) feed = feed_for(claim.name, NameKind::manifest, directory);
    } else if (place != known.end()) {
      const Extract extract = std::move(place->second);
      known.erase(place);
      if (extract.state == State::done || extract.state == State::failed) {
        auto put = put_away(spool_, ledger_, root, extract);
        if (!put) say_error(claim.name, put.error());
        continue;
      }
      feed = config_.find_feed(extract.feed);
      claimed_at = extract.claimed_at;
    } else if ((feed = feed_for(claim.name, NameKind::candidate, directory)) != nullptr) {
      const NewClaim row = claim_row(claim, *feed, root);
      if (auto committed = ledger_.extracts().commit_claims({row}, now.wall); !committed) {
        say_error("ledger", committed.error());
        continue;
      }
    }
    if (feed == nullptr) {
      say(fmt::format("{}/{}/{}: no feed takes it; it is left where it is", root.path, claim.id,
                      printable(claim.name)));
      continue;
    }
    pend(claim, feed, root, now, claimed_at).manifest = manifest;
  }
}

void Intake::recheck_archived(const Moment& now) {
  auto archived = ledger_.extracts().done_since(now.wall - kRecheckFor, origin_);
  if (!archived) {
    say_error("ledger", archived.error());
    return;
  }
  for (const Extract& extract : *archived) {
    if (!extract.done_path.starts_with(spool_.path() + "/done/")) {
      continue;
    }
    const std::string relative = extract.done_path.substr(spool_.path().size() + 1);
    auto stamp = stamp_in_spool(spool_, relative);
    FileStamp read;
    read.size = extract.size;
    read.mtime_ns = extract.mtime_ns;
    if (!stamp || !*stamp || !changed_since(read, **stamp)) continue;
    const FeedConfig* feed = config_.find_feed(extract.feed);
    if (feed == nullptr) continue;
    const Claim claim{make_claim_id(now.wall), extract.name};
    NewClaim row = claim_row(claim, *feed, *work_);
    row.size = (*stamp)->size;
    row.mtime_ns = (*stamp)->mtime_ns;
    auto taken = [&]() -> Result<> {
      CARAVEL_TRY(ledger_.extracts().commit_claims({row}, now.wall));
      CARAVEL_TRY(reclaim(spool_, relative, claim));
      return ledger_.extracts().set_done_path(extract.claim, row.path);
    }();
    if (!taken) {
      say_error("recheck " + extract.claim, taken.error());
      continue;
    }
    say(fmt::format("{}: was written to after it was loaded; it is loaded again as a new extract",
                    printable(extract.name)));
    pend(claim, feed, *work_, now);
  }
}

}  // namespace caravel::watcher
