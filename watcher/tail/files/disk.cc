#include "watcher/tail/files/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/file.h"

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

Result<> prepare_file(Disk& disk, const std::string& path, std::string_view content) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, disk.create(path + std::string(kTemporary)));
  const auto named = [&](Result<> result) -> Result<> {
    if (!result) return tl::unexpected(with_context(path, result.error()));
    return {};
  };
  CARAVEL_TRY(named(disk.write(fd.get(), content)));
  return named(disk.sync(fd.get()));
}

Result<> put_in_place(Disk& disk, const std::string& path) {
  CARAVEL_TRY(disk.replace(path + std::string(kTemporary), path));
  return disk.sync_directory(directory_of(path));
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string plain_path(const std::string& path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view component(path.data() + at, end - at);  // with its slash
    if (component != "/" && component != "/.") out += component;
    at = end;
  }
  return out.empty() && !path.empty() ? "/" : out;
}

std::string link_target(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel has it (path_resolution(7))
  std::string at = path;
  for (int i = 0; i < kMostLinks; ++i) {
    char target[PATH_MAX];
    const ssize_t size = ::readlink(at.c_str(), target, sizeof target);
    if (size <= 0 || size == sizeof target) break;
    const std::string next(target, static_cast<std::size_t>(size));
    at = next.front() == '/' ? next : directory_of(at) + "/" + next;
  }
  char directory[PATH_MAX];
  if (::realpath(directory_of(at).c_str(), directory) == nullptr) return "";
  at = plain_path(std::string(directory) + "/" + base_of(at));
  return at == path ? "" : at;
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<> make_directory(const std::string& path) {
  int made = ::mkdir(path.c_str(), 0750);
  if (made != 0 && errno == ENOENT && path.rfind('/') != std::string::npos && path.rfind('/') > 0) {
    CARAVEL_TRY(make_directory(directory_of(path)));
    made = ::mkdir(path.c_str(), 0750);
  }
  if (made == 0) return caravel::sync_directory(directory_of(path));
  if (errno == EEXIST) return {};
  return fail_with_errno("mkdir " + path, errno);
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::vector<std::string> names;
  const std::unique_ptr<DIR, Close> stream(::opendir(directory.c_str()));
  if (!stream) {
    if (errno == ENOENT) return names;
    return fail_with_errno("open " + directory, errno);
  }
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

Result<bool> is_there(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return fail_with_errno("stat " + path, errno);
}

}  // namespace caravel::tail
