// What a file looked like at one moment: enough to tell whether it has changed since.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace caravel::watcher {

struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  std::uint64_t size = 0;     // bytes
  std::int64_t mtime_ns = 0;  // since 1970; a time beyond what fits is the nearest that does
  std::int64_t ctime_ns = 0;

  bool operator==(const FileStamp&) const = default;
};

[[nodiscard]] FileStamp stamp_of(const struct stat& status);
[[nodiscard]] Result<FileStamp> stamp_of_fd(int fd);

/// Whether the content may be another one: size or mtime differ. A rename, a new link or a copy
/// that kept the mtime is no change.
[[nodiscard]] bool changed_since(const FileStamp& before, const FileStamp& now);

}  // namespace caravel::watcher
