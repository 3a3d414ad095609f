// Which files are one log's: its rotated ones, those that are held open, and those where its
// symlink leads or led, without those that another log reads.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/follow/kinship.h"
#include "watcher/tail/follow/known_files.h"
#include "watcher/tail/follow/open_file.h"
#include "watcher/tail/follow/other_logs.h"
#include "watcher/tail/held/held_files.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// Everything that is given outlives this; of `state` only the symlink targets and the shapes of
/// names are changed.
class LogFiles {
 public:
  LogFiles(LogState& state, const FollowerRules& rules, const OtherLogs& others, KnownFiles& known,
           const OpenFile& open, HeldFiles& held)
      : state_(state),
        rules_(rules),
        others_(others),
        known_(known),
        open_(open),
        held_(held),
        kinship_(state, rules) {}

  /// Notes which file has the log's name now (nothing: none has), and where a symlink leads. Once
  /// for each new place, the rotated files that lay there before are remembered as not the log's.
  [[nodiscard]] Result<> note_look(const std::optional<FileId>& live);
  /// What had the log's name at the last look.
  [[nodiscard]] const std::optional<FileId>& live() const { return live_; }

  /// The rotated files in no order, then the log itself if `live` is given.
  [[nodiscard]] Result<std::vector<Sibling>> list(const std::optional<Stamp>& live) const;
  /// This file under a name that says nothing of the log, in one of the log's directories. Other
  /// names of that shape are then known for the log's.
  [[nodiscard]] Result<std::optional<Sibling>> find_renamed(const FileId& id);
  /// Files that appeared lately in the log's directories and are no log's by their names.
  [[nodiscard]] std::vector<Sibling> strangers() const;

  /// Whether a held file is this log's, as far as its names tell.
  [[nodiscard]] bool owns(const HeldFile& file) const;
  /// Whether its times and the other logs agree to that.
  [[nodiscard]] bool is_file_of_log(const HeldFile& file, const Stamp& stamp) const;
  /// Whether one that appeared after `place` is.
  [[nodiscard]] bool appeared_since(std::uint64_t place) const;
  /// Whether this file is open, or is the one to be opened next.
  [[nodiscard]] bool is_reading(const FileId& id) const;
  /// Whether another log goes on in a file that this log's symlink led to.
  [[nodiscard]] bool another_log_has_a_target() const;
  [[nodiscard]] const Kinship& kinship() const { return kinship_; }
  /// Inode numbers of all names in the log's directories, sorted.
  [[nodiscard]] std::vector<std::uint64_t> inodes() const;

  /// Whether the state changed since this was last asked.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  [[nodiscard]] Result<> drop_unproven(std::vector<Sibling>& files,
                                       std::optional<Stamp> live) const;
  [[nodiscard]] bool is_joined(const FileId& id) const;
  [[nodiscard]] bool belongs_to_another_log(const Sibling& file) const;
  [[nodiscard]] Result<> remember_what_lay_there(const std::string& target, std::int64_t looked);
  [[nodiscard]] Result<> add_files_of_targets(std::vector<Sibling>& files) const;
  [[nodiscard]] Result<> add_files_of_patterns(std::vector<Sibling>& files) const;
  void add_held(std::vector<Sibling>& files) const;
  [[nodiscard]] Sibling sibling_of(const HeldFile& held, const Stamp& stamp) const;
  [[nodiscard]] Result<> learn_shape(const Sibling& file);

  LogState& state_;
  const FollowerRules& rules_;
  const OtherLogs& others_;
  KnownFiles& known_;
  const OpenFile& open_;
  HeldFiles& held_;
  Kinship kinship_;
  std::optional<FileId> live_;
  /// Files with doubtful names that are the log's, as list() found them last.
  mutable std::vector<FileId> joined_;
  bool changed_ = false;
};

}  // namespace caravel::tail
