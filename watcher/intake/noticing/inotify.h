// The kernel's event queue for directories and files: inotify(7).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/intake/noticing/drop_events.h"

namespace caravel::watcher {

/// Owns one inotify descriptor, which is opened when the first directory is to be watched: who
/// polls needs none. Watches are set on what a descriptor has open, not on a path, so that what is
/// watched and what is scanned are one directory whoever renames around it.
///
/// Descriptors and watches are limited for each user and each user namespace (inotify(7), "/proc
/// interfaces"), and other programs of the user can use them up. A call that fails for that may
/// work later: call it again.
///
/// Add the watch, then scan: what comes between the two is seen twice, never missed. The same
/// directory may be watched for several feeds: it has one watch descriptor, and the watch ends with
/// the last use.
/// Not for use by several threads.
class Inotify {
 public:
  /// Opens the descriptor, if it is not open. Errors: kind fault with the sysctl to raise, if
  /// fs.inotify.max_user_instances is reached.
  [[nodiscard]] Result<> open();

  /// For poll(2): readable when drain() has something. -1 as long as none is open, which poll(2)
  /// passes over.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Everything that can happen to the files of a drop directory. Returns the watch descriptor.
  /// Errors: those of open(); kind fault with the sysctl to raise, if fs.inotify.max_user_watches
  /// is reached.
  [[nodiscard]] Result<int> watch_directory(int directory_fd);
  /// Names that appear in a directory or go from it: how the removal of a drop directory is
  /// noticed, and that it was made again. Needed beside watch_directory(): while anyone has a
  /// removed directory open, as we do, the kernel does not report IN_DELETE_SELF for it.
  [[nodiscard]] Result<int> watch_parent(int directory_fd);
  /// A claimed file: `closed` when a writer has closed it, `changed` when its links or rights
  /// have changed. See writer_state() for why a writer may still be seen just after `closed`. A
  /// file alone opens no descriptor: where every directory is polled, this fails.
  [[nodiscard]] Result<int> watch_file(int file_fd);
  /// Ends one use of a watch; one that is gone already is fine. Events that wait in the queue
  /// still come: ignore descriptors that you do not know.
  void remove(int watch);

  /// Appends what waits in the queue to `out` and never blocks. At most about 16,000 events a
  /// call: poll(2) again says whether more wait. What the kernel's own queue
  /// (fs.inotify.max_queued_events) could not hold comes as one overflow.
  [[nodiscard]] Result<> drain(std::vector<DropEvent>& out);

 private:
  Result<int> add(int fd, std::uint32_t mask, std::string_view what);

  UniqueFd fd_;
  std::map<int, int> uses_;  // watch descriptor -> how often it was asked for
  std::vector<char> buffer_;
};

}  // namespace caravel::watcher
