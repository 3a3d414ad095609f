// One look at everything in a drop directory.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/files/file_stamp.h"
#include "watcher/files/name_rules.h"

namespace caravel::watcher {

enum class FileKind { regular, linked, directory, symlink, other };

/// In words, for `status`: "has more than one link".
[[nodiscard]] std::string_view describe(FileKind kind);
/// `linked` is a regular file with more than one link.
[[nodiscard]] FileKind kind_of(const struct stat& status);

struct ScanEntry {
  std::string name;
  FileKind kind = FileKind::other;
  FileStamp stamp;
  NameVerdict verdict;

  /// Its name is one that may be taken.
  [[nodiscard]] bool has_good_name() const {
    return verdict.kind == NameKind::candidate || verdict.kind == NameKind::manifest;
  }
  /// A file that may be claimed, once it is still.
  [[nodiscard]] bool takeable() const { return kind == FileKind::regular && has_good_name(); }
};

/// Looks at one name; nothing if it vanished. A symlink is looked at itself, never followed.
[[nodiscard]] Result<std::optional<ScanEntry>> look_at_name(int directory_fd,
                                                            const std::string& name,
                                                            const std::string& match);

/// Calls `visit` for each entry of the directory, in no order and in constant memory, until it
/// returns false. It may rename or remove the entry at hand. Our own ".caravel" is left out, and so
/// is what vanishes before it was looked at. The offset of `directory_fd` is not used. Errors: the
/// directory cannot be read; one entry that cannot be looked at does not end the scan, it comes
/// with kind `other`.
[[nodiscard]] Result<> scan_directory(int directory_fd, const std::string& match,
                                      const std::function<bool(const ScanEntry&)>& visit);

}  // namespace caravel::watcher
