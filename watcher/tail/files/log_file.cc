#include "watcher/tail/files/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/file.h"

namespace caravel::tail {
namespace {

/// Of a first line, so many bytes count. The loading host counts the same (exchange/manifest.h).
constexpr std::size_t kFirstLineBytes = 64 * 1024;

std::int64_t nanoseconds(const struct statx_timestamp& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

Stamp from(const struct statx& s) {
  Stamp stamp;
  stamp.id.device = ::gnu_dev_makedev(s.stx_dev_major, s.stx_dev_minor);
  stamp.id.inode = s.stx_ino;
  // NFS and others have no birth time: the mask says so (statx(2)).
  stamp.id.born = (s.stx_mask & STATX_BTIME) != 0 ? nanoseconds(s.stx_btime) : 0;
  stamp.size = s.stx_size;
  stamp.modified = nanoseconds(s.stx_mtime);
  stamp.changed = nanoseconds(s.stx_ctime);
  stamp.links = s.stx_nlink;
  stamp.regular = S_ISREG(s.stx_mode);
  return stamp;
}

}  // namespace

std::string hex_digest(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  std::string out;
  for (const std::uint64_t half : {hash.high64, hash.low64}) {
    for (unsigned shift = 64; shift > 0; shift -= 4) {
      out += "0123456789abcdef"[half >> (shift - 4) & 15U];
    }
  }
  return out;
}

/// ext4 gives the inode number of a deleted file to the next new one: then the birth times differ.
/// Where both are known they decide, because device numbers may change with a reboot.
bool same_file(const FileId& a, const FileId& b) {
  if (a.inode != b.inode) return false;
  return a.born != 0 && b.born != 0 ? a.born == b.born : a.device == b.device;
}

Result<std::optional<Stamp>> stamp_of(const std::string& path) {
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &status) == 0) {
    return from(status);
  }
  if (errno == ENOENT) return std::nullopt;
  return fail_with_errno("stat " + path, errno);
}

Result<Stamp> stamp_of(int fd) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
    return fail_with_errno("stat", errno);
  }
  return from(status);
}

std::int64_t file_time() {
  // Linux stamps files with the coarse clock, which lags behind CLOCK_REALTIME by up to a tick. A
  // file that is made after this call must not seem older than it.
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

bool lacks_right(const Error& error) { return error.system == EACCES || error.system == EPERM; }

/// O_NONBLOCK: without it, the open(2) of a FIFO in the log's place would wait for a writer, and
/// the agent with it (fifo(7)). It changes nothing for regular files.
Result<UniqueFd> open_log(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK));
  const auto stamp = stamp_of(fd.get());
  if (!stamp) return tl::unexpected(with_context(path, stamp.error()));
  if (!stamp->regular) return fail(ErrorKind::fault, path + ": is not a regular file");
  return fd;
}

Result<std::string> digest_at(int fd, std::uint64_t offset, std::uint64_t size) {
  char buffer[kDigestBytes];
  size = std::min<std::uint64_t>(size, sizeof buffer);
  CARAVEL_ASSIGN_OR_RETURN(const auto got, read_at(fd, offset, buffer, size));
  if (got < size) return std::string();
  return hex_digest({buffer, size});
}

Result<> move_to(int fd, std::uint64_t offset, Position& position) {
  const std::uint64_t size = std::min(kDigestBytes, offset);
  // 1024 bytes from each end, not all of them: a file of gigabytes is recognized as fast as one of
  // kilobytes, and logs have times in their lines.
  CARAVEL_ASSIGN_OR_RETURN(auto head, digest_at(fd, 0, size));
  CARAVEL_ASSIGN_OR_RETURN(auto tail, digest_at(fd, offset - size, size));
  if (head.empty() || tail.empty()) {
    return fail(ErrorKind::retry, "became shorter while it was read");
  }
  position.offset = offset;
  position.head = std::move(head);
  position.tail = std::move(tail);
  return {};
}

Result<bool> holds(int fd, const Position& position) {
  if (position.offset == 0 || position.head.empty()) return true;
  const std::uint64_t size = std::min(kDigestBytes, position.offset);
  // The tail is compared first: a file that was written anew differs there nearly always, so one
  // read is enough.
  CARAVEL_ASSIGN_OR_RETURN(auto tail, digest_at(fd, position.offset - size, size));
  if (tail != position.tail) return false;
  CARAVEL_ASSIGN_OR_RETURN(auto head, digest_at(fd, 0, size));
  return head == position.head;
}

std::string digest_of(const Position& position) {
  return hex_digest(position.head + position.tail);
}

Result<std::string> first_line_of(int fd) {
  // Room for the longest line that counts, for a BOM in front and a CR LF behind.
  std::string text(3 + kFirstLineBytes + 2, '\0');
  CARAVEL_ASSIGN_OR_RETURN(const auto size, read_at(fd, 0, text.data(), text.size()));
  std::string_view line(text.data(), size);
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  line = line.substr(0, line.find('\n'));
  // The rule of the loading host: a CR belongs to the line end only if the line was not cut off at
  // 64 KiB.
  const bool all = line.size() <= kFirstLineBytes;
  line = line.substr(0, kFirstLineBytes);
  if (all && line.ends_with('\r')) line.remove_suffix(1);
  return hex_digest(line);
}

}  // namespace caravel::tail
