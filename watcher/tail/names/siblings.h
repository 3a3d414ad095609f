// The rotated files of a log: which names in its directory are such, and in which order they were
// written.
//
//   app.log.1  app.log.2.gz  app.log.old     a count (logrotate), compressed or not
//   app.log-20240131  app-20240131.log       a date behind the name, or before its extension
//   app.1.log                                a count before its extension
//   app.log.part  app2.log                   none: what stands for the rotation must be digits with
//                                            separators, "old" or "bak", behind '.', '-' or '_'
//
// Dates ascend: the larger one is newer. Counts descend where logrotate renames all files at each
// rotation (app.log.1 is the newest), and ascend where a program counts upwards; the names do not
// say which. numbers_ascend() tells it from what was read before, or from which files were renamed.
// Names that are mixed are ordered by mtime. A wrong order loses nothing: it only mixes lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/tail/files/log_file.h"

namespace caravel::tail {

/// Compressed: what is in it cannot be resumed.
[[nodiscard]] bool is_packed(std::string_view name);

/// What stands for the rotation in a name that can be a rotation of `base`: "1" for "app.log.1",
/// "20240131" for "app-20240131.log" and "app.log-20240131.gz", "old" for "app.log.old"; nothing
/// for other names ("app.log.part", "app2.log").
[[nodiscard]] std::optional<std::string_view> rotation_of(std::string_view name,
                                                          std::string_view base);

/// Whether the rotation is surely a date, of this century or the last; any other may be a number.
[[nodiscard]] bool is_date(std::string_view rotation);

/// All names of which `name` can be a rotation.
[[nodiscard]] std::vector<std::string> bases_of(std::string_view name);

struct Sibling {
  std::string path;
  std::string rotation;  // see rotation_of()
  Stamp stamp;
  bool packed = false;
};

/// Whether the program numbers its rotated files upwards (a higher number is newer), as judged by
/// `files`, all of them newer than `read`, which was read after `before` (either may be null); else
/// by the times of their last change (a rename is one). False: logrotate's way.
[[nodiscard]] bool numbers_ascend(const std::vector<Sibling>& files, const Sibling* read,
                                  const Sibling* before);

/// Sorts oldest first: by number or by date, if the names all have such, else by mtime.
void sort_siblings(std::vector<Sibling>& siblings, bool ascending);

/// The rotated files beside `log`, in no order, without the log itself under another name.
[[nodiscard]] Result<std::vector<Sibling>> rotated_siblings(const std::string& log,
                                                            const std::optional<Stamp>& live);

}  // namespace caravel::tail
