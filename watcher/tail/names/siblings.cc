#include "watcher/tail/names/siblings.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

/// svlogd's processor writes compressed files under names that do not say so (`!gzip`).
bool begins_like_gzip(const std::string& path) {
  const auto fd = open_log(path);
  return fd && is_gzip(fd->get());
}

}  // namespace

bool is_gzip(int fd) {
  char magic[2] = {};
  return read_at(fd, 0, magic, sizeof magic).value_or(0) == sizeof magic && magic[0] == '\x1f' &&
         magic[1] == '\x8b';
}

Result<UniqueFd> open_sibling(const Sibling& file) {
  if (file.held < 0) return open_log(file.path);
  UniqueFd fd(::fcntl(file.held, F_DUPFD_CLOEXEC, 0));
  if (!fd) return fail_with_errno(file.path, errno);
  return fd;
}

Result<std::optional<Sibling>> sibling_at(const std::string& path, std::string rotation) {
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of(path));
  if (!stamp || !stamp->regular) return std::nullopt;  // gone by now, or no file of a log
  Sibling sibling;
  sibling.path = path;
  sibling.rotation = std::move(rotation);
  sibling.stamp = *stamp;
  sibling.packed = is_packed(path) || (base_of(path).front() == '@' && begins_like_gzip(path));
  return sibling;
}

Result<std::vector<Sibling>> rotated_siblings(const std::string& log,
                                              const std::optional<Stamp>& live,
                                              const std::vector<std::string>& shapes) {
  const std::string directory = directory_of(log);
  const std::string base = base_of(log);
  CARAVEL_ASSIGN_OR_RETURN(auto names, names_in(directory));
  std::vector<Sibling> siblings;
  for (const std::string& name : names) {
    auto kin = kin_of(name, base, shapes);
    if (!kin) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto sibling,
                             sibling_at(directory + "/" + name, std::move(kin->rotation)));
    // A hard link to the log under a rotated name is the log itself, not one of its rotated files.
    if (!sibling || (live && same_file(live->id, sibling->stamp.id))) continue;
    sibling->proof = kin->proof;
    siblings.push_back(std::move(*sibling));
  }
  return siblings;
}

Result<std::optional<Sibling>> find_in(const std::string& directory, const FileId& id) {
  CARAVEL_ASSIGN_OR_RETURN(auto entries, entries_in(directory));
  for (const Entry& entry : entries) {
    // The inode number is in the directory itself: no other file is asked about.
    if (entry.inode != id.inode || is_packed(entry.name)) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto found, sibling_at(directory + "/" + entry.name, entry.name));
    if (found && same_file(found->stamp.id, id)) return found;
  }
  return std::nullopt;
}

}  // namespace caravel::tail
