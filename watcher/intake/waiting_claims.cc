#include "watcher/intake/waiting_claims.h"

#include <algorithm>
#include <functional>
#include <random>

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/text.h"
#include "watcher/files/name_rules.h"
#include "watcher/intake/manifests.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

/// How often a file is looked at that we have no right to read, or that has a second link.
constexpr milliseconds kSlowLook{10'000};
/// When a file that proved not to be ready is looked at again.
constexpr milliseconds kNotReadyLook{1'000};
/// When a manifest is tried again that the ledger or the archive did not take.
constexpr milliseconds kManifestAgain{5'000};
/// The first looks are only moments apart, so they are not worth a word in the ledger. A claim that
/// was looked at more often waits for something outside: one pass does not wait with it.
constexpr unsigned kQuietLooks = 3;

/// After so many looks a second no more follow, however many claims wait.
constexpr milliseconds kBetweenLooks{10};
constexpr milliseconds kSlowestLook{300'000};
/// Watches are few (fs.inotify.max_user_watches), and drop directories need them more.
constexpr std::size_t kMostWatches = 1'000;

/// Between two tries of an extract that is loaded in vain: twice as long each time, and so long
/// that a try of seconds costs a hundredth of the time. All of a feed's together stay as seldom.
constexpr milliseconds kFirstTryAgain{1'000};
constexpr milliseconds kTryAgainLimit{60'000};
constexpr milliseconds kBetweenTries{200};
constexpr milliseconds kHeavyTry{1'000};
constexpr int kShareOfHeavyTry = 100;
constexpr milliseconds kSlowestTry{900'000};
/// How many an extract that came through makes due.
constexpr int kHurried = 2;

milliseconds next_try_in(const ReadyExtract& extract, milliseconds took, std::size_t others) {
  Backoff backoff(kFirstTryAgain, kTryAgainLimit);
  milliseconds wait = kFirstTryAgain;
  // By its id, so that extracts that were put off together do not come back together.
  std::mt19937_64 jitter(std::hash<std::string>()(extract.claim.id) + extract.tries);
  for (unsigned i = 0; i < std::min(extract.tries, 10U); ++i) wait = backoff.next(jitter());
  wait = std::max(wait, kBetweenTries * static_cast<int>(others));
  if (took >= kHeavyTry) wait = std::max(wait, took * kShareOfHeavyTry);
  return std::min(wait, kSlowestTry);
}

}  // namespace

void WaitingClaims::add(const ClaimedFile& file, const Moment& now) {
  ReadyExtract extract;
  extract.claim = file.claim;
  extract.feed = file.feed;
  extract.root = file.root;
  extract.claimed = now.steady;
  extract.is_new = file.is_new;
  // The wait for a manifest goes on where a restart, or the last pass of cron, broke it off.
  if (file.claimed_at) {
    extract.claimed -=
        std::max(now.wall - *file.claimed_at, std::chrono::system_clock::duration(0));
  }
  Waiting& waiting = insert(extract, now);
  waiting.manifest = file.manifest;
}

void WaitingClaims::add_again(const ReadyExtract& extract, const WaitAgain& again,
                              const Moment& now) {
  // Closed and opened again: how long its file was still before it was read does not count.
  close(extract.claim.id);
  Waiting& waiting = insert(extract, now);
  waiting.extract.is_new = false;
  if (again.reason == WaitReason::put_off || again.reason == WaitReason::refused) {
    put_off(waiting, again, now);
    return;
  }
  if (again.reason == WaitReason::mismatched) waiting.mismatch = again.why;
  wait(waiting, again.why, kNotReadyLook, now);
}

/// The pipeline has told the ledger why: only when it is tried again is known here alone.
void WaitingClaims::put_off(Waiting& waiting, const WaitAgain& again, const Moment& now) {
  ReadyExtract& extract = waiting.extract;
  ++extract.tries;
  waiting.why = again.why;
  waiting.looks = kQuietLooks + 1;
  set_stuck(waiting, true);
  put_off_.emplace(extract.feed, extract.tries, extract.claim.id);
  const milliseconds wait = next_try_in(extract, again.took, open_.resting(*extract.feed));
  look_next(waiting, now.steady + wait);
  messages_.check(
      "ledger: claims that wait",
      ledger_.extracts().set_waiting(extract.claim.id, again.why, now.wall + wait, now.wall));
  if (again.reason == WaitReason::refused) return;
  messages_.file_waits(place_of(extract.claim),
                       fmt::format("{}: waits: {}", printable(extract.claim.name), again.why));
}

void WaitingClaims::hurry_others(const FeedConfig& feed, const Moment& now) {
  auto next = put_off_.lower_bound({&feed, 0, ""});
  for (int i = 0; i < kHurried && next != put_off_.end() && std::get<0>(*next) == &feed; ++i) {
    const auto place = waiting_.find(std::get<2>(*next++));
    if (place != waiting_.end()) look_next(place->second, now.steady);
  }
}

WaitingClaims::Waiting& WaitingClaims::insert(const ReadyExtract& extract, const Moment& now) {
  const std::string& id = extract.claim.id;
  if (const auto place = waiting_.find(id); place != waiting_.end()) erase(place);
  open_.open(id, *extract.feed);
  Waiting& waiting = waiting_[id];
  waiting.extract = extract;
  look_next(waiting, now.steady);
  by_name_.emplace(std::pair(extract.feed, extract.claim.name), id);
  return waiting;
}

void WaitingClaims::erase(Place place) {
  const auto& [id, waiting] = *place;
  const ReadyExtract& extract = waiting.extract;
  looks_.erase({waiting.next_look, id});
  put_off_.erase({extract.feed, extract.tries, id});
  const auto forget = [&id = id](auto& index, const auto& key) {
    const auto [from, until] = index.equal_range(key);
    const auto one =
        std::find_if(from, until, [&](const auto& entry) { return entry.second == id; });
    if (one != until) index.erase(one);
  };
  forget(by_name_, std::pair(extract.feed, extract.claim.name));
  forget(by_watch_, waiting.watch);
  if (waiting.stuck) --stuck_;
  waiting_.erase(place);
}

void WaitingClaims::look_next(Waiting& waiting, Time at) {
  const std::string& id = waiting.extract.claim.id;
  looks_.erase({waiting.next_look, id});
  waiting.next_look = at;
  looks_.emplace(at, id);
}

void WaitingClaims::set_stuck(Waiting& waiting, bool stuck) {
  if (waiting.stuck == stuck) return;
  waiting.stuck = stuck;
  stuck ? ++stuck_ : --stuck_;
  open_.set_resting(waiting.extract.claim.id, stuck);
}

void WaitingClaims::on_events(const std::vector<DropEvent>& events, const Moment& now) {
  for (const DropEvent& event : events) {
    // Lost events may have been those of a claim, but each is looked at again by its time.
    if (event.kind == EventKind::overflow) continue;
    const auto [from, until] = by_watch_.equal_range(event.watch);
    for (auto one = from; one != until; ++one) {
      const auto place = waiting_.find(one->second);
      if (place != waiting_.end()) look_next(place->second, now.steady);
    }
  }
}

void WaitingClaims::look_at_due(const Moment& now) {
  // Each look ends the wait or puts the next look off, so this comes to an end.
  while (!looks_.empty() && looks_.begin()->first <= now.steady) {
    look_at(std::string(looks_.begin()->second), now);
  }
}

void WaitingClaims::look_at(const std::string& id, const Moment& now) {
  const auto place = waiting_.find(id);
  if (place != waiting_.end() && look_at(place->second, now)) erase(place);
}

bool WaitingClaims::look_at(Waiting& waiting, const Moment& now) {
  // Looks that an event brought count as well: by their number one pass (sweep) tells which claims
  // are stuck, see kQuietLooks.
  ++waiting.looks;
  const Claim& claim = waiting.extract.claim;
  auto look = watcher::look_at(*waiting.extract.root, claim);
  if (!look) {
    // An error of the disk, or of rights in work/, is no fault of the file: the claim stays.
    wait(waiting, look.error().message, slowed(kSlowLook), now);
    return false;
  }
  // What is no regular file with one link any more has to be still from the beginning, should it
  // become one again.
  if (look->state != ClaimState::regular) writers_.forget(claim.id);
  switch (look->state) {
    case ClaimState::regular:
      return judge_regular(waiting, *look, now);
    case ClaimState::held:
      // The first open has asked the holder to give the lease back (fcntl(2)); it has up to 45 s.
      wait(waiting, look->reason, slowed(writer_recheck_delay(waiting.looks)), now);
      return false;
    case ClaimState::more_links:
      // The removal of the other name changes the count of links, and the watch tells of that.
      watch(waiting, look->fd.get());
      wait(waiting, look->reason, slowed(kSlowLook), now);
      return false;
    case ClaimState::unreadable:
      // A watch needs the file open, so only time brings the next look.
      wait(waiting, look->reason, slowed(kSlowLook), now);
      return false;
    case ClaimState::not_regular:
      set_aside_unread(waiting, look->reason, now);
      break;
    case ClaimState::gone:
      // A person took it out of work/. A manifest has no row that could be forgotten.
      if (!waiting.manifest) {
        messages_.check("ledger: claims that are gone", ledger_.extracts().claim_gone(claim.id));
      }
      close(claim.id);
      break;
  }
  unwatch(waiting);
  messages_.file_works(place_of(claim));
  return true;
}

bool WaitingClaims::judge_regular(Waiting& waiting, const ClaimLook& look, const Moment& now) {
  auto busy = writers_.busy(waiting.extract, look, waiting.looks, now);
  if (busy) {
    // The watch, then the question once more: a close between the two is then seen.
    watch(waiting, look.fd.get());
    busy = writers_.busy(waiting.extract, look, waiting.looks, now);
  }
  if (busy) {
    if (busy->lacks_right && !std::exchange(told_of_lease_, true)) {
      messages_.say(std::string(kNeedsCapLease));
    }
    wait(waiting, busy->why, slowed(busy->look_in), now);
    return false;
  }
  if (waiting.manifest) return take(waiting, look, now);
  waiting.extract.bytes = look.stamp.size;
  const auto manifest =
      wait_for_manifest(spool_, ledger_, waiting.extract, waiting.mismatch, look.stamp, now);
  // If the ledger fails here, the extract goes on: whoever loads it asks the ledger again, and has
  // the patience that this takes.
  if (messages_.check("ledger: manifests", manifest) && *manifest) {
    watch(waiting, look.fd.get());
    wait(waiting, (*manifest)->why, (*manifest)->most, now);
    return false;
  }
  make_ready(waiting, now);
  return true;
}

bool WaitingClaims::take(Waiting& waiting, const ClaimLook& look, const Moment& now) {
  const Claim& claim = waiting.extract.claim;
  auto refusal = take_manifest(spool_, ledger_, waiting.extract, look.fd.get(), now.wall);
  if (!refusal) {
    messages_.file_fault(place_of(claim), with_context(printable(claim.name), refusal.error()));
    look_next(waiting, now.steady + kManifestAgain);
    return false;
  }
  messages_.file_works(place_of(claim));
  if (*refusal) {
    set_aside_unread(waiting, **refusal, now);
  } else {
    close(claim.id);
  }
  wake_extract_of(waiting, !*refusal, now);
  unwatch(waiting);
  return true;
}

void WaitingClaims::wake_extract_of(const Waiting& manifest, bool taken, const Moment& now) {
  const std::string name(manifest_target(manifest.extract.claim.name).value_or(""));
  const auto [from, until] = by_name_.equal_range({manifest.extract.feed, name});
  for (auto one = from; one != until; ++one) {
    const auto place = waiting_.find(one->second);
    if (place == waiting_.end() || place->second.manifest) continue;
    Waiting& waiting = place->second;
    // After a bad manifest the extract waits on, and says why.
    look_next(waiting, now.steady);
    if (!taken) continue;
    // After a good one the extract is no longer stuck, so that one pass does not end before it.
    waiting.looks = 0;
    set_stuck(waiting, false);
  }
}

void WaitingClaims::set_aside_unread(const Waiting& waiting, const std::string& why,
                                     const Moment& now) {
  const ReadyExtract& file = waiting.extract;
  const std::string text = waiting.manifest ? why : fmt::format("is no regular file: {}", why);
  const auto put = [&]() -> Result<> {
    // As in take_manifest(): it must not come to be in failed/ and in the drop directory.
    CARAVEL_TRY(sync_claim(*file.root, file.claim));
    if (waiting.manifest) {
      CARAVEL_TRY(set_aside(spool_, *file.root, file.claim, "", text));
      return {};
    }
    // A crash after this leaves a failed extract in work/: recovery puts it away.
    CARAVEL_TRY(ledger_.extracts().finish_failed(file.claim.id, text, 0, now.wall));
    CARAVEL_ASSIGN_OR_RETURN(auto extract, ledger_.extracts().find_claim(file.claim.id));
    return extract ? put_away(spool_, ledger_, *file.root, *extract) : Result<>();
  }();
  // After an error the claim is closed all the same. The file stays in work/, and the next start
  // tries again.
  messages_.check("failed/", put);
  messages_.say(fmt::format("{}: failed: {}", printable(file.claim.name), text));
  close(file.claim.id);
}

void WaitingClaims::wait(Waiting& waiting, const std::string& why, milliseconds look_in,
                         const Moment& now) {
  look_next(waiting, now.steady + std::max(look_in, milliseconds(1)));
  // A wait of that length is one for something outside.
  if (look_in >= kSlowLook) waiting.looks = std::max(waiting.looks, kQuietLooks + 1);
  if (waiting.looks > kQuietLooks) set_stuck(waiting, true);
  if (waiting.looks <= kQuietLooks && !waiting.mismatch) return;
  if (waiting.why == why) return;
  waiting.why = why;
  if (waiting.manifest) return;  // no row of the ledger says why it waits
  const Claim& claim = waiting.extract.claim;
  messages_.check("ledger: claims that wait",
                  ledger_.extracts().set_waiting(claim.id, why, std::nullopt, now.wall));
  messages_.say(fmt::format("{}: waits: {}", printable(claim.name), why));
}

milliseconds WaitingClaims::slowed(milliseconds look_in) const {
  const milliseconds least = kBetweenLooks * static_cast<int>(stuck_);
  return std::max(look_in, std::min(least, kSlowestLook));
}

void WaitingClaims::make_ready(Waiting& waiting, const Moment& now) {
  unwatch(waiting);
  set_stuck(waiting, false);
  // Only what was written down as waiting is written down as waiting no longer.
  if (!waiting.why.empty()) {
    messages_.check(
        "ledger: claims that are ready",
        ledger_.extracts().set_state(waiting.extract.claim.id, State::claimed, "", now.wall));
  }
  // The claim stays open in OpenClaims: what a worker has counts against max_claims until close()
  // or add_again().
  ready_.push_back(waiting.extract);
}

void WaitingClaims::watch(Waiting& waiting, int fd) {
  if (inotify_ == nullptr || waiting.watch >= 0 || by_watch_.size() >= kMostWatches) return;
  // Without a watch the looks by the clock are slower, and enough.
  waiting.watch = inotify_->watch_file(fd).value_or(-1);
  if (waiting.watch >= 0) by_watch_.emplace(waiting.watch, waiting.extract.claim.id);
}

void WaitingClaims::unwatch(const Waiting& waiting) {
  if (inotify_ != nullptr && waiting.watch >= 0) inotify_->remove(waiting.watch);
}

void WaitingClaims::sort_ready() {
  std::ranges::stable_sort(ready_, {},
                           [](const ReadyExtract& extract) { return extract.claim.id; });
}

}  // namespace caravel::watcher
