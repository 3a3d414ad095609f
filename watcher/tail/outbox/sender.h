// Runs the user's command for each file of the outbox: one at a time, again until it succeeds.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/moment.h"
#include "base/notices.h"
#include "base/unique_fd.h"
#include "watcher/tail/outbox/outbox.h"

namespace caravel::tail {

/// The command with every {} replaced by the quoted path; without a {} the path is appended.
[[nodiscard]] std::string fill_command(std::string_view command, std::string_view path);

/// 1 s after the first failure, doubling up to 5 min, spread by `random` (0 to 1) over the half
/// below.
[[nodiscard]] std::chrono::milliseconds send_backoff(unsigned failures, double random);

struct SendRules {
  std::string command;
  std::chrono::milliseconds timeout{600'000};
  bool once = false;  // each file is tried once; a failure stops its run
  /// How many files the command may open ("1024", "unlimited"); empty: as many as we may. The agent
  /// raises its own limit, and programs that use select(2) misbehave with a high one.
  std::string open_files{};
};

/// The manifest goes first, then its extract; exit status 0 is success. Extracts of one run go in
/// the order of their sequence; runs take turns, and one that fails waits by itself. The command is
/// a process group of its own with /dev/null as its input and our stderr as its output.
class Sender {
 public:
  Sender(Outbox& outbox, SendRules rules, Notices& notices)
      : outbox_(outbox), rules_(std::move(rules)), notices_(notices) {}
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  /// Ends a running command (SIGTERM to its group); the file stays in the outbox.
  ~Sender();

  /// Looks after the running command, begins the next. Returns when to call again at the latest
  /// (nothing: when there is something new); pid_fd() may be waited for too.
  [[nodiscard]] Result<std::optional<std::chrono::steady_clock::time_point>> step(
      const Moment& now);

  /// Readable when the running command has ended; -1 if none runs.
  [[nodiscard]] int pid_fd() const { return pid_fd_.get(); }
  [[nodiscard]] bool running() const { return child_ > 0; }
  /// There may be new files in the outbox.
  void look_again() { stale_ = true; }
  [[nodiscard]] bool failed() const { return !failing_.empty(); }

 private:
  /// A run whose first file could not be sent.
  struct Failing {
    std::string run;
    std::string said;
    unsigned times = 0;  // in a row
    std::chrono::steady_clock::time_point next_try;
    /// The sequence number of that file, if its manifest is sent; else 0.
    std::uint64_t manifest_done_of = 0;
  };
  [[nodiscard]] Failing* find_failing(std::string_view run);
  void failed_again(const Moment& now, const std::string& why);
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_try() const;
  [[nodiscard]] Result<> read_outbox();
  [[nodiscard]] bool pick(const Moment& now);
  [[nodiscard]] Result<> start_command(const Moment& now);
  void look_after_command(const Moment& now);
  void command_ended(const Moment& now, int status);

  Outbox& outbox_;
  SendRules rules_;
  Notices& notices_;

  std::vector<OutboxFile> queue_;
  bool stale_ = true;     // the queue is to be read from the outbox
  std::string last_run_;  // the run whose turn it was
  std::vector<Failing> failing_;
  std::optional<OutboxFile> current_;
  bool manifest_done_ = false;

  pid_t child_ = 0;
  UniqueFd pid_fd_;
  bool timed_out_ = false;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace caravel::tail
