#include "watcher/intake/waiting_claims.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

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

}  // namespace

void WaitingClaims::add(const ClaimedFile& file, const Moment& now) {
  ReadyExtract extract;
  extract.claim = file.claim;
  extract.feed = file.feed;
  extract.root = file.root;
  extract.claimed = now.steady;
  // The wait for a manifest goes on where a restart, or the last pass of cron, broke it off.
  if (file.claimed_at) extract.claimed -= std::max(now.wall - *file.claimed_at, Time::duration(0));
  Waiting waiting = waiting_for(extract, now);
  waiting.manifest = file.manifest;
  waiting_[file.claim.id] = std::move(waiting);
}

void WaitingClaims::add_again(const ReadyExtract& extract, const std::string& why, bool mismatched,
                              const Moment& now) {
  // Closed and opened again: how long its file was still before it was read does not count.
  close(extract.claim.id);
  Waiting& waiting = waiting_[extract.claim.id] = waiting_for(extract, now);
  if (mismatched) waiting.mismatch = why;
  wait(waiting, why, kNotReadyLook, now);
}

WaitingClaims::Waiting WaitingClaims::waiting_for(const ReadyExtract& extract, const Moment& now) {
  open_.open(extract.claim.id, *extract.feed);
  Waiting waiting;
  waiting.extract = extract;
  waiting.next_look = now.steady;
  return waiting;
}

void WaitingClaims::close(const std::string& id) {
  if (open_.close(id)) writers_.forget(id);
}

void WaitingClaims::on_events(const std::vector<DropEvent>& events, const Moment& now) {
  for (const DropEvent& event : events) {
    // Lost events may have been those of a claim, but each is looked at again by its time.
    if (event.kind == EventKind::overflow) continue;
    for (auto& [id, waiting] : waiting_) {
      if (waiting.watch == event.watch) waiting.next_look = now.steady;
    }
  }
}

void WaitingClaims::look_at_due(const Moment& now) {
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    Waiting& waiting = place->second;
    const bool settled = waiting.next_look <= now.steady && look_at(waiting, now);
    place = settled ? waiting_.erase(place) : std::next(place);
  }
}

void WaitingClaims::look_at(const std::string& id, const Moment& now) {
  const auto place = waiting_.find(id);
  if (place != waiting_.end() && look_at(place->second, now)) waiting_.erase(place);
}

bool WaitingClaims::look_at(Waiting& waiting, const Moment& now) {
  // Looks that an event brought count as well: by their number one pass (sweep) tells which claims
  // are stuck, see kQuietLooks.
  ++waiting.looks;
  const Claim& claim = waiting.extract.claim;
  auto look = watcher::look_at(*waiting.extract.root, claim);
  if (!look) {
    // An error of the disk, or of rights in work/, is no fault of the file: the claim stays.
    wait(waiting, look.error().message, kSlowLook, now);
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
      wait(waiting, look->reason, writer_recheck_delay(waiting.looks), now);
      return false;
    case ClaimState::more_links:
      // The removal of the other name changes the count of links, and the watch tells of that.
      watch(waiting, look->fd.get());
      wait(waiting, look->reason, kSlowLook, now);
      return false;
    case ClaimState::unreadable:
      // A watch needs the file open, so only time brings the next look.
      wait(waiting, look->reason, kSlowLook, now);
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
  // The watch first, then the question: a close between the two is then seen.
  watch(waiting, look.fd.get());
  if (const auto busy = writers_.busy(waiting.extract, look, waiting.looks, now)) {
    wait(waiting, busy->why, busy->look_in, now);
    return false;
  }
  if (waiting.manifest) return take(waiting, look, now);
  const auto manifest =
      wait_for_manifest(spool_, ledger_, waiting.extract, waiting.mismatch, look.stamp, now);
  // If the ledger fails here, the extract goes on: whoever loads it asks the ledger again, and has
  // the patience that this takes.
  if (messages_.check("ledger: manifests", manifest) && *manifest) {
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
    waiting.next_look = now.steady + kManifestAgain;
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
  const auto name = manifest_target(manifest.extract.claim.name);
  for (auto& [id, waiting] : waiting_) {
    const bool its = !waiting.manifest && waiting.extract.feed == manifest.extract.feed &&
                     waiting.extract.claim.name == name;
    if (!its) continue;
    // After a bad manifest the extract waits on, and says why.
    waiting.next_look = now.steady;
    // After a good one the extract is no longer stuck, so that one pass does not end before it.
    if (taken) waiting.looks = 0;
  }
}

void WaitingClaims::set_aside_unread(const Waiting& waiting, const std::string& why,
                                     const Moment& now) {
  const ReadyExtract& file = waiting.extract;
  const std::string text = waiting.manifest ? why : fmt::format("is no regular file: {}", why);
  const auto put = [&]() -> Result<> {
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
  waiting.next_look = now.steady + look_in;
  // A wait of that length is one for something outside.
  if (look_in >= kSlowLook) waiting.looks = std::max(waiting.looks, kQuietLooks + 1);
  if (waiting.looks <= kQuietLooks && !waiting.mismatch) return;
  if (waiting.why == why) return;
  waiting.why = why;
  if (waiting.manifest) return;  // no row of the ledger says why it waits
  const Claim& claim = waiting.extract.claim;
  messages_.check("ledger: claims that wait",
                  ledger_.extracts().set_waiting(claim.id, why, std::nullopt, now.wall));
  messages_.say(fmt::format("{}: waits: {}", printable(claim.name), why));
}

void WaitingClaims::make_ready(const Waiting& waiting, const Moment& now) {
  unwatch(waiting);
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
  if (inotify_ == nullptr || waiting.watch >= 0) return;
  // Without a watch the looks by the clock are slower, and enough.
  waiting.watch = inotify_->watch_file(fd).value_or(-1);
}

void WaitingClaims::unwatch(const Waiting& waiting) {
  if (inotify_ != nullptr && waiting.watch >= 0) inotify_->remove(waiting.watch);
}

void WaitingClaims::sort_ready() {
  std::ranges::stable_sort(ready_, {},
                           [](const ReadyExtract& extract) { return extract.claim.id; });
}

std::optional<std::chrono::steady_clock::time_point> WaitingClaims::next_deadline() const {
  std::optional<std::chrono::steady_clock::time_point> next;
  for (const auto& [id, waiting] : waiting_) {
    next = next ? std::min(*next, waiting.next_look) : waiting.next_look;
  }
  return next;
}

std::size_t WaitingClaims::stuck(const FeedConfig& feed) const {
  return static_cast<std::size_t>(std::ranges::count_if(waiting_, [&](const auto& one) {
    return one.second.extract.feed == &feed && one.second.looks > kQuietLooks;
  }));
}

bool WaitingClaims::all_stuck() const {
  return std::ranges::all_of(waiting_,
                             [](const auto& one) { return one.second.looks > kQuietLooks; });
}

}  // namespace caravel::watcher
