#include "watcher/intake/noticing/drop_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

/// Where no event tells of a file, one scan follows the other after this time.
constexpr std::chrono::seconds kPollEvery{2};
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
  auto watched = [&]() -> Result<> {
    if (inotify == nullptr) return {};
    // The parent says when the directory is made anew, so it is watched even if there is no
    // directory to open now.
    CARAVEL_ASSIGN_OR_RETURN(auto parent,
                             open_directory(std::filesystem::path(path_).parent_path().string()));
    CARAVEL_ASSIGN_OR_RETURN(auto watch, inotify->watch_parent(parent.get()));
    parent_watch_ = watch;
    return {};
  }();
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_directory(path_));
  if (!watched) return watched;
  CARAVEL_ASSIGN_OR_RETURN(auto traits, file_system_of(fd.get()));
  traits_ = traits;
  CARAVEL_ASSIGN_OR_RETURN(auto root, claim_root_for(spool, fd.get(), path_));
  // The same directory again, as after a moment in which it could not be reached: claims in work
  // keep the root that they have.
  if (roots_.empty() || !same_directory(root.fd.get(), roots_.back()->fd.get())) {
    roots_.push_back(std::make_unique<ClaimRoot>(std::move(root)));
  }
  // Where no events come, a watch would only cost one of the user's (fs.inotify.max_user_watches).
  if (inotify != nullptr && !(polled() && !traits_.events)) {
    CARAVEL_ASSIGN_OR_RETURN(auto watch, inotify->watch_directory(fd.get()));
    watch_ = watch;
  }
  // The last step: is_open() must not be true while any of the above is missing.
  fd_ = std::move(fd);
  return {};
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

bool DropDirectory::polled() const {
  return !traits_.events || traits_.poll ||
         std::any_of(feeds_.begin(), feeds_.end(),
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
