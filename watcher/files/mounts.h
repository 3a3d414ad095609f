// Which file systems are mounted where, and which should be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel::watcher {

/// Whether `path` is `directory` or lies in it. Both are absolute, without "." and "..". Pure.
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);

/// The mount point of the file system that this descriptor is on; "" if nobody can tell (no /proc,
/// Linux before 5.8).
[[nodiscard]] std::string mount_point_of(int fd);

/// The mount points in the text of /proc/self/mountinfo (proc(5)), or in that of /etc/fstab
/// (fstab(5)), with their escapes undone. Pure.
[[nodiscard]] std::vector<std::string> mount_points_in_mountinfo(std::string_view text);
[[nodiscard]] std::vector<std::string> mount_points_in_fstab(std::string_view text);

/// The mount point of /etc/fstab that `path` lies below, or is, and on which nothing is mounted
/// now;
/// "" if there is none. A file system that is mounted when first used (autofs) counts as mounted.
[[nodiscard]] std::string unmounted_place_of(const std::string& path);

}  // namespace caravel::watcher
