// May this file be read? Two answers: nobody has it open for writing (a lease), and it has not
// changed for a while (stillness).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/moment.h"
#include "watcher/files/file_stamp.h"

namespace caravel::watcher {

enum class WriterState {
  none,     // no process of this host has the file open for writing or mapped writable
  present,  // one has
  // Else it cannot be told, and stillness decides:
  forbidden,  // the file is another user's, and we lack CAP_LEASE
  unknown,    // the file system has no leases
};

/// Takes a read lease on `fd`, which must be open read-only, and gives it back at once (fcntl(2)
/// F_SETLEASE). Never blocks. Our own read-only descriptors do not count as writers.
///
/// - A process that opens the file for writing while we hold the lease waits the microseconds until
///   we give it back (with O_NONBLOCK it gets EWOULDBLOCK), and the kernel signals the holder. The
///   default signal, SIGIO, would end us; `fd` is set to SIGURG, which is ignored by default.
/// - After `closed` from a watch (IN_CLOSE_WRITE) the answer may still be `present`: the kernel
///   reports a close before it takes the writer off its count. No second event follows, so ask
///   again: writer_recheck_delay().
/// - Writers on other hosts of a network file system are not seen: FileSystemTraits::leases_tell.
[[nodiscard]] WriterState writer_state(int fd);

/// How long to wait before writer_state() is asked again, after so many answers `present` in a row
/// (from 1): 1 ms, then four times as long each time, up to 4 s. The watch on the file brings the
/// answer at once; asking again makes sure that it comes.
[[nodiscard]] std::chrono::milliseconds writer_recheck_delay(unsigned answers);

/// Says when a file has been still: the same inode, size, mtime and ctime for `settle`. Pure. It is
/// for files of which no event says that their writer has closed them.
///
///   tracker.look(drop, name, stamp, …)   whenever the file was looked at: still, or remembered
///   tracker.next_deadline()              when to wake up
///   tracker.due(now)                     which files to look at then
///   tracker.forget(drop, name)           claimed, vanished
class StillnessTracker {
 public:
  using Key = std::pair<int, std::string>;  // the caller's number of the directory, the name
  using Deadline = std::chrono::steady_clock::time_point;

  explicit StillnessTracker(std::size_t max_files = 100'000) : max_files_(max_files) {}

  /// True if the file is still, and then it is forgotten: claim it. False: it is remembered, and
  /// due() names it once `settle` has passed. With `own_clock` a file whose mtime and ctime both
  /// are older than `settle` is still at the first look; a time in the future never is.
  [[nodiscard]] bool look(int directory, const std::string& name, const FileStamp& stamp,
                          const Moment& now, std::chrono::milliseconds settle, bool own_clock);
  void forget(int directory, const std::string& name);
  void forget_directory(int directory);

  /// The files whose deadline has come. Each is named again at the next call, until it was looked
  /// at or forgotten.
  [[nodiscard]] std::vector<Key> due(const Moment& now) const;
  [[nodiscard]] std::optional<Deadline> next_deadline() const;

  [[nodiscard]] std::size_t size() const { return files_.size(); }
  /// True, once, if look() could not remember a file since the last call, and could now: scan
  /// again.
  [[nodiscard]] bool take_missed();

 private:
  struct File {
    FileStamp stamp;
    Deadline since;
    Deadline deadline;
  };
  void erase(std::map<Key, File>::iterator file);

  std::size_t max_files_;  // senders choose how many files there are
  std::map<Key, File> files_;
  std::set<std::pair<Deadline, Key>> deadlines_;
  bool missed_ = false;
};

}  // namespace caravel::watcher
