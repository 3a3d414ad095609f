// The agent: follows logs, cuts what is appended to them into extracts, has these sent. A library:
// the caller owns the loop and the clock.
//
//   DirectoryWatch  opens files at once that appear beside a log; HeldFiles keeps them
//   FollowedLogs    which logs there are: named ones, and what patterns find
//     LogFollower     which file of a log is read, from where (follow/log_follower.h)
//     Unpacker        reads those that were compressed first
//   ExtractCutter   whole lines behind the position -> extracts, built and synced as temporaries
//   Publisher       the state announces them; then manifests and extracts get their names
//     StateKeeper     saves the state file: the only thing that a start relies on
//   OutboxRoom      what may lie in the outbox, what was sent and must go
//   Sender          runs the user's command for each file of the outbox
//
// One step() takes every log that is due through look, cut and publish, then looks after the
// sending. Only the state file moves the agent forward: after a crash, a start finds what was done
// after the last save, or does it again in the same way. docs/tail.md has the layout of the files
// and the order.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "watcher/tail/extracts/extract_cutter.h"
#include "watcher/tail/extracts/publisher.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/held/held_files.h"
#include "watcher/tail/logs/followed_logs.h"
#include "watcher/tail/logs/state_keeper.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/outbox/room.h"
#include "watcher/tail/outbox/sender.h"
#include "watcher/tail/packed/unpacker.h"
#include "watcher/tail/watch/directory_watch.h"

namespace caravel::tail {

struct AgentOptions {
  std::vector<std::string> logs;  // paths or patterns
  std::string outbox;
  std::string state;  // a file; STATE.lock beside it holds the lock
  std::string host;   // as manifests and names carry it
  std::chrono::milliseconds interval{60'000};
  /// How long a rotated file must have been still before the next one is begun; two intervals, but
  /// between 1 s and 2 min, if not set.
  std::optional<std::chrono::milliseconds> grace;
  std::uint64_t max_bytes = 8ULL << 20;
  std::uint64_t max_outbox = 1ULL << 30;
  std::string record_start;  // as in ExtractRules
  std::chrono::milliseconds keep_sent{24 * 3'600'000LL};
  bool from_start = false;  // of logs that are there when the agent first looks
  std::string send;         // a command; empty: other programs take the files
  std::chrono::milliseconds send_timeout{600'000};
  bool once = false;  // one pass; each file is sent, or tried, once
  /// Patterns of rotated files whose names do not say so, or in other directories; {}: the log's
  /// name.
  std::vector<std::string> siblings{};
  std::size_t max_held = 1024;  // rotated files that are held open until they are read
  /// Files are opened by a thread of their own as soon as they appear, and not only at each step.
  bool watch_in_thread = false;
  std::size_t max_open = SIZE_MAX;  // logs at a time: one descriptor each
  std::string send_open_files{};    // as in SendRules
};

/// The grace that is meant, set or not.
[[nodiscard]] std::chrono::milliseconds grace_of(const AgentOptions& options);

struct Step {
  std::chrono::steady_clock::time_point wake;  // call again then, or when send_fd() is readable
  std::vector<std::string> published;          // paths of extracts
  std::vector<std::string> messages;           // for people; each condition is said once
  bool trouble = false;                        // a log, the disk or the sending fails now
  bool idle = false;                           // nothing more to do before `wake`
};

/// One agent for one state file. Not for several threads. Stop it at any time by destroying it; a
/// crash at any instruction loses and repeats nothing.
class Agent {
 public:
  /// Takes the lock, reads the state, finishes what a crash left half done. `disk` outlives it.
  /// Kind fault: another agent has the lock, or the state cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<Agent>> open(AgentOptions options, Disk& disk);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() = default;

  /// Does what is due: cuts a few extracts of each log at most, looks after the sending. Never
  /// fails as a whole: what went wrong is in the messages and is tried again.
  [[nodiscard]] Step step(const Moment& now);

  /// For poll(2): readable when a send command has ended; -1 if none runs.
  [[nodiscard]] int send_fd() const { return sender_ ? sender_->pid_fd() : -1; }

 private:
  Agent(AgentOptions options, Disk& disk);
  [[nodiscard]] Result<> load();

  void look_for_logs(const Moment& now, Step& step);
  void watch_directories();
  void take_over_what_appeared(const Moment& now);
  [[nodiscard]] bool advance_logs(const Moment& now, Step& step);
  [[nodiscard]] Result<bool> advance(FollowedLog& log, const Moment& now, Step& step);
  [[nodiscard]] Result<> begin(FollowedLog& log);
  [[nodiscard]] Result<> may_open() const;
  void save_if_changed(const Moment& now, Step& step);
  void send(const Moment& now, Step& step);
  void report(std::string_view subject, const Error& error, Step& step);

  AgentOptions options_;
  // Without a bound: the subjects are logs and files that the user named, and however many of them
  // are at fault, a full outbox must be said too.
  Notices notices_{std::numeric_limits<std::size_t>::max()};
  Outbox outbox_;
  Cutter cutter_;
  OutboxRoom room_;
  HeldFiles held_;
  Unpacker unpacker_;
  FollowedLogs logs_;
  StateKeeper keeper_;
  ExtractCutter extracts_;
  Publisher publisher_;
  std::optional<Sender> sender_;
  DirectoryWatch watch_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace caravel::tail
