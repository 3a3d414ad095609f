// The spool: the directories that every extract goes through, and the lock on them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/spool/room.h"

namespace caravel::watcher {

/// The lock is held as long as this lives. It is gone with the process, however that ends
/// (flock(2)).
class SpoolLock {
 public:
  explicit SpoolLock(UniqueFd fd) : fd_(std::move(fd)) {}
  SpoolLock(SpoolLock&& other) noexcept = default;
  SpoolLock& operator=(SpoolLock&& other) noexcept = default;
  /// The time of the file is then that of the end: see last_worked().
  ~SpoolLock();

 private:
  UniqueFd fd_;
};

struct LockAttempt {
  std::optional<SpoolLock> lock;
  /// If there is no lock: "pid 123, `caravel watch`, since 2026-11-22T10:15:00Z".
  std::string holder;
};

/// The directories under SPOOL, each open as a descriptor; all moves go through these.
class Spool {
 public:
  /// Makes what is missing: drop/ (0755; senders' rights are the administrator's: an existing one
  /// is left as it is), work/ and csv/ (0700), done/, rejects/ and failed/ (0750). An existing
  /// work/ or csv/ that others may enter is closed to them. Errors: kind fault if one of them is no
  /// directory or belongs to someone else. `room`: what all writers of the spool leave free.
  static Result<Spool> open(const std::string& path, Room room = Room());

  /// Takes the lock if nobody holds it. Every command that moves files takes it first; `process`
  /// moves none. `command` tells others who we are: "caravel watch". A holder that was killed
  /// leaves only text behind.
  [[nodiscard]] Result<LockAttempt> lock(std::string_view command,
                                         std::chrono::system_clock::time_point now) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return spool_.get(); }
  [[nodiscard]] int work_fd() const { return work_.get(); }
  [[nodiscard]] int csv_fd() const { return csv_.get(); }
  [[nodiscard]] int done_fd() const { return done_.get(); }
  [[nodiscard]] int rejects_fd() const { return rejects_.get(); }
  [[nodiscard]] int failed_fd() const { return failed_.get(); }

  /// SPOOL/<relative>: what archive() and the others return is relative to the spool.
  [[nodiscard]] std::string absolute(std::string_view relative) const;

  [[nodiscard]] const Room& room() const { return room_; }

  /// Whoever holds the lock for long says so once a minute: kill -9 leaves no other trace of when
  /// it came. See last_worked().
  void note_work() const;

  /// Removes the temporaries (".tmp-…") that a crash left in csv/, done/, rejects/, failed/
  /// and work/: those untouched for a day, since `process` works beside us without the lock.
  /// Returns how many.
  [[nodiscard]] Result<std::size_t> remove_temporaries(
      std::chrono::system_clock::time_point now) const;

 private:
  Spool() = default;

  std::string path_;
  Room room_;
  UniqueFd spool_, work_, csv_, done_, rejects_, failed_;
};

/// Who holds the lock of the spool at `path`, as it describes itself; "" if nobody does. Only looks
/// (proc(5), /proc/locks): a lock taken for a moment could stop a watcher that starts just then.
[[nodiscard]] std::string lock_holder(const std::string& path);

/// When somebody last held the lock of the spool at `path`, be it now: a watcher, a sweep; to a
/// minute after kill -9. Nothing if nobody ever did. The time of the lock file says so.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> last_worked(
    const std::string& path);

/// What the name of every temporary in the spool's directories starts with.
inline constexpr std::string_view kTemporaryPrefix = ".tmp-";

/// As many names as one file is tried under where names are taken. More than a few means that
/// something else is wrong.
inline constexpr unsigned kMaxNames = 10'000;

}  // namespace caravel::watcher
