// Paths, and what lies at them: the questions that the agent asks about a directory.
#pragma once

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

/// What is in a directory, in no order; nothing if it is not there.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& directory);

/// With its parents, mode 0750; durable.
[[nodiscard]] Result<> make_directory(const std::string& path);

/// Whether there is something, be it a dangling symlink. Only "no such file" is a no: what cannot
/// be looked at may well be there.
[[nodiscard]] Result<bool> is_there(const std::string& path);

}  // namespace caravel::tail
