// What a person should look at: the answer of `status --check`, of /readyz, and the first thing on
// the page.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::watcher {

/// As monitoring plug-ins count them, so that the largest is the answer.
enum class Level { ok, warning, critical };

/// "ok", "warning", "critical".
[[nodiscard]] std::string_view name_of(Level level);

struct Problem {
  Level level = Level::warning;
  /// One of a few words, for programs: failed, unwatched, store, disk, folder, directory, rejects,
  /// gap, silent, waiting, polling.
  std::string kind;
  std::string text;   // one line for people, foreign values escaped
  bool ready = true;  // false: what comes now is not loaded as it should be
};

struct Health {
  std::vector<Problem> problems;  // the worst first

  [[nodiscard]] Level level() const {
    Level worst = Level::ok;
    for (const Problem& problem : problems) worst = std::max(worst, problem.level);
    return worst;
  }
  [[nodiscard]] bool ready() const {
    return std::all_of(problems.begin(), problems.end(),
                       [](const Problem& problem) { return problem.ready; });
  }
};

}  // namespace caravel::watcher
