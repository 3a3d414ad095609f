// The files that `caravel format` reads and writes. None of them may be another one of them, and
// nothing is opened for writing before that is known.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "formatter/output/rejects.h"

namespace caravel::watcher {

struct FormatSource {
  UniqueFd fd;
  std::string name;  // "" for stdin
  struct stat status {};
};

/// Opens the file that the operands name; stdin without any, and for "-". Errors: usage if the file
/// cannot be opened or is a directory.
[[nodiscard]] Result<FormatSource> open_format_source(const std::vector<std::string>& operands);

/// Where the results go.
struct FormatFiles {
  UniqueFd held;     // the CSV, as long as its years are in doubt; else it goes to stdout
  UniqueFd sidecar;  // if it is wanted
  std::optional<formatter::Rejects::Paths> rejects{};  // else they go to stderr

  /// Whether anything is written besides stdout and stderr.
  [[nodiscard]] bool any() const { return held || sidecar || rejects; }
};

/// `rejects` and `sidecar` are the paths that a person gave; `hold` is true if the CSV must not be
/// shown yet. Reject files of an earlier run are deleted. Errors: usage if one of the files is
/// another one, or no regular file.
[[nodiscard]] Result<FormatFiles> open_format_files(const std::optional<std::string>& rejects,
                                                    const std::optional<std::string>& sidecar,
                                                    const FormatSource& source, bool hold);

/// Where files without a name are made: TMPDIR names the place (POSIX, Base Definitions, 8.3).
[[nodiscard]] std::string temporary_folder();

/// Copies a file to stdout, from its start.
[[nodiscard]] Result<> copy_to_stdout(int fd);

}  // namespace caravel::watcher
