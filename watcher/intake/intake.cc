#include "watcher/intake/intake.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/ledger/directories.h"

namespace caravel::watcher {

Intake::Intake(const Config& config, const Spool& spool, Ledger& ledger, Inotify* inotify,
               Origin origin)
    : spool_(spool),
      ledger_(ledger),
      inotify_(inotify),
      origin_(origin),
      directories_(drop_directories(config)),
      open_(config.max_claims),
      noticer_(directories_, config.max_claims),
      claimer_(directories_, ledger, open_, origin, messages_),
      waiting_(spool, ledger, inotify, open_, messages_),
      recovery_(config, spool, ledger, directories_, open_, origin, messages_),
      taken_back_(config, spool, ledger, origin, messages_) {}

Result<> Intake::start(const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto work, claim_root_for(spool_, spool_.fd(), spool_.path()));
  work_ = std::move(work);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    // Drop directories inside the spool are ours to make; others are the administrator's.
    const std::string& path = directories_[i]->path();
    if (path.starts_with(spool_.path() + "/")) (void)::mkdir(path.c_str(), 0755);
    open_directory(i, now);
  }
  // Recovery first: claims from before the start count against max_claims when the scan claims
  // more.
  adopt(now);
  recheck_archived(now);
  take_retries(now);
  // Extracts that were claimed before the start go before those that the scan finds.
  waiting_.look_at_due(now);
  waiting_.sort_ready();
  for (std::size_t i = 0; i < directories_.size(); ++i) scan(i, now);
  waiting_.look_at_due(now);
  next_scan_ = now.steady + kScanEvery;
  return {};
}

void Intake::open_directory(std::size_t index, const Moment& now) {
  DropDirectory& directory = *directories_[index];
  // Another directory may be there now: how long its files were still is not known.
  noticer_.forget_directory(index);
  auto opened = directory.open(spool_, inotify_);
  if (!opened) {
    opened = tl::unexpected(with_context("drop directory", std::move(opened).error()));
    directory.open_later(now);
  }
  tell_of(directory, opened, now);
}

void Intake::tell_of(const DropDirectory& directory, const Result<>& opened, const Moment& now) {
  const std::string& path = directory.path();
  messages_.check(path, opened, fmt::format("{}: is there again", path));
  DirectoryState state = DirectoryState::closed;
  Result<> worst = opened;
  if (opened) {
    // What is not asked of a closed directory lasts until it is open again.
    const Result<> mounted = directory.mounted();
    messages_.check("events of " + path, directory.watched(),
                    fmt::format("{}: events tell of new files again", path));
    messages_.check("mount of " + path, mounted, fmt::format("{}: is mounted again", path));
    worst = mounted ? directory.watched() : mounted;
    state = !mounted ? DirectoryState::unmounted
            : !worst ? DirectoryState::polled
                     : DirectoryState::well;
  }
  messages_.check(
      "ledger: state of " + path,
      ledger_.directories().set(path, state, worst ? "" : worst.error().message, now.wall));
}

void Intake::scan(std::size_t index, const Moment& now) {
  DropDirectory& directory = *directories_[index];
  if (!directory.is_current()) {
    open_directory(index, now);
    if (!directory.is_open()) return;
    // On another file system the claims of before lie in the directory itself.
    adopt(now);
  } else {
    directory.watch(inotify_);
    tell_of(directory, {}, now);
  }
  // Before the claims: one that fails asks for an earlier scan (scan_soon()).
  directory.scan_begins(now);
  DropListing listing;
  const auto scanned = noticer_.scan(index, now, listing, [&](std::vector<Candidate> found) {
    for (const Claimer::Left& left : claim(std::move(found), now)) {
      const Candidate& file = left.candidate;
      if (!file.manifest) listing.add_waiting(*file.feed, file.name, file.stamp, left.why);
    }
    if (on_ready) on_ready();
  });
  // Files that events found are claimed between two scans; only a scan sees all that is left, so
  // only a scan tells `status` what lies in the directory.
  messages_.check("scan of " + directory.path(), scanned);
  messages_.forget_vanished_files(directory.path(), directory.fd());
  for (const std::string& name : listing.unmatched()) {
    const std::string path = directory.path() + "/" + name;
    messages_.file_waits(path,
                         fmt::format("{}: matches no feed; it is left alone", printable(path)));
  }
  messages_.check("ledger: names in " + directory.path(),
                  listing.write(ledger_, directory, origin_, now.wall));
}

void Intake::on_events(const std::vector<DropEvent>& events, const Moment& now) {
  // A claim that becomes ready in step() must have heard of its events before, and a scan must not
  // come before the claims of the files that events named: they are whole, and need no stillness.
  Noticer::Noticed noticed = noticer_.on_events(events, now);
  waiting_.on_events(events, now);
  claim(std::move(noticed.candidates), now);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (noticed.rescan[i]) scan(i, now);
    if (noticed.unmatched[i]) directories_[i]->scan_soon(now);
  }
  step(now);
}

void Intake::step(const Moment& now) {
  // What could not be claimed is not kept in memory: the file is still in the drop directory, and a
  // scan finds it there, soon (scan_soon()) or when its feed has room again.
  claim(noticer_.look_at_due(now), now);
  waiting_.look_at_due(now);

  // inotify(7) can lose events, and no event comes from other hosts of a network file system: what
  // was missed is found within a minute.
  const bool minute = now.steady >= next_scan_;
  if (minute) {
    next_scan_ = now.steady + kScanEvery;
    recovery_.put_away_again(*work_);
    recheck_archived(now);
    take_retries(now);
    taken_back_.note_removed(now);
    claimer_.forget_all_starved();
  }
  // Files of a starved feed were left in the drop directory. They are looked for once enough places
  // are free; until then newer files of the feed wait too, so that none overtakes them.
  const bool room =
      claimer_.forget_starved([&](const FeedConfig& feed) { return open_.is_worth_a_scan(feed); });
  const bool missed = noticer_.take_missed();
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (minute || room || missed || now.steady >= directories_[i]->next_scan()) scan(i, now);
  }
}

std::chrono::steady_clock::time_point Intake::next_deadline() const {
  auto next = next_scan_;
  if (const auto noticing = noticer_.next_deadline()) next = std::min(next, *noticing);
  if (const auto waiting = waiting_.next_deadline()) next = std::min(next, *waiting);
  for (const auto& directory : directories_) next = std::min(next, directory->next_scan());
  return next;
}

std::vector<Claimer::Left> Intake::claim(std::vector<Candidate> candidates, const Moment& now) {
  Claimer::Outcome outcome = claimer_.claim(std::move(candidates), now);
  add(outcome.claimed, now);
  // Most files are whole when they are claimed: they become ready at once.
  for (const ClaimedFile& file : outcome.claimed) waiting_.look_at(file.claim.id, now);
  return std::move(outcome.left);
}

void Intake::add(const std::vector<ClaimedFile>& files, const Moment& now) {
  for (const ClaimedFile& file : files) waiting_.add(file, now);
}

void Intake::adopt(const Moment& now) { add(recovery_.adopt(*work_, now), now); }

void Intake::recheck_archived(const Moment& now) { add(taken_back_.changed(*work_, now), now); }

void Intake::take_retries(const Moment& now) {
  const std::vector<ClaimedFile> files = taken_back_.asked_for(*work_, now);
  add(files, now);
  for (const ClaimedFile& file : files) waiting_.look_at(file.claim.id, now);
}

void Intake::finished(const ReadyExtract& extract, const Moment& now) {
  waiting_.close(extract.claim.id);
  messages_.file_works(place_of(extract.claim));
  if (extract.tries > 0) waiting_.hurry_others(*extract.feed, now);
  // Files may have been left for want of a place: do not leave this one free until the next event.
  if (claimer_.any_starved()) step(now);
}

void Intake::wait_again(const ReadyExtract& extract, const WaitAgain& again, const Moment& now) {
  waiting_.add_again(extract, again, now);
  if (claimer_.any_starved()) step(now);
}

bool Intake::settled() const {
  return noticer_.not_still() + waiting_.not_still() == 0 && claims_settled();
}

}  // namespace caravel::watcher
