#include "watcher/tail/files/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

/// Behind the name of a file that is being replaced.
constexpr std::string_view kTemporary = ".tmp";

}  // namespace

Result<UniqueFd> Disk::create(const std::string& path) {
  // O_TRUNC, not O_EXCL: a crash may have left a temporary file of this name, and what is in it is
  // worth nothing. O_NOFOLLOW: whoever may write into the directory must not redirect the agent's
  // writes by a symlink.
  return open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
}

Result<> Disk::write(int fd, std::string_view bytes) { return write_all(fd, bytes); }

Result<> Disk::sync(int fd) {
  if (::fsync(fd) != 0) return fail_with_errno("fsync", errno);
  return {};
}

void Disk::begin_sync(int fd) {
  // SYNC_FILE_RANGE_WRITE alone starts the writing and does not wait (sync_file_range(2)), so it
  // reports no write error that fsync(2) would then not report again.
  static_cast<void>(::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

Result<> Disk::sync_directory(const std::string& path) { return caravel::sync_directory(path); }

Result<> Disk::replace(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_with_errno("rename to " + to, errno);
  return {};
}

Result<bool> Disk::publish(const std::string& from, const std::string& to) {
  // Not rename(2): that replaces what has the name, and a file in the outbox may be somebody's.
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return take_if_same(from, to);
  if (errno != EINVAL && errno != ENOSYS) return fail_with_errno("rename to " + to, errno);
  // NFS and other file systems do not know the flag (renameat2(2), EINVAL; ENOSYS: kernels before
  // 3.15). link(2) never replaces a file either.
  if (::link(from.c_str(), to.c_str()) == 0) {
    // A crash here leaves two names of one file: the start removes the temporary one
    // (Outbox::publish, or the sweep).
    if (::unlink(from.c_str()) != 0) return fail_with_errno("unlink " + from, errno);
    return true;
  }
  if (errno == EEXIST) return take_if_same(from, to);
  // FAT has no hard links either. Between this look and the rename another program could take the
  // name, but only this agent gives names of its runs, which are random.
  CARAVEL_ASSIGN_OR_RETURN(const auto taken, is_there(to));
  if (taken) return false;
  CARAVEL_TRY(replace(from, to));
  return true;
}

/// For a name that is taken. Over NFS a link that was made is reported as taken if the server's
/// first answer was lost (link(2), BUGS), and a crash may have come between link(2) and unlink(2).
/// The file itself tells: it is ours if both names lead to it.
Result<bool> Disk::take_if_same(const std::string& from, const std::string& to) {
  CARAVEL_ASSIGN_OR_RETURN(const auto ours, stamp_of(from));
  CARAVEL_ASSIGN_OR_RETURN(const auto theirs, stamp_of(to));
  if (!ours || !theirs || !same_file(ours->id, theirs->id)) return false;
  CARAVEL_TRY(remove(from));
  return true;
}

Result<> Disk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail_with_errno("unlink " + path, errno);
  }
  return {};
}

/// A crash in here leaves PATH.tmp, half written, and PATH as it was. The next call empties
/// PATH.tmp and writes it anew.
Result<> prepare_file(Disk& disk, const std::string& path, std::string_view content) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, disk.create(path + std::string(kTemporary)));
  const auto named = [&](Result<> result) -> Result<> {
    if (!result) return tl::unexpected(with_context(path, result.error()));
    return {};
  };
  CARAVEL_TRY(named(disk.write(fd.get(), content)));
  return named(disk.sync(fd.get()));
}

/// Readers see the old file or the new one, never a mixture (rename(2)). Until the directory is
/// synced, a power loss may bring the old one back.
Result<> put_in_place(Disk& disk, const std::string& path) {
  CARAVEL_TRY(disk.replace(path + std::string(kTemporary), path));
  return disk.sync_directory(directory_of(path));
}

}  // namespace caravel::tail
