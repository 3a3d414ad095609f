// Which paths can be a log's files: by their names, by the user's `--siblings`, by where the log's
// symlink leads, and by names that the log's own files were seen to get.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// What all followers of an agent have in common; the vectors outlive them.
struct FollowerRules {
  /// How long a rotated file must have been still before it counts as finished.
  std::chrono::milliseconds grace;
  const std::vector<std::string>& logs;  // all paths and patterns that this agent follows
  /// Patterns of rotated files: {} stands for the log's name, a relative one begins at the log's
  /// directory.
  const std::vector<std::string>& siblings;
};

/// Of one log. Asks no file system.
class Kinship {
 public:
  /// `state` (its log and what it remembers of names) outlives this.
  Kinship(const LogState& state, const FollowerRules& rules) : state_(state), rules_(rules) {}

  /// Whether `path` is the log's own name, or where its symlink leads or led (and no other log).
  [[nodiscard]] bool is_own_name(const std::string& path) const;
  /// What `path` can be to the log; nothing: none of its files, as far as the name tells.
  [[nodiscard]] std::optional<Kin> kin_at(const std::string& path) const;
  /// Whether the options name `path`, or a pattern matches it, as a log other than this one.
  [[nodiscard]] bool is_another_log(const std::string& path) const;
  /// Whether a pattern finds a doubtful name as a log of its own, perhaps this log's own pattern.
  [[nodiscard]] bool is_a_log_by_pattern(const std::string& path) const;

  /// Names these rules, with the user's. A state that was written with others knows nothing of
  /// files that only these take for the log's.
  [[nodiscard]] std::string rules() const;
  /// Whether agents before there were such rules took `path` for a rotated file of the log.
  [[nodiscard]] bool every_agent_knows(const std::string& path) const;

  /// The patterns of `--siblings` for this log, as absolute paths.
  [[nodiscard]] std::vector<std::string> patterns() const;
  /// The shapes of names beside `target`, a place where the log's symlink leads.
  [[nodiscard]] std::vector<std::string> shapes_beside(const std::string& target) const;
  /// All directories in which the log's files appear.
  [[nodiscard]] std::vector<std::string> directories() const;

 private:
  [[nodiscard]] std::optional<Kin> kin_by_pattern(const std::string& path) const;
  /// A pattern of `--siblings` as an absolute path, with this log's name in it.
  [[nodiscard]] std::string filled(std::string pattern) const;

  const LogState& state_;
  const FollowerRules& rules_;
};

}  // namespace caravel::tail
