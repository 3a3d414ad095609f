#include "watcher/tail/watch/directory_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

constexpr std::uint32_t kMask =
    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR | IN_EXCL_UNLINK;
/// Some hundred events at a time.
constexpr std::size_t kEventBytes = 16 * 1024;
/// Of each file so many names are remembered: enough to tell whose it is.
constexpr std::size_t kMostNames = 4;

}  // namespace

DirectoryWatch::DirectoryWatch(std::size_t limit)
    : limit_(limit), inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

DirectoryWatch::~DirectoryWatch() {
  if (!thread_.running()) return;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_.get(), &one, sizeof one));
  thread_.join();
}

bool DirectoryWatch::watch(const std::set<std::string>& directories, std::set<std::string> logs) {
  if (!inotify_) return false;
  const std::lock_guard lock(mutex_);
  logs_ = std::move(logs);
  bool all = true;
  std::map<int, std::string> now;
  for (const std::string& directory : directories) {
    // For a directory that is watched already this returns the same number again; for one that has
    // taken its place, a new one.
    const int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), kMask);
    if (watch >= 0) {
      now.emplace(watch, directory);
      if (!directories_.contains(watch)) news_.look_again = true;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      all = false;
    }
  }
  for (const auto& [watch, directory] : directories_) {
    if (!now.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
  }
  directories_ = std::move(now);
  return all;
}

void DirectoryWatch::start() {
  if (!inotify_ || thread_.running()) return;
  stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  // Where no thread can be had, the owner's calls of collect() must do.
  if (stop_) static_cast<void>(thread_.start<&DirectoryWatch::run>(this));
}

void DirectoryWatch::run() {
  for (;;) {
    pollfd fds[] = {{stop_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if ((fds[0].revents & POLLIN) != 0) return;
    collect();
  }
}

void DirectoryWatch::collect() {
  if (!inotify_) return;
  const std::lock_guard lock(mutex_);
  drain();
  open_appeared();
}

DirectoryWatch::News DirectoryWatch::take() {
  const std::lock_guard lock(mutex_);
  news_.missed = appeared_.take_missed();
  return std::exchange(news_, {});
}

void DirectoryWatch::drain() {
  std::vector<char> buffer(kEventBytes);
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) return;
    for (const DirectoryEvent& event :
         decode_events({buffer.data(), static_cast<std::size_t>(size)})) {
      note(event);
    }
  }
}

/// The two events of a rename have one cookie and follow each other, as a rule without others in
/// between (inotify(7)).
void DirectoryWatch::note(const DirectoryEvent& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) news_.look_again = true;
  const auto directory = directories_.find(event.watch);
  if (directory == directories_.end() || (event.mask & IN_ISDIR) != 0) return;
  if ((event.mask & IN_IGNORED) != 0) {
    directories_.erase(directory);  // the directory is gone; watch() finds the next one
    news_.look_again = true;
    return;
  }
  const std::string path = directory->second + "/" + event.name;
  // The other half of a rename did not come: the file is away.
  const bool pair = (event.mask & IN_MOVED_TO) != 0 && event.cookie == moved_cookie_;
  if (!pair && !moved_from_.empty()) appeared_.note_gone(moved_from_);
  const std::string from = std::exchange(moved_from_, {});
  if (pair && !from.empty()) {
    appeared_.note_renamed(from, path);
    if (logs_.contains(path)) appeared_.note_created(path);
  } else if ((event.mask & IN_MOVED_FROM) != 0) {
    moved_from_ = path;
    moved_cookie_ = event.cookie;
  } else if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
    appeared_.note_created(path);
  } else if ((event.mask & IN_DELETE) != 0) {
    appeared_.note_gone(path);
  }
}

void DirectoryWatch::open_appeared() {
  for (const std::string& path : appeared_.take()) open_one(path);
}

void DirectoryWatch::open_one(const std::string& name) {
  // A symlink's name is not its file's.
  char byte = 0;
  const bool is_link = ::readlink(name.c_str(), &byte, 1) >= 0;
  const std::string target = is_link ? link_target(name) : std::string();
  const std::string& path = target.empty() ? name : target;
  // Asked before it is opened: the open(2) of a device may do something.
  const auto there = stamp_of(path);
  if (!there || !*there || !(*there)->regular) return;
  for (Arrival& arrival : news_.arrivals) {
    if (!same_file(arrival.stamp.id, (*there)->id)) continue;
    if (arrival.paths.size() == kMostNames) arrival.paths.pop_back();
    arrival.paths.push_back(path);
    return;
  }
  if (news_.arrivals.size() >= limit_) {
    news_.full = true;
    return;
  }
  Arrival arrival{{path}, {}, **there};
  if (auto fd = open_log(path)) {
    const auto stamp = stamp_of(fd->get());
    if (!stamp) return;
    // The name may be another file's by now: that one has appeared as well.
    arrival.stamp = *stamp;
    arrival.fd = std::move(*fd);
  }
  news_.arrivals.push_back(std::move(arrival));
}

}  // namespace caravel::tail
