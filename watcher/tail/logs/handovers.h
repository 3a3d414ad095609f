// Loggers whose files are logs of their own, because a pattern finds a new one at each rotation
// (`'app-*.log'`): which of them was left for another one in the midst of a line?
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "watcher/tail/files/log_file.h"

namespace caravel::tail {

/// Files of one directory whose names differ in their numbers only (shape_of()) are one logger's.
/// It left one of them if the next one, by their births, was born at or after its last write. Looks
/// at the files only when it is asked, and then once a look at all logs.
class Handovers {
 public:
  /// A new look at all logs begins; `paths` are those of them that patterns found.
  void begin_look(std::vector<std::string> paths);

  /// What the first line of a log is, whose file is `file`.
  enum class FirstLine {
    whole,
    second_half,  // the log before it was left within a line
    not_known,    // the log before it ends within a line now, and may go on
  };
  /// `still`: before this time (nanoseconds since 1970) a log was last written to that is left.
  [[nodiscard]] FirstLine first_line_of(const std::string& path, const Stamp& file,
                                        std::int64_t still) const;
  /// Whether the log, whose file is `file`, was left for another one.
  [[nodiscard]] bool was_left(const std::string& path, const Stamp& file) const;

 private:
  struct Log {
    std::string path;
    Stamp file;
  };
  using Logs = std::vector<Log>;  // the oldest first
  [[nodiscard]] const Logs& logs_like(const std::string& path) const;
  [[nodiscard]] std::map<std::string, Logs> look() const;

  std::vector<std::string> paths_;
  mutable std::optional<std::map<std::string, Logs>> logs_;  // by directory and shape
};

}  // namespace caravel::tail
