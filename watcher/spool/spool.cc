#include "watcher/spool/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <utility>

#include <date/date.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

// Extracts and rows may hold anything: only the service's own user looks into work/ and csv/.
constexpr mode_t kPrivate = 0700;
constexpr mode_t kReadable = 0750;  // the group may look at what was done
// Senders pass through the spool to drop/.
constexpr mode_t kOpen = 0755;

// Far more than the one line that lock() writes.
constexpr std::size_t kMostHolderBytes = 4096;

/// Root may work on the spool of the service's user; nobody else may work on another user's spool.
bool ours(uid_t owner, uid_t spool_owner) {
  const uid_t self = ::geteuid();
  return owner == self || (self == 0 && owner == spool_owner);
}

/// Opens a directory of the spool, made first if it is missing. A private one that others may enter
/// is closed to them. Errors: kind fault if it belongs to another user.
Result<UniqueFd> open_own_directory(int spool_fd, const std::string& name, mode_t mode,
                                    uid_t spool_owner) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, make_directory_at(spool_fd, name, mode));
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) return fail_with_errno(name, errno);
  if (!ours(status.st_uid, spool_owner)) {
    return fail(ErrorKind::fault, fmt::format("{}/ belongs to another user (uid {})", name,
                                              static_cast<unsigned>(status.st_uid)));
  }
  if (mode == kPrivate && (status.st_mode & 0077U) != 0 && ::fchmod(fd.get(), kPrivate) != 0) {
    return fail_with_errno(fmt::format("chmod {}/", name), errno);
  }
  return fd;
}

/// Who holds the lock, by the text of the lock file.
std::string holder_in(const std::string& text) {
  const std::string holder = text.substr(0, text.find('\n'));
  // No text yet: the other process took the lock a moment ago and is about to write it.
  return holder.empty() ? "another process" : printable(holder);
}

/// Whether the process that the lock file's text names has the lock of this line of /proc/locks.
bool is_pid_of(const std::string& text, const std::string& line) {
  const std::string_view pid = std::string_view(text).substr(0, text.find(','));  // "pid 123"
  return pid.starts_with("pid ") && pid.size() > 4 &&
         line.find(fmt::format(" {} ", pid.substr(4))) != std::string::npos;
}

}  // namespace

Result<Spool> Spool::open(const std::string& path, Room room) {
  const auto in_spool = [&](Error error) {
    return tl::unexpected(with_context(fmt::format("spool {}", path), std::move(error)));
  };
  if (auto made = make_durable_directory(path, kOpen); !made) {
    return in_spool(std::move(made).error());
  }
  Spool spool;
  spool.path_ = path;
  spool.room_ = std::move(room);
  auto fd = open_directory(path);
  if (!fd) return in_spool(std::move(fd).error());
  spool.spool_ = std::move(*fd);
  struct stat status;
  if (::fstat(spool.fd(), &status) != 0) return in_spool(system_error("fstat", errno));

  // drop/ may also be a symlink of the administrator's: whatever is there is left as it is.
  if (::mkdirat(spool.fd(), "drop", kOpen) != 0 && errno != EEXIST) {
    return in_spool(system_error("make directory drop", errno));
  }
  const std::array<std::pair<UniqueFd*, std::pair<const char*, mode_t>>, 5> directories{{
      {&spool.work_, {"work", kPrivate}},
      {&spool.csv_, {"csv", kPrivate}},
      {&spool.done_, {"done", kReadable}},
      {&spool.rejects_, {"rejects", kReadable}},
      {&spool.failed_, {"failed", kReadable}},
  }};
  for (const auto& [member, directory] : directories) {
    auto opened = open_own_directory(spool.fd(), directory.first, directory.second, status.st_uid);
    if (!opened) return in_spool(std::move(opened).error());
    *member = std::move(*opened);
  }
  return spool;
}

Result<LockAttempt> Spool::lock(std::string_view command,
                                std::chrono::system_clock::time_point now) const {
  const std::string where = absolute(".lock");
  // The file is never removed: a lock on a file that others can no longer open keeps nobody out.
  UniqueFd fd(::openat(spool_.get(), ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (!fd) return fail_with_errno(where, errno);
  // flock(2), not a file whose presence means "locked": the kernel takes the lock back when the
  // process ends, be it by kill -9.
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_with_errno(where, errno);
    std::string text(kMostHolderBytes, '\0');
    const auto size = read_at(fd.get(), 0, text.data(), text.size());
    text.resize(size.value_or(0));
    return LockAttempt{std::nullopt, holder_in(text)};
  }
  // A holder that was killed has left its text: remove it before anybody reads it as ours.
  if (::ftruncate(fd.get(), 0) != 0) return fail_with_errno(where, errno);
  CARAVEL_TRY(write_all(
      fd.get(), fmt::format("pid {}, `{}`, since {}\n", ::getpid(), command,
                            date::format("%FT%TZ", date::floor<std::chrono::seconds>(now)))));
  return LockAttempt{SpoolLock(std::move(fd)), {}};
}

std::string lock_holder(const std::string& path) {
  // proc(5), /proc/locks: flock(2) itself can only be asked by trying to take the lock.
  const std::string file = path + "/.lock";
  struct stat status;
  if (::stat(file.c_str(), &status) != 0) return "";
  // "1: FLOCK  ADVISORY  WRITE 123 fd:00:2536 0 EOF": the fifth field is the pid, the sixth device
  // and inode. On some file systems (btrfs) stat(2) tells another device than the kernel has here:
  // then the pid in the file decides. An inode alone may be that of a file on another disk.
  std::ifstream locks("/proc/locks");
  const std::string holder = read_file(file, kMostHolderBytes).value_or("");
  const std::string place =
      fmt::format(" {:02x}:{:02x}:{} ", major(status.st_dev), minor(status.st_dev), status.st_ino);
  const std::string inode = fmt::format(":{} ", status.st_ino);
  for (std::string line; std::getline(locks, line);) {
    if (line.find("FLOCK") == std::string::npos || line.find(inode) == std::string::npos) continue;
    if (line.find(place) != std::string::npos || is_pid_of(holder, line)) return holder_in(holder);
  }
  return "";
}

std::optional<std::chrono::system_clock::time_point> last_worked(const std::string& path) {
  struct stat status;
  if (::stat((path + "/.lock").c_str(), &status) != 0) return {};
  return std::chrono::system_clock::time_point(
      std::chrono::seconds(status.st_mtim.tv_sec) +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

SpoolLock::~SpoolLock() {
  // Only a trace for people: a file system that refuses it keeps nobody from ending.
  if (fd_) (void)::futimens(fd_.get(), nullptr);
}

void Spool::note_work() const {
  (void)::utimensat(spool_.get(), ".lock", nullptr, AT_SYMLINK_NOFOLLOW);
}

std::string Spool::absolute(std::string_view relative) const {
  return fmt::format("{}/{}", path_, relative);
}

Result<std::size_t> Spool::remove_temporaries(std::chrono::system_clock::time_point now) const {
  // `process` works beside us without the lock, so a young temporary may be one that it writes.
  constexpr std::chrono::hours kInUse{24};
  std::size_t removed = 0;
  for (const UniqueFd* directory : {&csv_, &done_, &rejects_, &failed_, &work_}) {
    CARAVEL_TRY(for_each_name(directory->get(), [&](const std::string& name) {
      struct stat status;
      if (!name.starts_with(kTemporaryPrefix) ||
          ::fstatat(directory->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;
      }
      const auto changed = std::chrono::system_clock::from_time_t(status.st_ctim.tv_sec);
      // The ctime: a temporary that is a copy has the mtime of its source.
      if (now - changed >= kInUse && ::unlinkat(directory->get(), name.c_str(), 0) == 0) {
        ++removed;
      }
      return true;
    }));
  }
  return removed;
}

}  // namespace caravel::watcher
