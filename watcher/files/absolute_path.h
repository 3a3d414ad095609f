// A path that means the same wherever the program stands.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace caravel::watcher {

/// The path from the root on, without "." and "..". No symlink is followed: the path stays one that
/// the person who wrote it knows. If the current directory has been deleted (getcwd(3), ENOENT), a
/// relative path stays as it is, and what is done with it says so.
[[nodiscard]] inline std::string absolute_path(const std::string& path) {
  std::error_code gone;
  const auto absolute = std::filesystem::absolute(path, gone);
  return (gone ? std::filesystem::path(path) : absolute).lexically_normal().string();
}

}  // namespace caravel::watcher
