#include "watcher/tail/files/paths.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/file.h"

namespace caravel::tail {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string plain_path(const std::string& path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    // `at` is at a slash, except at the start of a relative path. "//" and "/./" add nothing. ".."
    // is kept: `a/../b` is not `b` if `a` is a symlink, and only the file system knows.
    const std::string_view component(path.data() + at, end - at);  // with its slash
    if (component != "/" && component != "/.") out += component;
    at = end;
  }
  return out.empty() && !path.empty() ? "/" : out;
}

/// A circle of links ends after 40 steps and is treated like a link to a file that is not there.
std::string link_target(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel has it (path_resolution(7))
  std::string at = path;
  for (int i = 0; i < kMostLinks; ++i) {
    // Link by link, because realpath(3) fails if the last file is not there; a log may be a link to
    // a file that is made later. A target that fills the buffer may be cut off: it is not followed.
    char target[PATH_MAX];
    const ssize_t size = ::readlink(at.c_str(), target, sizeof target);
    if (size <= 0 || size == sizeof target) break;
    const std::string next(target, static_cast<std::size_t>(size));
    at = next.front() == '/' ? next : directory_of(at) + "/" + next;
  }
  // The file itself need not be there; its directory must.
  char directory[PATH_MAX];
  if (::realpath(directory_of(at).c_str(), directory) == nullptr) return "";
  at = plain_path(std::string(directory) + "/" + base_of(at));
  return at == path ? "" : at;
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<> make_directory(const std::string& path) {
  // 0750: logs may hold what not everybody may read.
  int made = ::mkdir(path.c_str(), 0750);
  if (made != 0 && errno == ENOENT && path.rfind('/') != std::string::npos && path.rfind('/') > 0) {
    CARAVEL_TRY(make_directory(directory_of(path)));
    made = ::mkdir(path.c_str(), 0750);
  }
  // The parent is synced, or a power loss could take the new directory, with all that was synced
  // inside it.
  if (made == 0) return caravel::sync_directory(directory_of(path));
  if (errno == EEXIST) return {};  // if it is no directory, what is opened in it will say so
  return fail_with_errno("mkdir " + path, errno);
}

Result<std::vector<Entry>> entries_in(const std::string& directory) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::vector<Entry> entries;
  const std::unique_ptr<DIR, Close> stream(::opendir(directory.c_str()));
  if (!stream) {
    if (errno == ENOENT) return entries;  // gone, or not made yet: nothing is in it
    return fail_with_errno("open " + directory, errno);
  }
  // Names of files that come or go meanwhile may or may not be among these (readdir(3)).
  bool itself = false;  // ".", which each directory has
  for (;;) {
    // Null means the end or an error, and only errno tells them apart (readdir(3)). A list that was
    // cut short would let a file that is there be taken for lost.
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return fail_with_errno("read " + directory, errno);
    if (entry == nullptr) {
      // glibc takes ENOENT, which a removed directory gives, for the end of the list.
      if (!itself) return fail_with_errno("read " + directory, ENOENT);
      return entries;
    }
    const std::string_view name = entry->d_name;
    itself = itself || name == ".";
    if (name != "." && name != "..") entries.push_back({std::string(name), entry->d_ino});
  }
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  CARAVEL_ASSIGN_OR_RETURN(auto entries, entries_in(directory));
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (Entry& entry : entries) names.push_back(std::move(entry.name));
  return names;
}

Result<bool> is_there(const std::string& path) {
  struct stat status {};
  // lstat(2), because a symlink that leads nowhere occupies its name all the same.
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return fail_with_errno("stat " + path, errno);
}

}  // namespace caravel::tail
