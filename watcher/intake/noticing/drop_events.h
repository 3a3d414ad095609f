// Decodes what the kernel says about watched directories and files. Pure: bytes in, values out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel::watcher {

enum class EventKind {
  closed,      // IN_CLOSE_WRITE: the file may be whole, claim it
  moved_in,    // IN_MOVED_TO: the same
  changed,     // IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_ATTRIB: look, and wait for stillness
  watch_gone,  // IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT, IN_IGNORED: what was watched is no
               // longer where it was; open it again by its path
  overflow,    // IN_Q_OVERFLOW, or a buffer that makes no sense: events were lost, scan
};

struct DropEvent {
  int watch = -1;  // the watch descriptor; -1 for overflow
  EventKind kind = EventKind::overflow;
  std::string name;  // in the watched directory; empty for the directory, or a file, itself
  bool is_directory = false;

  bool operator==(const DropEvent&) const = default;
};

/// Appends the events of `buffer`, as read(2) from an inotify descriptor filled it (inotify(7)), to
/// `out`. The buffer needs no alignment. A record that the buffer cuts short, which no kernel
/// hands out, becomes an overflow: then a scan finds what it would have said.
void decode_events(std::string_view buffer, std::vector<DropEvent>& out);

}  // namespace caravel::watcher
