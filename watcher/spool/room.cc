#include "watcher/spool/room.h"

#include <sys/statvfs.h>

#include <cerrno>

#include <fmt/format.h>

namespace caravel::watcher {
namespace {

constexpr std::chrono::hours kBelieveNeedFor{1};

}  // namespace

Result<std::uint64_t> free_bytes(int fd) {
  struct statvfs status;
  if (::fstatvfs(fd, &status) != 0) return fail_with_errno("ask for free space", errno);
  // f_bavail, not f_bfree: blocks that are reserved for root are of no use to the service.
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

bool is_no_space(int errno_value) {
  return errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG;
}

Result<> Room::expect(int fd, std::uint64_t more) const {
  if (min_free_ == 0) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto free, free_(fd));
  if (free >= min_free_ && free - min_free_ >= more) return {};
  // How much is free changes from try to try: a text that changes too would be logged each time.
  return fail(
      ErrorKind::retry,
      fmt::format("disk: less than min_free ({} bytes) {} free: make room, or lower min_free",
                  min_free_, free < min_free_ ? "is" : "would stay"));
}

formatter::Space::Ask ask_room(const Room& room, std::uint64_t most) {
  return [&room, most](int fd, std::uint64_t used, std::uint64_t more) -> Result<> {
    if (used > most || most - used < more) {
      return fail(ErrorKind::content,
                  fmt::format("its CSV, sidecar and rejects take more than {} bytes "
                              "(max_unpacked): if it is to be loaded all the same, raise "
                              "max_unpacked and give it in again",
                              most));
    }
    auto there = room.expect(fd, more);
    if (!there) there.error().kind = ErrorKind::refused;
    return there;
  };
}

Error refused_if_no_space(Error error) {
  if (is_no_space(error.system)) {
    error.kind = ErrorKind::refused;
    error.message.insert(0, "disk: ");
  }
  return error;
}

std::uint64_t SpaceNeeds::of(const std::string& claim, Moment now) const {
  const auto found = needs_.find(claim);
  if (found == needs_.end() || now - found->second.since >= kBelieveNeedFor) return 0;
  // More than it had: with as much it would come as far as before.
  const std::uint64_t bytes = found->second.bytes;
  return bytes + bytes / 8 + (1 << 20);
}

}  // namespace caravel::watcher
