// What the agent remembers, as values and as text: state_file.h keeps it on the disk. docs/tail.md,
// "The state file", has the layout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/exchange/manifest.h"
#include "watcher/tail/files/log_file.h"

namespace caravel::tail {

/// An extract that is being published: its temporary file is complete and on the disk. It counts
/// as published as soon as a state with this is saved: after a crash the start finishes it, or
/// finds it done.
struct Pending {
  watcher::Manifest manifest;
  Position after;  // where the log stands once the extract is published
  /// It ends with the first half of a line whose second half is not known yet.
  bool half = false;
  /// The place behind the second half of its last line, in the file that the logger began then.
  std::optional<Position> next{};
  bool operator==(const Pending&) const = default;
};

/// A file beside a log (or the log itself under an earlier name) that need not be read again.
struct Known {
  FileId id;
  std::uint64_t offset = 0;   // up to here it was read
  std::uint64_t size = 0;     // when the file was last looked at
  std::int64_t modified = 0;  // its mtime then
  std::string digest;         // digest_of() the position at `offset`; empty: it was not opened
  bool read = false;    // by this agent; else it lay there before, or is a copy, or is compressed
  unsigned missed = 0;  // looks in a row that did not find it
  bool operator==(const Known&) const = default;
};

/// What is remembered of a file that was read (or, with `read` false, lies there) up to `position`.
[[nodiscard]] Known known_of(const Position& position, std::uint64_t size, bool read);

/// A log that must not be read yet: it begins behind what was there at the first look.
struct FirstLook {
  FileId id;
  std::uint64_t size = 0;
  bool operator==(const FirstLook&) const = default;
};

/// Lines that were lost, or may have been: what the agent said of it, and when (nanoseconds since
/// 1970).
struct Loss {
  std::int64_t when = 0;
  std::string what;
  bool operator==(const Loss&) const = default;
};

struct LogState {
  std::string log;             // absolute path
  std::string run;             // 8 hex digits
  std::uint64_t sequence = 0;  // of the last published extract
  /// What was published last ended with half a line: the next file begins with the other half.
  bool half_open = false;
  /// Set when `known` says too little (a state of version 1, or one older than the outbox): the
  /// next look goes by order, or takes what was modified up to then for read (nanoseconds).
  std::optional<std::int64_t> since;
  std::optional<Position> file;   // the one that is being read, not to its end yet
  std::optional<Position> aside;  // the log, set aside while a rotated file that grew is read
  /// The place behind the first line of a file, which was published as the end of a line that began
  /// in the file before it.
  std::optional<Position> begun;
  std::vector<Known> known;      // in the order in which they were read
  std::vector<Pending> pending;  // one after the other
  /// The directory in which `pending` lie. If it is not there any more, nothing says whether they
  /// were published.
  std::optional<FileId> built_in;
  std::optional<FirstLook> first_look;
  /// Where the log really lies, if a symlink leads there, and before that; the newest first.
  std::vector<std::string> targets;
  /// Names that its files were seen to get: "app.#" for app.1706695200 (shape_of()).
  std::vector<std::string> shapes;
  /// Which rules of names the log was last looked at with. An agent that knows more names must not
  /// take old files for unread ones.
  std::string rules;
  std::vector<Loss> losses;     // the last ones, oldest first
  std::int64_t looked = 0;      // when it was looked at last, by the clock of file systems
  unsigned deserted_looks = 0;  // looks in a row that found nothing of it (4 at most)
  bool operator==(const LogState&) const = default;
};

/// Adds a loss; of many, the last 16 are kept.
void remember_loss(LogState& log, std::int64_t when, std::string_view what);

/// A glob that was looked for before.
struct Pattern {
  std::string glob;
  /// Since when, by the clock of file systems (nanoseconds since 1970); 0: not known.
  std::int64_t since = 0;
  /// There was a directory that must not be read: a log in it may be older than `since`.
  bool partly = false;
  bool operator==(const Pattern&) const = default;
};

struct State {
  std::vector<Pattern> patterns;
  std::vector<LogState> logs;
  bool operator==(const State&) const = default;
};

[[nodiscard]] std::string format_state(const State& state);

/// Errors of kind fault: a state that cannot be read is never guessed.
[[nodiscard]] Result<State> parse_state(std::string_view text);

/// 8 random hex digits (getrandom(2)).
[[nodiscard]] std::string random_run();

}  // namespace caravel::tail
