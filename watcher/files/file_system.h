// What can be relied on in a directory, by the kind of file system that it is on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::watcher {

struct FileSystemTraits {
  std::string_view name;    // "ext4", "NFS", …; "unknown"
  bool events = true;       // inotify reports what is done through this host
  bool poll = false;        // scan all the same: other hosts can change it, and no event says so
  bool leases_tell = true;  // a read lease sees every writer there can be, see writer_state()
  bool own_clock = true;    // its times come from this host's clock, see StillnessTracker
};

/// By statfs(2)'s f_type. Pure. An unknown number is treated with caution: polled, its clock and
/// leases not believed.
[[nodiscard]] FileSystemTraits traits_of_type(std::uint64_t f_type);
[[nodiscard]] Result<FileSystemTraits> file_system_of(int fd);

/// Where "open for writing" can be answered, for `check`.
struct LeaseProbe {
  bool own_files = false;     // a lease can be taken on a file of ours
  bool others_files = false;  // and on files of other owners (CAP_LEASE, capabilities(7))
  std::string reason;         // in words, if either is false
};

/// Tries a lease on a file without a name (O_TMPFILE; where that does not exist, one that is
/// removed at once) in `directory_fd`, which must be a directory of ours, never a drop directory.
[[nodiscard]] Result<LeaseProbe> probe_leases(int directory_fd);

}  // namespace caravel::watcher
