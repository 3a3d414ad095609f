// Which files are one log's: its rotated ones, and those where its symlink leads or led to, without
// those that another log reads.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/follow/known_files.h"
#include "watcher/tail/follow/open_file.h"
#include "watcher/tail/follow/other_logs.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// Everything that is given outlives this; of `state` only the symlink targets are changed.
class LogFiles {
 public:
  /// `logs`: all paths and patterns that this agent follows.
  LogFiles(LogState& state, const std::vector<std::string>& logs, const OtherLogs& others,
           KnownFiles& known, const OpenFile& open)
      : state_(state), logs_(logs), others_(others), known_(known), open_(open) {}

  /// Notes which file has the log's name now (nothing: none has), and where a symlink leads. Once
  /// for each new place, the rotated files that lay there before are remembered as not the log's.
  [[nodiscard]] Result<> note_look(const std::optional<FileId>& live);
  /// What had the log's name at the last look.
  [[nodiscard]] const std::optional<FileId>& live() const { return live_; }

  /// The rotated files in no order, then the log itself if `live` is given.
  [[nodiscard]] Result<std::vector<Sibling>> list(const std::optional<Stamp>& live) const;

  /// Whether this file is open, or is the one to be opened next.
  [[nodiscard]] bool is_reading(const FileId& id) const;
  /// Whether another log goes on in a file that this log's symlink led to.
  [[nodiscard]] bool another_log_has_a_target() const;

  /// Whether the state changed since this was last asked.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  [[nodiscard]] bool is_another_log(const std::string& path) const;
  [[nodiscard]] bool belongs_to_another_log(const Sibling& file) const;
  [[nodiscard]] Result<> remember_what_lay_there(const std::string& target, std::int64_t looked);
  [[nodiscard]] Result<> add_files_of_targets(std::vector<Sibling>& files) const;

  LogState& state_;
  const std::vector<std::string>& logs_;
  const OtherLogs& others_;
  KnownFiles& known_;
  const OpenFile& open_;
  std::optional<FileId> live_;
  bool changed_ = false;
};

}  // namespace caravel::tail
