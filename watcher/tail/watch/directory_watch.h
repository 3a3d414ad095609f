// Sees files appear in directories, and opens them at once: whatever becomes of their names then,
// they can still be read.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/thread.h"
#include "watcher/tail/watch/events.h"

namespace caravel::tail {

/// A regular file that appeared, in the order of appearance.
struct Arrival {
  std::vector<std::string> paths;  // its names since then, a few; the last is the newest
  UniqueFd fd;
  Stamp stamp;
};

/// inotify(7) on directories; never on files, and not for writes: an idle agent is not woken up.
/// One thread owns this. collect() may also run in a thread of its own (start()), so that a file is
/// opened while the owner waits for a disk.
class DirectoryWatch {
 public:
  /// `limit`: of descriptors that wait in take().
  explicit DirectoryWatch(std::size_t limit);
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

  /// The directories to watch from now on; those that are not there are tried again with the next
  /// call. `logs`: what is renamed to one of these paths counts as having appeared. False: not all
  /// that are there can be watched (no inotify, or its limits), so the owner must look for itself.
  [[nodiscard]] bool watch(const std::set<std::string>& directories, std::set<std::string> logs);
  /// Begins to collect in a thread. Without one, only the calls of collect() do.
  void start();
  /// Opens what has appeared until now. Any thread.
  void collect();

  struct News {
    std::vector<Arrival> arrivals;
    bool look_again = false;          // events were lost, or a directory is another one now
    bool full = false;                // files appeared that were not opened, because of the limit
    std::vector<std::string> missed;  // files that were gone before they could be opened
  };
  /// What was collected since the last call.
  [[nodiscard]] News take();

 private:
  void run();
  void drain();
  void note(const DirectoryEvent& event);
  void open_appeared();
  void open_one(const std::string& name);

  const std::size_t limit_;
  UniqueFd inotify_;
  UniqueFd stop_;     // eventfd(2)
  std::mutex mutex_;  // guards all that follows
  std::map<int, std::string> directories_;
  std::set<std::string> logs_;
  Appeared appeared_;
  std::uint32_t moved_cookie_ = 0;
  std::string moved_from_;
  News news_;
  Thread thread_;
};

}  // namespace caravel::tail
