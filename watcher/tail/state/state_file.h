// The state's file on the disk: one agent at a time, replaced as a whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// What stands behind STATE in the name of the file that a running agent has locked (flock(2)).
inline constexpr std::string_view kLockSuffix = ".lock";

/// The state, read without a lock: of a running agent, as it was saved last. Nothing: there is no
/// such file. Kind fault: the text cannot be read.
[[nodiscard]] Result<std::optional<State>> read_state(const std::string& path);

/// STATE, and STATE.lock beside it, which is held as long as this lives.
class StateFile {
 public:
  /// `disk` outlives this.
  StateFile(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  /// Takes the lock, then reads the state: an empty one if there is no file. Kind fault: another
  /// agent has the lock, or the text cannot be read.
  [[nodiscard]] Result<State> open();

  /// Writes and syncs the new text beside the old one. After an error nothing has changed.
  [[nodiscard]] Result<> prepare(const State& state);
  /// Gives the prepared text the name STATE. After an error the new text may have the name all the
  /// same, perhaps only until a power loss.
  [[nodiscard]] Result<> put_in_place();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] Result<> lock();

  Disk& disk_;
  std::string path_;
  UniqueFd lock_;
};

}  // namespace caravel::tail
