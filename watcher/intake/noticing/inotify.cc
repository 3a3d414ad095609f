#include "watcher/intake/noticing/inotify.h"

#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/file.h"

namespace caravel::watcher {
namespace {

// 4 reads of 64 KiB hold at most 16,384 records, since a record is 16 bytes or more.
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kReadsPerDrain = 4;

// IN_MODIFY is left out: it would come with every write of a sender, and says nothing that the
// close does not. IN_EXCL_UNLINK: files that have no name any more are of no interest either.
constexpr std::uint32_t kDirectoryMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE |
                                         IN_MOVED_FROM | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                         IN_ONLYDIR | IN_EXCL_UNLINK;
// Of a parent only the names that come and go are of interest, not what happens to its files.
constexpr std::uint32_t kParentMask =
    IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR;
// IN_ATTRIB also tells that a link was removed: the count of links changed (inotify(7)).
constexpr std::uint32_t kFileMask = IN_CLOSE_WRITE | IN_ATTRIB;

/// The sysctl with this value; nothing if it cannot be read.
std::optional<std::uint64_t> sysctl(const std::string& name) {
  std::string path = "/proc/sys/" + name;
  std::ranges::replace(path, '.', '/');
  const auto text = read_file(path, 64);
  std::uint64_t value = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

/// "raise the sysctl fs.inotify.max_user_watches (now 8192)". In a user namespace, as containers
/// have one, a limit of its own holds too (user_namespaces(7), /proc/sys/user): the lower one is
/// named.
std::string remedy(const std::string& host, const std::string& own) {
  const auto of_host = sysctl(host);
  const auto of_namespace = sysctl(own);
  const bool own_is_lower = of_namespace && (!of_host || *of_namespace < *of_host);
  const auto value = own_is_lower ? of_namespace : of_host;
  return fmt::format("raise the sysctl {}{}", own_is_lower ? own : host,
                     value ? fmt::format(" (now {})", *value) : "");
}

}  // namespace

Result<> Inotify::open() {
  if (fd_) return {};
  fd_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (fd_) return {};
  if (errno == EMFILE) {
    // inotify_init(2) has one number for both limits.
    return fail(ErrorKind::fault,
                fmt::format("inotify: too many instances: {}, or the limit of open files",
                            remedy("fs.inotify.max_user_instances", "user.max_inotify_instances")));
  }
  return fail_with_errno("inotify", errno);
}

Result<int> Inotify::watch_directory(int directory_fd) {
  CARAVEL_TRY(open());
  return add(directory_fd, kDirectoryMask, "a directory");
}
Result<int> Inotify::watch_parent(int directory_fd) {
  CARAVEL_TRY(open());
  return add(directory_fd, kParentMask, "a parent directory");
}
Result<int> Inotify::watch_file(int file_fd) { return add(file_fd, kFileMask, "a file"); }

Result<int> Inotify::add(int fd, std::uint32_t mask, std::string_view what) {
  // The link in /proc leads to what the descriptor has open, not to a path. IN_MASK_ADD: one
  // directory may be a drop directory and the parent of another, and both uses share its watch.
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), mask | IN_MASK_ADD);
  if (watch < 0 && errno == ENOSPC) {
    return fail(ErrorKind::fault,
                fmt::format("inotify: watch {}: too many watches: {}", what,
                            remedy("fs.inotify.max_user_watches", "user.max_inotify_watches")));
  }
  if (watch < 0) return fail_with_errno(fmt::format("inotify: watch {}", what), errno);
  ++uses_[watch];
  return watch;
}

void Inotify::remove(int watch) {
  const auto use = uses_.find(watch);
  if (use == uses_.end() || --use->second > 0) return;
  uses_.erase(use);
  // EINVAL: the kernel has ended the watch already, as when the directory was removed.
  ::inotify_rm_watch(fd_.get(), watch);
}

Result<> Inotify::drain(std::vector<DropEvent>& out) {
  if (!fd_) return {};
  // A bounded number of reads: while events pour in, the caller still gets to do its work.
  buffer_.resize(kBufferBytes);
  for (int i = 0; i < kReadsPerDrain; ++i) {
    const ssize_t got = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return fail_with_errno("inotify: read", errno);
    decode_events({buffer_.data(), static_cast<std::size_t>(got)}, out);
  }
  buffer_ = {};  // a watcher is idle most of the time: give the 64 KiB back
  return {};
}

}  // namespace caravel::watcher
