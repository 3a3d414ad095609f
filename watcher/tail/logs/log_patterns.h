// What patterns of logs find, and since when they are looked for.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/notices.h"
#include "watcher/tail/names/glob.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// Remembers each pattern from its first look on: what is found there lay there before and is read
/// from its end, what appears later is new and is read from its start.
class LogPatterns {
 public:
  explicit LogPatterns(Notices& notices) : notices_(notices) {}

  /// Takes what the state file remembers. A pattern that an older agent wrote, without a time,
  /// counts as looked for since now.
  void restore(std::vector<Pattern> patterns);

  struct Look {
    std::vector<std::string> logs;      // what matches, sorted; rotated files are left out
    std::optional<Pattern> remembered;  // what was remembered before this look
  };
  /// Looks for one pattern. `known`: the paths of all logs that are followed, sorted. Says what
  /// people should know of it: that nothing matches, that not all could be looked through.
  [[nodiscard]] Look look(const std::string& glob, const std::vector<std::string>& known);

  /// Whether in the looks since forget_trouble() a pattern found nothing, and a directory of it
  /// must not be read.
  [[nodiscard]] bool in_trouble() const { return in_trouble_; }
  void forget_trouble() { in_trouble_ = false; }

  /// Those of `globs` that were looked for, as the state keeps them.
  [[nodiscard]] std::vector<Pattern> remembered(const std::vector<std::string>& globs) const;
  /// Whether that changed since this was last asked.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }

 private:
  [[nodiscard]] Pattern* find(const std::string& glob);
  void say_what_matches(const std::string& glob, const Matches& found, bool is_followed);
  void say_what_counts_as_rotated(const Matches& found);
  void say_if_unreadable(const std::string& glob, const std::optional<Error>& error);

  Notices& notices_;
  std::vector<Pattern> patterns_;
  bool in_trouble_ = false;
  bool changed_ = false;
};

/// Whether the option `log` is to be looked for as a pattern. If a file has that very name, the
/// file is meant.
[[nodiscard]] bool is_pattern_to_expand(const std::string& log);

/// Whether the log that `pattern` found just now may have lain unseen in a directory that could not
/// be looked through, when the pattern was first looked for.
[[nodiscard]] bool was_overlooked(const std::string& path, const Pattern& pattern);

}  // namespace caravel::tail
