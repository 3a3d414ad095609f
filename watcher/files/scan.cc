#include "watcher/files/scan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/text.h"
#include "watcher/files/directory.h"

namespace caravel::watcher {

// `status` and `explain` put these words behind a name or "it".
std::string_view describe(FileKind kind) {
  switch (kind) {
    case FileKind::regular:
      return "is a regular file";
    case FileKind::linked:
      return "has more than one link";
    case FileKind::directory:
      return "is a directory";
    case FileKind::symlink:
      return "is a symbolic link";
    case FileKind::other:
      break;
  }
  return "is no regular file";
}

FileKind kind_of(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      // A second name may lie where a sender can still open the file by it: not taken (yet).
      return status.st_nlink > 1 ? FileKind::linked : FileKind::regular;
    case S_IFDIR:
      return FileKind::directory;
    case S_IFLNK:
      return FileKind::symlink;
    default:
      return FileKind::other;
  }
}

Result<std::optional<ScanEntry>> look_at_name(int directory_fd, const std::string& name,
                                              const std::string& match) {
  // Names also come from events and from the ledger, and ".." must not be looked at even so.
  if (!is_plain_name(name)) {
    return fail(ErrorKind::content, printable(name) + " is not a file name");
  }
  struct stat status;
  if (::fstatat(directory_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;  // renamed or removed since it was named
    return fail_with_errno(printable(name), errno);
  }
  // This is a look, not a promise: a sender can replace the file before it is claimed. The claim is
  // looked at again where no sender reaches it (look_at() of the spool).
  return ScanEntry{name, kind_of(status), stamp_of(status), judge_name(name, match)};
}

Result<> scan_directory(int directory_fd, const std::string& match,
                        const std::function<bool(const ScanEntry&)>& visit) {
  return for_each_name(directory_fd, [&](const std::string& name) {
    if (name == ".caravel") return true;  // our own: claims lie in it (ClaimRoot)
    auto entry = look_at_name(directory_fd, name, match);
    // One bad entry does not end the scan: it is shown as what is left alone.
    if (!entry) return visit({name, FileKind::other, {}, judge_name(name, match)});
    return !*entry || visit(**entry);
  });
}

}  // namespace caravel::watcher
