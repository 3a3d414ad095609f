// The agent: follows logs, cuts extracts into the outbox, has them sent. A library: the caller
// owns the loop and the clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/unique_fd.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/follow/log_follower.h"
#include "watcher/tail/outbox/batch.h"
#include "watcher/tail/outbox/outbox.h"
#include "watcher/tail/outbox/sender.h"
#include "watcher/tail/state/notices.h"
#include "watcher/tail/state/state.h"

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
  std::chrono::milliseconds keep_sent{24 * 3'600'000LL};
  bool from_start = false;  // of logs that are there when the agent first looks
  std::string send;         // a command; empty: somebody else takes the files
  std::chrono::milliseconds send_timeout{600'000};
  bool once = false;                // each file is tried to be sent once
  std::size_t max_open = SIZE_MAX;  // logs at a time: one descriptor each
};

struct Step {
  std::chrono::steady_clock::time_point wake;  // call again then, or when send_fd() is readable
  std::vector<std::string> published;          // paths of extracts
  std::vector<std::string> messages;           // for people; each condition is said once
  bool trouble = false;                        // some log, the disk or the sending is at fault now
  bool idle = false;                           // nothing more to do before `wake`
};

/// One agent for one state file. Not for several threads. Stop it at any time by destroying it; a
/// crash at any instruction loses and repeats nothing.
class Agent : private OtherLogs {
 public:
  /// Takes the lock, reads the state, finishes what a crash left half done. `disk` outlives it.
  /// Kind fault: another agent has the lock, or the state cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<Agent>> open(AgentOptions options, Disk& disk);

  /// Does what is due: cuts a few extracts of each log at most, looks after the sending. Never
  /// fails as a whole: what went wrong is in the messages and is tried again.
  [[nodiscard]] Step step(const Moment& now);

  /// For poll(2): readable when a send command has ended; -1 if none runs.
  [[nodiscard]] int send_fd() const { return sender_ ? sender_->pid_fd() : -1; }

  /// Bytes that are known to have never reached an extract.
  [[nodiscard]] std::uint64_t bytes_left_behind() const;

 private:
  struct Log {
    LogState state;
    std::unique_ptr<LogFollower> follower;
    bool followed = true;                    // the options still name it
    bool from_start = false;                 // it appeared after a pattern was first looked for:
    std::int64_t rotated_since = INT64_MAX;  // then
    bool begun = false;                      // its state says where to begin
    bool one_by_one = false;  // the last time, several extracts together could not be built
    bool run_saved = false;   // a start would know its temporary files
    enum class Announced { no, maybe, yes };  // the state on the disk has what is pending
    Announced announced = Announced::no;
    bool verify_pending = false;  // they are from before a crash
    std::chrono::steady_clock::time_point due;
  };

  Agent(AgentOptions options, Disk& disk);
  [[nodiscard]] const LogState* reader_of(const FileId& id,
                                          const LogFollower& asking) const override;
  [[nodiscard]] std::optional<Position> read_up_to(const Sibling& file,
                                                   const LogFollower& asking) const override;
  [[nodiscard]] Result<> load();
  [[nodiscard]] Result<> catch_up(Log& log);
  Log& add_log(LogState state);
  void add_new_log(const std::string& path, const Pattern* known_pattern);
  [[nodiscard]] static bool was_overlooked(const std::string& path, const Pattern& pattern);
  void find_logs();
  [[nodiscard]] bool is_read_or_ours(const std::string& path);
  [[nodiscard]] bool in_outbox(const std::string& path);
  void say_what_matches(const std::string& pattern, const struct Matches& found,
                        bool looked_before);
  void look_after_deserted();
  void say_if_unreadable(const std::string& pattern, const std::optional<Error>& error);
  [[nodiscard]] Result<> save();

  /// True: something was done, look again at once.
  [[nodiscard]] Result<> may_open() const;
  [[nodiscard]] Result<bool> advance(Log& log, const Moment& now, Step& step);
  [[nodiscard]] Result<std::optional<Range>> next_range(LogFollower& follower);
  enum class Cut { nothing, no_room, some, all };
  [[nodiscard]] Result<Cut> plan_some(Log& log, const Moment& now, Batch& batch);
  [[nodiscard]] Result<> plan(Log& log, const Range& range, const Moment& now, Batch& batch);
  [[nodiscard]] Result<Cut> cut_some(Log& log, const Moment& now);
  [[nodiscard]] Result<> publish(Log& log, const Moment& now, Step& step);
  [[nodiscard]] Result<> cut_again(Log& log, const std::string& why);
  [[nodiscard]] Result<> abandon(Log& log);
  [[nodiscard]] Result<> count_stored(std::uint64_t bytes, const Moment& now);
  [[nodiscard]] Result<bool> make_room(std::uint64_t bytes, const Moment& now);
  [[nodiscard]] Result<bool> give_up_sent(const Error& error, const Moment& now);
  [[nodiscard]] bool state_is_beside_outbox() const;
  [[nodiscard]] Result<> save_in_what_room_there_is(const Moment& now);
  void start_new_run(Log& log);

  AgentOptions options_;
  Disk& disk_;
  Notices notices_;
  Outbox outbox_;
  Cutter cutter_;
  std::optional<Sender> sender_;
  UniqueFd lock_;
  std::vector<Pattern> patterns_;  // that were looked for before
  std::vector<std::unique_ptr<Log>> logs_;
  bool cannot_look_ = false;  // a pattern's directory must not be read
  bool dirty_ = false;        // the state on the disk is older than ours
  std::uint64_t stored_ = 0;  // bytes in the outbox and in sent/, when last counted
  std::optional<std::chrono::steady_clock::time_point> counted_;
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace caravel::tail
