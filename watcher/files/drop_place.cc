#include "watcher/files/drop_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "base/unique_fd.h"
#include "watcher/files/mounts.h"

namespace caravel::watcher {
namespace {

constexpr std::array<std::string_view, 5> kPlaceStates{"ok", "missing", "not mounted",
                                                       "not a directory", "not readable"};

/// The first part of the way to `path` that answers with `error` when it is opened as a directory;
/// `path` itself if no part before it does.
std::string culprit(const std::string& path, int error) {
  std::filesystem::path way;
  for (const auto& part : std::filesystem::path(path)) {
    way /= part;
    // O_PATH needs no right on the directory itself, only those on the way to it.
    const UniqueFd fd(::open(way.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd && errno == error) return way.string();
  }
  return path;
}

/// The part of the way that may not be searched; `path` itself if only its listing is refused.
std::string locked_part(const std::string& path) {
  const std::string refused = culprit(path, EACCES);
  // The open of NAME fails because the directory above may not be searched.
  const UniqueFd fd(::open(refused.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return fd ? path : std::filesystem::path(refused).parent_path().string();
}

Place nothing_there(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    return {PlaceState::missing, "is a symbolic link to what is not there: make its target"};
  }
  const std::string first = culprit(path, ENOENT);
  return {PlaceState::missing,
          first == path ? "is missing: make it, writable for its senders"
                        : fmt::format("is missing, for there is no {}: make it, writable for its "
                                      "senders, or mount what holds it",
                                      printable(first))};
}

}  // namespace

std::string_view name_of(PlaceState state) { return kPlaceStates[static_cast<std::size_t>(state)]; }

Place look_at_place(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC));
  const int error = fd ? 0 : errno;
  if (error == 0 || error == ENOENT) {
    const std::string mount = unmounted_place_of(path);
    if (!mount.empty()) {
      return {PlaceState::unmounted,
              fmt::format("is not mounted: /etc/fstab has a file system for {}, and none is "
                          "mounted there: mount it",
                          printable(mount))};
    }
  }
  if (error == 0) return {};
  if (error == ENOENT) return nothing_there(path);
  if (error == ENOTDIR) {
    const std::string first = culprit(path, ENOTDIR);
    return {PlaceState::no_directory,
            first == path
                ? "is no directory: move it away and make a directory there"
                : fmt::format("cannot be reached, for {} is no directory", printable(first))};
  }
  if (error == EACCES) {
    const std::string part = locked_part(path);
    return {
        PlaceState::unreadable,
        fmt::format("cannot be read by uid {}: the rights of {} do not allow it (it must be {})",
                    static_cast<unsigned>(::geteuid()), printable(part),
                    part == path ? "readable and searchable" : "searchable")};
  }
  return {PlaceState::unreadable, fmt::format("cannot be read: {}", std::strerror(error))};
}

}  // namespace caravel::watcher
