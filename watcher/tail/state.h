// What the agent remembers: one small file, replaced as a whole. docs/tail.md has the layout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/manifest.h"
#include "watcher/tail/log_file.h"

namespace caravel::tail {

/// An extract that is being published: its temporary file is complete and on the disk. It counts
/// as published as soon as this is saved; after a crash it is finished or found done.
struct Pending {
  watcher::Manifest manifest;
  Position after;  // where the log stands once it is published
  bool operator==(const Pending&) const = default;
};

struct LogState {
  std::string log;             // absolute path
  std::string run;             // 8 hex digits
  std::uint64_t sequence = 0;  // of the last published extract
  /// When nothing was read yet: rotated files modified after this were never seen (nanoseconds).
  std::int64_t since = 0;
  std::optional<Position> file;  // the last file that was read from
  std::optional<Pending> pending;
  bool operator==(const LogState&) const = default;
};

struct State {
  std::vector<std::string> patterns;  // globs that were looked for before
  std::vector<LogState> logs;
  bool operator==(const State&) const = default;
};

[[nodiscard]] std::string format_state(const State& state);

/// Errors of kind fault: a state that cannot be read is never guessed.
[[nodiscard]] Result<State> parse_state(std::string_view text);

/// 8 random hex digits (getrandom(2)).
[[nodiscard]] std::string random_run();

}  // namespace caravel::tail
