#include "watcher/files/completeness.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/moment.h"

namespace caravel::watcher {
namespace {

/// Whether a file's time lies at least `settle` before `now`.
bool older(std::int64_t time_ns, std::chrono::system_clock::time_point now,
           std::chrono::milliseconds settle) {
  const auto limit = (now - settle).time_since_epoch();
  return time_ns <= std::chrono::duration_cast<std::chrono::nanoseconds>(limit).count();
}

}  // namespace

WriterState writer_state(int fd) {
  // Before the lease: a writer may break it the moment we hold it. A signal whose default is to be
  // ignored needs no disposition of ours, and so cannot be forgotten by a program or a test.
  if (::fcntl(fd, F_SETSIG, SIGURG) != 0) return WriterState::unknown;
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) != 0) {
    // EAGAIN: somebody has the file open for writing. Other errors say nothing about writers:
    // EACCES without CAP_LEASE, EINVAL where the file system knows no leases (fcntl(2)).
    if (errno == EAGAIN) return WriterState::present;
    return errno == EACCES ? WriterState::forbidden : WriterState::unknown;
  }
  // A crash here is no matter: the lease goes with the descriptor.
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return WriterState::none;
}

std::chrono::milliseconds writer_recheck_delay(unsigned answers) {
  constexpr unsigned kMaxDoublings = 12;  // 2^12 ms: 4 s
  const unsigned doublings = std::min(answers == 0 ? 0 : (answers - 1) * 2, kMaxDoublings);
  return std::chrono::milliseconds(1U << doublings);
}

bool StillnessTracker::look(int directory, const std::string& name, const FileStamp& stamp,
                            const Moment& now, std::chrono::milliseconds settle, bool own_clock) {
  Key key{directory, name};
  auto file = files_.find(key);
  // Both times: a copy may keep an old mtime (scp -p, rsync -t), but its ctime is always new.
  if (own_clock && older(stamp.mtime_ns, now.wall, settle) &&
      older(stamp.ctime_ns, now.wall, settle)) {
    if (file != files_.end()) erase(file);
    return true;
  }
  if (file == files_.end()) {
    // A scan finds it again once others are claimed: take_missed().
    if (files_.size() >= max_files_) {
      missed_ = true;
      return false;
    }
    file = files_.emplace(key, File{stamp, now.steady, now.steady + settle}).first;
    deadlines_.emplace(file->second.deadline, std::move(key));
    return false;
  }
  File& known = file->second;
  if (known.stamp != stamp) {
    known.stamp = stamp;
    known.since = now.steady;
  }
  // By the steady clock: a wall clock that is set, or that of a file server, moves no deadline.
  if (now.steady - known.since >= settle) {
    erase(file);
    return true;
  }
  // The file has changed, or another feed with another `settle` has it now.
  if (const auto deadline = known.since + settle; deadline != known.deadline) {
    deadlines_.erase({known.deadline, key});
    known.deadline = deadline;
    deadlines_.emplace(deadline, std::move(key));
  }
  return false;
}

void StillnessTracker::forget(int directory, const std::string& name) {
  if (const auto file = files_.find({directory, name}); file != files_.end()) erase(file);
}

void StillnessTracker::forget_directory(int directory) {
  for (auto file = files_.lower_bound({directory, ""});
       file != files_.end() && file->first.first == directory;) {
    erase(file++);
  }
}

std::vector<StillnessTracker::Key> StillnessTracker::due(const Moment& now) const {
  std::vector<Key> keys;
  // In the order of the deadlines, so that the first that has not come ends it.
  for (const auto& [deadline, key] : deadlines_) {
    if (deadline > now.steady) break;
    keys.push_back(key);
  }
  return keys;
}

std::optional<StillnessTracker::Deadline> StillnessTracker::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

bool StillnessTracker::take_missed() {
  if (!missed_ || files_.size() >= max_files_) return false;
  missed_ = false;
  return true;
}

void StillnessTracker::erase(std::map<Key, File>::iterator file) {
  deadlines_.erase({file->second.deadline, file->first});
  files_.erase(file);
}

}  // namespace caravel::watcher
