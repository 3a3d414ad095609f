#include "watcher/files/mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>

#include "base/file.h"

namespace caravel::watcher {
namespace {

/// A host with containers has thousands of mounts; beyond this nobody can tell.
constexpr std::size_t kMostMountBytes = std::size_t{8} << 20;
constexpr std::size_t kMostFstabBytes = std::size_t{1} << 20;

/// The fields of a line, which blanks and tabs separate.
std::vector<std::string_view> mount_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return fields;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// Calls `visit` with the fields of each line.
template <class Visit>
void each_mount_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(mount_fields(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Both files write blanks, tabs, line ends and backslashes as "\040" (octal).
std::string without_escapes(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    unsigned value = 0;
    const char* const digits = field.data() + i + 1;
    if (field[i] == '\\' && i + 3 < field.size() &&
        std::from_chars(digits, digits + 3, value, 8).ptr == digits + 3) {
      out.push_back(static_cast<char>(value));
      i += 3;
    } else {
      out.push_back(field[i]);
    }
  }
  return out;
}

/// The number of the mount that a descriptor is on (statx(2)); 0 if nobody can tell.
std::uint64_t mount_id_of(int fd) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) return 0;
  return (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
}

}  // namespace

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string mount_point_of(int fd) {
  const std::uint64_t id = mount_id_of(fd);
  const auto mounts = read_file("/proc/self/mountinfo", kMostMountBytes);
  if (id == 0 || !mounts) return {};
  std::string found;
  each_mount_line(*mounts, [&](const std::vector<std::string_view>& fields) {
    if (fields.size() > 4 && fields[0] == std::to_string(id)) found = without_escapes(fields[4]);
  });
  return found;
}

std::vector<std::string> mount_points_in_mountinfo(std::string_view text) {
  std::vector<std::string> places;
  each_mount_line(text, [&](const std::vector<std::string_view>& fields) {
    if (fields.size() > 4) places.push_back(without_escapes(fields[4]));
  });
  return places;
}

std::vector<std::string> mount_points_in_fstab(std::string_view text) {
  std::vector<std::string> places;
  each_mount_line(text, [&](const std::vector<std::string_view>& fields) {
    // The second field of swap is "none".
    if (fields.size() < 3 || fields[0].starts_with('#') || !fields[1].starts_with('/')) return;
    std::string place = without_escapes(fields[1]);
    while (place.size() > 1 && place.back() == '/') place.pop_back();
    places.push_back(std::move(place));
  });
  return places;
}

std::string unmounted_place_of(const std::string& path) {
  const auto fstab = read_file("/etc/fstab", kMostFstabBytes);
  const auto mounts = read_file("/proc/self/mountinfo", kMostMountBytes);
  if (!fstab || !mounts) return {};
  std::error_code error;
  // A path that leads over a symbolic link lies below the mount point that it leads to.
  const auto real = std::filesystem::weakly_canonical(path, error);
  const std::string place = error ? path : real.string();
  const auto mounted = mount_points_in_mountinfo(*mounts);
  for (const std::string& wanted : mount_points_in_fstab(*fstab)) {
    // Below "/" lies everything, and a chroot(2) has no mount there.
    if (wanted != "/" && is_below(place, wanted) &&
        std::ranges::find(mounted, wanted) == mounted.end()) {
      return wanted;
    }
  }
  return {};
}

}  // namespace caravel::watcher
