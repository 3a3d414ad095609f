// Small steps on directories, all relative to a descriptor: a name is never resolved twice, and
// never through a symlink that someone put there.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::watcher {

/// Opens a directory that our configuration names; symlinks on the way are the administrator's.
[[nodiscard]] Result<UniqueFd> open_directory(const std::string& path);
/// Opens the directory `name` in `parent_fd`. A symlink is an error.
[[nodiscard]] Result<UniqueFd> open_directory_at(int parent_fd, const std::string& name);
/// The same, made first if it is missing; then its parent is synced.
[[nodiscard]] Result<UniqueFd> make_directory_at(int parent_fd, const std::string& name,
                                                 mode_t mode);

/// Makes the directory `path`, whose parent must be there, so that it outlasts a loss of power:
/// else everything that is synced inside could go with it. One that is there is fine; its parent is
/// synced as far as we have the right to, since an earlier run may have ended right behind the
/// mkdir(2).
[[nodiscard]] Result<> make_durable_directory(const std::string& path, mode_t mode);

/// fsync(2); `what` is for the message.
[[nodiscard]] Result<> sync_fd(int fd, std::string_view what);

/// Calls `visit` for each name but "." and "..", in no order, until it returns false. The one way
/// in which directories are walked here; the offset of `directory_fd` is not used.
[[nodiscard]] Result<> for_each_name(int directory_fd,
                                     const std::function<bool(const std::string&)>& visit);

/// renameat2(2) with RENAME_NOREPLACE; 0 or the errno (EEXIST, ENOENT, EXDEV, …). Where the file
/// system does not know the flag, a look comes before a plain rename. That is good enough where
/// only the holder of the spool's lock writes, and unlike link(2) with unlink(2) it never leaves a
/// file with two names after a crash.
[[nodiscard]] int rename_noreplace(int from_fd, const std::string& from, int to_fd,
                                   const std::string& to);

/// Whether anything of this name is in the directory, be it a symlink that leads nowhere.
[[nodiscard]] Result<bool> exists_at(int directory_fd, const std::string& name);

}  // namespace caravel::watcher
