#include "watcher/tail/files/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

constexpr std::string_view kTemporary = ".tmp";

}  // namespace

Result<UniqueFd> Disk::create(const std::string& path) {
  return open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
}

Result<> Disk::write(int fd, std::string_view bytes) { return write_all(fd, bytes); }

Result<> Disk::sync(int fd) {
  if (::fsync(fd) != 0) return fail_with_errno("fsync", errno);
  return {};
}

void Disk::begin_sync(int fd) {
  // Asks for no waiting, so it takes no error away from fsync(2) either.
  static_cast<void>(::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

Result<> Disk::sync_directory(const std::string& path) { return caravel::sync_directory(path); }

Result<> Disk::replace(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_with_errno("rename to " + to, errno);
  return {};
}

Result<bool> Disk::publish(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) return fail_with_errno("rename to " + to, errno);
  // NFS and others do not know the flag.
  if (::link(from.c_str(), to.c_str()) == 0) {
    // A crash here leaves two names: the temporary one is swept at the next start.
    if (::unlink(from.c_str()) != 0) return fail_with_errno("unlink " + from, errno);
    return true;
  }
  if (errno == EEXIST) return false;
  // No hard links either (FAT): look first. Only this agent publishes names of its runs.
  CARAVEL_ASSIGN_OR_RETURN(const auto taken, is_there(to));
  if (taken) return false;
  CARAVEL_TRY(replace(from, to));
  return true;
}

Result<> Disk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail_with_errno("unlink " + path, errno);
  }
  return {};
}

/// A crash in here leaves PATH.tmp behind, which the next one empties and writes anew.
Result<> prepare_file(Disk& disk, const std::string& path, std::string_view content) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, disk.create(path + std::string(kTemporary)));
  const auto named = [&](Result<> result) -> Result<> {
    if (!result) return tl::unexpected(with_context(path, result.error()));
    return {};
  };
  CARAVEL_TRY(named(disk.write(fd.get(), content)));
  return named(disk.sync(fd.get()));
}

/// Readers see the old file or the new one (rename(2)), after a power loss too once the directory
/// is synced.
Result<> put_in_place(Disk& disk, const std::string& path) {
  CARAVEL_TRY(disk.replace(path + std::string(kTemporary), path));
  return disk.sync_directory(directory_of(path));
}

}  // namespace caravel::tail
