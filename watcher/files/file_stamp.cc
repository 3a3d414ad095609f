#include "watcher/files/file_stamp.h"

#include <cerrno>
#include <limits>

namespace caravel::watcher {
namespace {

/// Senders set mtimes as they like (utimensat(2)), on some file systems far beyond the year 2262,
/// where 64 bits of nanoseconds end.
std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  // A second less than what fits, because tv_nsec is added.
  constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / kPerSecond - 1;
  if (time.tv_sec > kMaxSeconds) return std::numeric_limits<std::int64_t>::max();
  if (time.tv_sec < -kMaxSeconds) return std::numeric_limits<std::int64_t>::min();
  return time.tv_sec * kPerSecond + time.tv_nsec;
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
  FileStamp stamp;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.links = status.st_nlink;
  stamp.size = static_cast<std::uint64_t>(status.st_size);
  stamp.mtime_ns = nanoseconds(status.st_mtim);
  stamp.ctime_ns = nanoseconds(status.st_ctim);
  return stamp;
}

Result<FileStamp> stamp_of_fd(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return fail_with_errno("fstat", errno);
  return stamp_of(status);
}

bool changed_since(const FileStamp& before, const FileStamp& now) {
  // The ctime does not count: our own rename of the file changes it, and so does a chmod(2).
  return before.size != now.size || before.mtime_ns != now.mtime_ns;
}

}  // namespace caravel::watcher
