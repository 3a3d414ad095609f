#include "watcher/intake/noticing/drop_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "watcher/files/directory.h"
#include "watcher/files/mounts.h"

namespace caravel::watcher {
namespace {

/// A drop directory that cannot be opened is tried again so often, should the watch on its parent
/// not tell sooner.
constexpr std::chrono::seconds kOpenEvery{5};

/// Whether two descriptors have one directory open, by device and inode; false if fstat(2) fails.
bool same_directory(int one, int other) {
  struct stat a {};
  struct stat b {};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

}  // namespace

Result<> DropDirectory::open(const Spool& spool, Inotify* inotify) {
  close(inotify);
  // The parent says when the directory is made anew, so it is watched even if there is no directory
  // to open now.
  watch(inotify);
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_directory(path_));
  CARAVEL_ASSIGN_OR_RETURN(auto traits, file_system_of(fd.get()));
  traits_ = traits;
  CARAVEL_ASSIGN_OR_RETURN(auto root, claim_root_for(spool, fd.get(), path_));
  // The same directory again, as after a moment in which it could not be reached: claims in work
  // keep the root that they have.
  if (roots_.empty() || !same_directory(root.fd.get(), roots_.back()->fd.get())) {
    roots_.push_back(std::make_unique<ClaimRoot>(std::move(root)));
  }
  // is_open() must not be true while any of the above is missing.
  fd_ = std::move(fd);
  note_mount();
  watch(inotify);
  return {};
}

void DropDirectory::watch(Inotify* inotify) {
  watched_ = inotify != nullptr && wants_events() ? watch_what_is_missing(*inotify) : Result<>();
  if (watched_) return;
  watched_ = tl::unexpected(
      with_context(fmt::format("{}: no event tells of new files, so it is scanned every {} s",
                               path_, kPollEvery.count()),
                   std::move(watched_).error()));
}

Result<> DropDirectory::mounted() const {
  if (lost_mount_.empty()) return {};
  return fail(ErrorKind::fault,
              fmt::format("{}: the file system at {} is not mounted any more: mount it; until then "
                          "files are taken from the directory below",
                          path_, lost_mount_));
}

Result<> DropDirectory::watch_what_is_missing(Inotify& inotify) {
  // The directory first: if only one watch can be had, it is worth more there.
  if (fd_ && watch_ < 0) {
    CARAVEL_ASSIGN_OR_RETURN(watch_, inotify.watch_directory(fd_.get()));
  }
  if (parent_watch_ >= 0) return {};
  const auto parent = open_directory(std::filesystem::path(path_).parent_path().string());
  // A parent that may not be read, or is not there, cannot be watched. The directory itself then
  // tells of its own removal, and open_later() finds one that was made anew.
  if (!parent) return {};
  CARAVEL_ASSIGN_OR_RETURN(parent_watch_, inotify.watch_parent(parent->get()));
  return {};
}

void DropDirectory::note_mount() {
  const std::string now = mount_point_of(fd_.get());
  // A shorter mount point than before: what was mounted in between is gone. To the first start
  // after that it is as if nothing had ever been mounted there; then fstab(5) alone can tell.
  if (!mount_.empty() && mount_ != now && is_below(mount_, now)) {
    if (lost_mount_.empty()) lost_mount_ = mount_;
  } else if (!is_below(lost_mount_, now) || lost_mount_ == now) {
    lost_mount_.clear();
  }
  mount_ = now;
}

void DropDirectory::close(Inotify* inotify) {
  if (inotify != nullptr) {
    if (watch_ >= 0) inotify->remove(watch_);
    if (parent_watch_ >= 0) inotify->remove(parent_watch_);
  }
  // Events of the old watches may still wait in the queue: with -1 nobody takes them for news of
  // this directory.
  watch_ = parent_watch_ = -1;
  fd_.reset();
}

bool DropDirectory::is_current() const {
  struct stat by_path {};
  struct stat by_fd {};
  // stat(2) follows the path anew: a rename, a removal or a mount over the directory shows as
  // another device or inode than that of the descriptor.
  return fd_ && ::stat(path_.c_str(), &by_path) == 0 && ::fstat(fd_.get(), &by_fd) == 0 &&
         by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino;
}

DropDirectory::Judged DropDirectory::judge(ScanEntry entry) const {
  Judged judged{nullptr, std::move(entry)};
  for (const FeedConfig* feed : feeds_) {
    NameVerdict verdict = judge_name(judged.entry.name, feed->match);
    if (verdict.kind == NameKind::manifest && feed->manifest == ManifestRule::ignore) {
      verdict = {NameKind::unmatched, "is a manifest, and the feed says manifest: ignore"};
    }
    const bool good = verdict.kind == NameKind::candidate || verdict.kind == NameKind::manifest;
    // Of a name that no feed takes, the reason of the first feed is shown.
    if (feed == feeds_.front() || good) judged.entry.verdict = verdict;
    if (judged.entry.takeable()) {
      judged.feed = feed;
      break;
    }
  }
  return judged;
}

Result<std::optional<DropDirectory::Judged>> DropDirectory::look(const std::string& name) const {
  // The verdict by the first feed's pattern is only a beginning: judge() asks every feed.
  CARAVEL_ASSIGN_OR_RETURN(auto entry, look_at_name(fd_.get(), name, feeds_.front()->match));
  if (!entry) return std::nullopt;
  return judge(std::move(*entry));
}

bool DropDirectory::wants_events() const {
  return traits_.events && std::ranges::any_of(feeds_, [](const FeedConfig* feed) {
           return feed->notice == Notice::automatic;
         });
}

bool DropDirectory::polled() const {
  return !traits_.events || traits_.poll || !watched_ ||
         std::ranges::any_of(feeds_,
                             [](const FeedConfig* feed) { return feed->notice == Notice::poll; });
}

void DropDirectory::scan_begins(const Moment& now) {
  next_scan_ = now.steady + (polled() ? kPollEvery : kScanEvery);
}

void DropDirectory::scan_soon(const Moment& now) {
  next_scan_ = std::min(next_scan_, now.steady + kPollEvery);
}

void DropDirectory::open_later(const Moment& now) { next_scan_ = now.steady + kOpenEvery; }

DropDirectories drop_directories(const Config& config) {
  DropDirectories directories;
  for (const FeedConfig& feed : config.feeds) {
    auto place = std::ranges::find(directories, feed.drop,
                                   [](const auto& directory) { return directory->path(); });
    if (place == directories.end()) {
      directories.push_back(std::make_unique<DropDirectory>(feed.drop));
      place = directories.end() - 1;
    }
    (*place)->add_feed(feed);
  }
  return directories;
}

}  // namespace caravel::watcher
