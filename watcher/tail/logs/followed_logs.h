// The logs that one agent follows: finds them, knows which file is whose, forgets the deserted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/follow/other_logs.h"
#include "watcher/tail/held/held_files.h"
#include "watcher/tail/logs/followed_log.h"
#include "watcher/tail/logs/handovers.h"
#include "watcher/tail/logs/log_patterns.h"
#include "watcher/tail/packed/unpacker.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

struct FollowRules {
  std::vector<std::string> logs;  // paths or patterns
  std::string outbox;             // its files are no logs: they would be cut for ever
  std::chrono::milliseconds grace{0};
  bool from_start = false;            // of logs that are there when the agent first looks
  std::vector<std::string> siblings;  // patterns of further rotated files, see FollowerRules
};

/// All of what the state file remembers is here, so this also knows whether it is to be saved.
class FollowedLogs : private OtherLogs {
 public:
  /// What is given outlives this.
  FollowedLogs(FollowRules rules, HeldFiles& held, Unpacker& unpacker, Notices& notices)
      : rules_(std::move(rules)),
        held_(held),
        unpacker_(unpacker),
        notices_(notices),
        patterns_(notices) {}

  /// Called at the start, before anything else, with what the state file remembers.
  void restore(std::vector<Pattern> patterns) { patterns_.restore(std::move(patterns)); }
  FollowedLog& restore(LogState state);

  /// Looks for logs that are named and those that patterns find; new ones are added.
  void find();
  /// Whether the last find() could not see what a pattern would find.
  [[nodiscard]] bool cannot_see_all() const { return patterns_.in_trouble(); }
  /// Called after all logs were looked at: forgets logs whose name has been gone for several looks.
  void forget_deserted();

  [[nodiscard]] const std::vector<std::unique_ptr<FollowedLog>>& all() const { return logs_; }
  [[nodiscard]] std::size_t open_files() const;
  /// What the first line of a log is, whose file is open and was not read yet.
  [[nodiscard]] Handovers::FirstLine first_line_of(const FollowedLog& log) const;
  /// All directories in which files of the logs appear, but not the outbox.
  [[nodiscard]] std::set<std::string> directories() const;
  /// The paths of all logs.
  [[nodiscard]] std::set<std::string> paths() const;
  /// Files may have appeared unseen: each log goes through all of its own.
  void look_through();
  /// Lets go of held files that no log needed for some time.
  void release_held(const Moment& now);

  /// Says `what` of the file at `path`, which could not be read, if by its name it is a log's.
  void say_if_lost(const std::string& path, const std::string& what);

  /// What the state file is to hold.
  [[nodiscard]] State to_save() const;
  /// The new state is written, but has not got its name yet.
  void note_prepared();
  /// The state file holds what to_save() said.
  void note_saved();
  /// The state file is older than what is here.
  [[nodiscard]] bool changed();
  void mark_changed() { changed_ = true; }

 private:
  [[nodiscard]] const LogState* reader_of(const FileId& id, const LogState& asking) const override;
  [[nodiscard]] std::optional<Position> read_up_to(const Sibling& file,
                                                   const LogState& asking) const override;
  [[nodiscard]] bool was_left(const Stamp& file, const LogState& asking) const override {
    return handovers_.was_left(asking.log, file);
  }
  FollowedLog& add(LogState state);
  void add_new(const std::string& path, const StartRules& start);
  [[nodiscard]] bool is_read_already(const std::string& path) const;
  [[nodiscard]] bool is_in_outbox(const std::string& path);
  [[nodiscard]] bool is_to_be_forgotten(FollowedLog& log);

  FollowRules rules_;
  FollowerRules follower_rules_{rules_.grace, rules_.logs, rules_.siblings};
  HeldFiles& held_;
  Unpacker& unpacker_;
  Notices& notices_;
  LogPatterns patterns_;
  Handovers handovers_;
  std::vector<std::unique_ptr<FollowedLog>> logs_;
  bool changed_ = false;
};

}  // namespace caravel::tail
