// Paths, and what lies at them: the questions that the agent asks about a directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace caravel::tail {

/// The directory part of a path; "." if it has none.
[[nodiscard]] std::string directory_of(const std::string& path);
/// One spelling for one path, as a log is known by it: without "//" and "/./". ".." stays: what is
/// before it may be a symlink.
[[nodiscard]] std::string plain_path(const std::string& path);
/// Where `path` really lies, all symlinks followed; the file need not be there. Empty if that is
/// `path` itself, or cannot be told.
[[nodiscard]] std::string link_target(const std::string& path);
/// The last component.
[[nodiscard]] std::string base_of(const std::string& path);

struct Entry {
  std::string name;
  std::uint64_t inode = 0;  // of the name itself: a symlink's is its own
};
/// What is in a directory, in no order; nothing if it is not there.
[[nodiscard]] Result<std::vector<Entry>> entries_in(const std::string& directory);
/// The names alone.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& directory);

/// Makes a directory and its parents, mode 0750, durably. One that is there is no error.
[[nodiscard]] Result<> make_directory(const std::string& path);

/// Whether `path` names anything, be it a symlink that leads nowhere. An error if that cannot be
/// told: only "no such file" means no.
[[nodiscard]] Result<bool> is_there(const std::string& path);

}  // namespace caravel::tail
