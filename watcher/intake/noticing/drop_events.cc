#include "watcher/intake/noticing/drop_events.h"

#include <sys/inotify.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

namespace caravel::watcher {
namespace {

/// The mask of one record has one event bit, and flags such as IN_ISDIR beside it.
std::optional<EventKind> kind_of(std::uint32_t mask) {
  if ((mask & IN_Q_OVERFLOW) != 0) return EventKind::overflow;
  // IN_IGNORED also follows when we end a watch ourselves; whoever reads the events passes over
  // watches that are not known any more.
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
    return EventKind::watch_gone;
  }
  if ((mask & IN_CLOSE_WRITE) != 0) return EventKind::closed;
  if ((mask & IN_MOVED_TO) != 0) return EventKind::moved_in;
  if ((mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB)) != 0) return EventKind::changed;
  return std::nullopt;  // never asked for
}

}  // namespace

void decode_events(std::string_view buffer, std::vector<DropEvent>& out) {
  constexpr std::size_t kHeader = sizeof(inotify_event);
  while (!buffer.empty()) {
    // Copied out, since the buffer need not be aligned.
    inotify_event header;
    // An event without any value is an overflow: `{}`.
    if (buffer.size() < kHeader) {
      out.push_back({});
      return;
    }
    std::memcpy(&header, buffer.data(), kHeader);
    buffer.remove_prefix(kHeader);
    if (buffer.size() < header.len) {
      out.push_back({});
      return;
    }
    // The name is padded with NULs; a watch on the file itself brings none.
    std::string_view name = buffer.substr(0, header.len);
    buffer.remove_prefix(header.len);
    name = name.substr(0, name.find('\0'));

    if (const auto kind = kind_of(header.mask)) {
      out.push_back({header.wd, *kind, std::string(name), (header.mask & IN_ISDIR) != 0});
    }
  }
}

}  // namespace caravel::watcher
