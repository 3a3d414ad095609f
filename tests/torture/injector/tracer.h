// Runs a program under ptrace(2), with one count over all its threads and children, and harms the
// calls that it was told to harm.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <sys/types.h>

#include "tests/torture/injector/events.h"
#include "tests/torture/injector/options.h"
#include "tests/torture/injector/recorder.h"

namespace caravel::torture {

class Tracer {
 public:
  explicit Tracer(const Options& options);

  /// Until the program and all that it started have ended. The exit status for the injector itself:
  /// the program's, 128 + N if signal N ended it, 125 if it could not be run.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  bool start();
  void on_stop(pid_t thread, int status);
  void on_seccomp(pid_t thread);
  void on_exit_of_call(pid_t thread);
  void on_gone(pid_t thread, int status);
  void on_tick();

  /// Whether the call that `stopped` is about to make counts.
  [[nodiscard]] bool counts(const Call& call, const StoppedCall& stopped) const;
  [[nodiscard]] bool is_counted_process(pid_t thread);
  [[nodiscard]] bool is_harmed(const Call& call) const;
  void harm(const Call& call, StoppedCall& stopped);
  void let_go_on(pid_t thread, bool to_its_end);
  void kill_all();
  void note(const Call& call, const StoppedCall& stopped, const char* what);
  [[nodiscard]] std::int64_t cpu_of_program_ms() const;

  const Options& options_;
  Events events_;
  std::ofstream log_;
  std::optional<Recorder> recorder_;
  pid_t program_ = 0;
  bool started_ = false;  // the program's own code runs
  bool called_ = false;   // it has made a traced call: before that, silence says nothing
  std::set<pid_t> threads_;
  std::map<pid_t, pid_t> process_of_;
  std::set<pid_t> uncounted_;  // processes that run another program, with --only-program
  std::map<pid_t, BegunCall> begun_;
  std::optional<pid_t> recording_;  // the thread whose call is being recorded
  std::deque<pid_t> held_;          // those that wait for its end: records are in order
  std::string harmed_name_;         // of the first harmed call
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_call_ = begin_;
  std::int64_t cpu_at_hit_ms_ = 0;
  std::uint64_t calls_at_hit_ = 0;
  Ending ending_;
};

}  // namespace caravel::torture
