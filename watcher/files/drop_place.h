// What stands at the path of a drop directory, in words.
#pragma once

#include <string>
#include <string_view>

namespace caravel::watcher {

enum class PlaceState {
  usable,        // a directory that can be listed
  missing,       // nothing is there
  unmounted,     // /etc/fstab has a file system for this place, and it is not mounted
  no_directory,  // something else is there, or on the way to it
  unreadable,    // this user may not list it, or not go there
};

[[nodiscard]] std::string_view name_of(PlaceState state);

struct Place {
  PlaceState state = PlaceState::usable;
  /// What is wrong and what to do, as it stands behind the path: "is missing: …"; "" if usable.
  std::string why{};
};

/// Looks at an absolute path with the rights of this process, and changes nothing.
[[nodiscard]] Place look_at_place(const std::string& path);

}  // namespace caravel::watcher
