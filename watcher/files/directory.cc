#include "watcher/files/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/name_rules.h"

namespace caravel::watcher {

Result<UniqueFd> open_directory(const std::string& path) {
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

Result<UniqueFd> open_directory_at(int parent_fd, const std::string& name) {
  // O_NOFOLLOW: a symlink that somebody put in this place would lead us out of our directories.
  UniqueFd fd(::openat(parent_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_with_errno(fmt::format("open directory {}", printable(name)), errno);
  return fd;
}

Result<UniqueFd> make_directory_at(int parent_fd, const std::string& name, mode_t mode) {
  if (::mkdirat(parent_fd, name.c_str(), mode) == 0) {
    // Power loss before this may take the empty directory away again; whoever needs it makes it
    // again.
    CARAVEL_TRY(sync_fd(parent_fd, "the directory of " + printable(name)));
  } else if (errno != EEXIST) {
    return fail_with_errno(fmt::format("make directory {}", printable(name)), errno);
  }
  // After EEXIST, whatever has the name is opened here, which fails unless it is a directory.
  return open_directory_at(parent_fd, name);
}

Result<> make_durable_directory(const std::string& path, mode_t mode) {
  const bool made = ::mkdir(path.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return fail_with_errno("mkdir " + path, errno);
  const std::size_t last = path.find_last_not_of('/');
  const std::size_t slash = path.rfind('/', last);
  const Result<> synced =
      sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
  return made ? synced : Result<>();
}

Result<> sync_fd(int fd, std::string_view what) {
  // A full or dying disk may be heard of only here, since write(2) may have put the bytes into
  // memory alone (fsync(2)).
  if (::fsync(fd) != 0) return fail_with_errno(fmt::format("fsync {}", what), errno);
  return {};
}

Result<> for_each_name(int directory_fd, const std::function<bool(const std::string&)>& visit) {
  // Opened anew: a duplicate would share its offset with every other reader of `directory_fd`.
  UniqueFd fd(::openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_with_errno("open directory", errno);
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(fd.get()), close);
  if (!stream) return fail_with_errno("open directory", errno);
  static_cast<void>(fd.release());  // closedir(3) closes it

  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) {
      // readdir(3) tells an error from the end by errno alone.
      if (errno != 0) return fail_with_errno("read directory", errno);
      return {};
    }
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!visit(name)) return {};
  }
}

int rename_noreplace(int from_fd, const std::string& from, int to_fd, const std::string& to) {
  if (::renameat2(from_fd, from.c_str(), to_fd, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  // EINVAL: the file system does not know the flag (NFS); ENOSYS: the kernel has no such call.
  if (errno != EINVAL && errno != ENOSYS) return errno;
  struct stat status;
  if (::fstatat(to_fd, to.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  if (errno != ENOENT) return errno;
  return ::renameat(from_fd, from.c_str(), to_fd, to.c_str()) == 0 ? 0 : errno;
}

Result<bool> exists_at(int directory_fd, const std::string& name) {
  struct stat status;
  if (::fstatat(directory_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_with_errno(printable(name), errno);
}

}  // namespace caravel::watcher
