#include "watcher/spool/mover.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/completeness.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {
namespace {

constexpr std::size_t kCopyBytes = 256 * 1024;

Result<bool> same_bytes(int left, int right) {
  std::vector<char> left_bytes(kCopyBytes);
  std::vector<char> right_bytes(kCopyBytes);
  // In pieces, since an extract may be larger than memory.
  for (std::uint64_t offset = 0;; offset += kCopyBytes) {
    CARAVEL_ASSIGN_OR_RETURN(auto left_size, read_at(left, offset, left_bytes.data(), kCopyBytes));
    CARAVEL_ASSIGN_OR_RETURN(auto right_size,
                             read_at(right, offset, right_bytes.data(), kCopyBytes));
    if (left_size != right_size) return false;
    const std::string_view left_view(left_bytes.data(), left_size);
    if (left_view != std::string_view(right_bytes.data(), right_size)) return false;
    if (left_size < kCopyBytes) return true;
  }
}

/// Whether `name` already is a copy of the open file: its bytes and its mtime.
Result<bool> is_copy(int directory_fd, const std::string& name, int source_fd,
                     const FileStamp& source) {
  const UniqueFd there(
      ::openat(directory_fd, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  // Nothing is there, or a symlink, or a file that we may not read: none of these is our copy. The
  // rename that follows tells whether the name is free.
  if (!there) return false;
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of_fd(there.get()));
  if (changed_since(source, stamp)) return false;
  return same_bytes(source_fd, there.get());
}

}  // namespace

Mover::Mover(const ClaimRoot& root, const Claim& claim, int temporary_fd, const Room& room,
             Sync sync)
    : root_(root),
      claim_(claim),
      temporary_fd_(temporary_fd),
      room_(room),
      sync_(sync),
      place_(place_of(claim)),
      temporary_(std::string(kTemporaryPrefix) + claim.id) {}

Result<Moved> Mover::to(int directory_fd, const std::string& name) {
  CARAVEL_TRY(check_claim(claim_));
  if (across_) return copy_to(directory_fd, name);
  const int error = rename_noreplace(root_.fd.get(), place_, directory_fd, name);
  switch (error) {
    case 0:
      if (sync_ == Sync::now) CARAVEL_TRY(sync_fd(directory_fd, "the target directory"));
      // A crash here leaves an empty claim directory, which list_claims() removes.
      CARAVEL_TRY(remove_claim_directory(root_, claim_.id));
      return Moved::moved;
    case EEXIST:
      return Moved::taken;
    case ENOENT:
      return source_is_there() ? fail_with_errno("the target directory", ENOENT)
                               : Result<Moved>(Moved::gone);
    case EXDEV:
      // rename(2) does not reach another file system: from here on the bytes are copied.
      across_ = true;
      return copy_to(directory_fd, name);
    default:
      return fail_with_errno(fmt::format("move {}", printable(claim_.name)), error);
  }
}

/// ENOENT of a rename may be the target's: its directory was removed while we had it open. The file
/// is then where it was, and whoever moves it makes the directory anew.
bool Mover::source_is_there() const { return exists_at(root_.fd.get(), place_).value_or(true); }

Result<Moved> Mover::copy_to(int directory_fd, const std::string& name) {
  if (!copied_) {
    CARAVEL_ASSIGN_OR_RETURN(auto look, look_at(root_, claim_));
    source_ = std::move(look);
    if (source_.state == ClaimState::gone) return Moved::gone;
    if (source_.state == ClaimState::not_regular) return Moved::not_movable;
    // The file is leased, or we may not read it now: whoever moves it tries again.
    if (!source_.fd) {
      return fail(ErrorKind::retry,
                  fmt::format("copy {}: it {}", printable(claim_.name), source_.reason));
    }
  }
  CARAVEL_ASSIGN_OR_RETURN(auto already,
                           is_copy(directory_fd, name, source_.fd.get(), source_.stamp));
  if (!already) {
    // The copy has a temporary name until it is whole and synced: a crash leaves a temporary, which
    // the next copy() or remove_temporaries() removes, and never half a file under its own name.
    if (!copied_) CARAVEL_TRY(copy());
    copied_ = true;
    const int error = rename_noreplace(temporary_fd_, temporary_, directory_fd, name);
    if (error == EEXIST) return Moved::taken;
    if (error != 0) return fail_with_errno(fmt::format("move {}", printable(name)), error);
  }
  CARAVEL_TRY(sync_fd(directory_fd, "the target directory"));
  // A crash here leaves the file in both places; see to().
  if (::unlinkat(root_.fd.get(), place_.c_str(), 0) != 0 && errno != ENOENT) {
    return fail_with_errno(fmt::format("remove {}", printable(claim_.name)), errno);
  }
  ::unlinkat(temporary_fd_, temporary_.c_str(), 0);
  CARAVEL_TRY(remove_claim_directory(root_, claim_.id));
  return Moved::moved;
}

Result<> Mover::copy() {
  // A crash may have left a temporary of this name: half a copy.
  ::unlinkat(temporary_fd_, temporary_.c_str(), 0);
  const UniqueFd out(::openat(temporary_fd_, temporary_.c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (!out) return fail_with_errno("make a temporary", errno);
  auto copied = copy_bytes(out.get());
  // The room that half a copy takes goes back at once: others need it.
  if (!copied) ::unlinkat(temporary_fd_, temporary_.c_str(), 0);
  return copied;
}

Result<> Mover::copy_data(int out, std::uint64_t size) {
  std::vector<char> buffer(kCopyBytes);
  std::uint64_t offset = 0;
  while (offset < size) {
    const off_t data = ::lseek(source_.fd.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole follows (lseek(2))
    // A file system that knows no holes has data everywhere.
    if (data >= 0) offset = static_cast<std::uint64_t>(data);
    CARAVEL_ASSIGN_OR_RETURN(auto got,
                             read_at(source_.fd.get(), offset, buffer.data(), buffer.size()));
    if (got == 0) break;
    CARAVEL_TRY(room_.expect(out, got));
    if (::lseek(out, static_cast<off_t>(offset), SEEK_SET) < 0)
      return fail_with_errno("seek", errno);
    CARAVEL_TRY(write_all(out, {buffer.data(), got}));
    offset += got;
  }
  if (::ftruncate(out, static_cast<off_t>(std::max(offset, size))) != 0) {
    return fail_with_errno("ftruncate", errno);
  }
  return {};
}

Result<> Mover::copy_bytes(int out) {
  CARAVEL_TRY(copy_data(out, source_.stamp.size));
  // The mtime goes along: it can decide the year of the lines, and is_copy() knows the file by it.
  struct stat status;
  if (::fstat(source_.fd.get(), &status) != 0) return fail_with_errno("fstat", errno);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(out, times) != 0) return fail_with_errno("futimens", errno);
  CARAVEL_TRY(sync_fd(out, "a copy"));
  // A process that goes on writing after a rename writes into our file, and that is noticed. After
  // a copy it would write into a file without a name, and its bytes would be lost. So a file is not
  // copied while somebody writes it.
  const bool changed = changed_since(source_.stamp, stamp_of(status)) ||
                       static_cast<std::uint64_t>(status.st_size) !=
                           static_cast<std::uint64_t>(::lseek(out, 0, SEEK_END));
  if (changed || writer_state(source_.fd.get()) == WriterState::present) {
    return fail(ErrorKind::retry,
                fmt::format("copy {}: it is being written", printable(claim_.name)));
  }
  return {};
}

}  // namespace caravel::watcher
