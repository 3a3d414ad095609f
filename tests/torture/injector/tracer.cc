#include "tests/torture/injector/tracer.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/torture/injector/filter.h"

namespace caravel::torture {
namespace {

constexpr long kTraceOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
                               PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                               PTRACE_O_EXITKILL;

/// How often the clock is looked at while nothing stops.
constexpr int kTickUs = 10'000;

volatile sig_atomic_t g_passed_on = 0;  // a signal for the program

void remember_signal(int number) { g_passed_on = number; }
void wake(int /*number*/) {}

void on_signal(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;  // without SA_RESTART: waitpid(2) returns
  sigaction(number, &action, nullptr);
}

std::vector<Call> traced_calls(const Options& options) {
  std::vector<Call> calls;
  for (const Call& call : all_calls()) {
    // A recording needs every change, and silence is the absence of any, whatever counts.
    const bool wanted = call.kind != CallKind::read || options.calls.empty() ||
                        options.calls.contains(std::string(call.name));
    if (wanted && (options.reads || call.kind != CallKind::read)) calls.push_back(call);
  }
  return calls;
}

[[noreturn]] void become_program(const Options& options, int go) {
  char byte = 0;
  // The parent has attached itself once it closes its end.
  [[maybe_unused]] const ssize_t got = read(go, &byte, 1);
  close(go);
  for (const int number : {SIGTERM, SIGINT, SIGALRM}) std::signal(number, SIG_DFL);
  std::vector<char*> arguments;
  arguments.reserve(options.program.size() + 1);
  for (const std::string& argument : options.program) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const std::span<const long> clocks =
      options.clock_steps.empty() ? std::span<const long>() : clock_calls();
  if (!install_filter(traced_calls(options), options.reads, clocks)) {
    std::fprintf(stderr, "injector: seccomp: %s\n", std::strerror(errno));
  } else {
    execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "injector: %s: %s\n", arguments[0], std::strerror(errno));
  }
  _exit(125);
}

std::int64_t milliseconds(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1000 + time.tv_usec / 1000;
}

std::int64_t milliseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

bool only_looks(const Call& call, const StoppedCall& stopped) {
  const bool opens = call.name == "openat" || call.name == "open";
  return call.kind == CallKind::read ||
         (opens && !opens_for_change(stopped.argument(call.path + 1)));
}

bool is_clock_call(long number) {
  const auto calls = clock_calls();
  return std::find(calls.begin(), calls.end(), number) != calls.end();
}

/// "/a/" begins "/a/b", and "/a" itself.
bool begins_with(const std::string& path, const std::string& prefix) {
  return !path.empty() && (path.starts_with(prefix) || path + "/" == prefix);
}

pid_t process_of_thread(pid_t thread) {
  std::ifstream in("/proc/" + std::to_string(thread) + "/status");
  for (std::string word; in >> word;) {
    pid_t process = 0;
    if (word == "Tgid:" && in >> process) return process;
  }
  return thread;
}

/// No kernel refuses that: a program that lives with it would be right about nothing else.
bool gives_lock_back(const StoppedCall& stopped) {
  if (stopped.number() == SYS_flock) return (stopped.argument(1) & LOCK_UN) != 0;
  if (stopped.number() != SYS_fcntl) return false;
  if (stopped.argument(1) == F_SETLEASE) return stopped.argument(2) == F_UNLCK;
  struct flock lock {};
  const std::string bytes = stopped.bytes_at(stopped.argument(2), sizeof lock);
  if (bytes.size() == sizeof lock) std::memcpy(&lock, bytes.data(), sizeof lock);
  return lock.l_type == F_UNLCK;
}

}  // namespace

Tracer::Tracer(const Options& options) : options_(options), events_(options.events) {
  if (!options.log_path.empty()) log_.open(options.log_path);
  if (!options.record_path.empty()) recorder_.emplace(options.record_path);
}

bool Tracer::start() {
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) return false;
  on_signal(SIGTERM, remember_signal);
  on_signal(SIGINT, remember_signal);
  on_signal(SIGALRM, wake);
  program_ = fork();
  if (program_ == 0) {
    close(go[1]);
    if (options_.events >= 0) close(options_.events);
    become_program(options_, go[0]);
  }
  close(go[0]);
  if (program_ < 0 || ptrace(PTRACE_SEIZE, program_, nullptr, kTraceOptions) != 0) {
    std::fprintf(stderr, "injector: ptrace: %s\n", std::strerror(errno));
    if (program_ > 0) kill(program_, SIGKILL);
    return false;
  }
  close(go[1]);
  threads_.insert(program_);
  const itimerval tick{{0, kTickUs}, {0, kTickUs}};
  setitimer(ITIMER_REAL, &tick, nullptr);
  return true;
}

int Tracer::run() {
  if (!start()) return 125;
  for (;;) {
    int status = 0;
    const pid_t thread = waitpid(-1, &status, __WALL);
    if (thread < 0 && errno == ECHILD) break;
    on_tick();
    if (thread < 0) continue;  // the tick, or a signal to pass on
    if (WIFSTOPPED(status)) {
      on_stop(thread, status);
    } else {
      on_gone(thread, status);
    }
  }
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  ending_.cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
  if (ending_.harmed > 0) {
    ending_.after = ending_.calls - calls_at_hit_;
    ending_.after_cpu_ms = ending_.cpu_ms - cpu_at_hit_ms_;
  }
  ending_.wall_ms = milliseconds(Clock::now() - begin_);
  events_.tell(ending_);
  return ending_.how == "exited" ? ending_.code : 128 + ending_.code;
}

void Tracer::on_tick() {
  // Once it is gone, its number may be another program's.
  if (g_passed_on != 0 && started_ && threads_.contains(program_)) {
    kill(program_, g_passed_on);
    g_passed_on = 0;
  }
  const Clock::time_point now = Clock::now();
  if (ending_.how.empty() && milliseconds(now - begin_) > options_.limit_ms) {
    ending_.how = "hang";
    kill_all();
  }
  if (options_.quiet_ms > 0 && called_ && milliseconds(now - last_call_) > options_.quiet_ms) {
    last_call_ = now;
    events_.tell("quiet");
  }
}

void Tracer::on_stop(pid_t thread, int status) {
  threads_.insert(thread);
  const int signal_number = WSTOPSIG(status);
  const int event = status >> 16;
  if (signal_number == (SIGTRAP | 0x80)) {
    on_exit_of_call(thread);
  } else if (event == PTRACE_EVENT_SECCOMP) {
    on_seccomp(thread);
  } else if (event == PTRACE_EVENT_STOP && signal_number != SIGTRAP) {
    ptrace(PTRACE_LISTEN, thread, nullptr, nullptr);  // stopped by SIGSTOP, as a whole
  } else if (event == 0) {
    ptrace(PTRACE_CONT, thread, nullptr, signal_number);
  } else {
    if (event == PTRACE_EVENT_EXEC) {
      if (!options_.clock_steps.empty()) hide_vdso(thread);
      if (thread == program_ && !started_) {
        started_ = true;
        last_call_ = Clock::now();
        events_.tell("pid " + std::to_string(program_));
      } else if (options_.only_program && thread != program_) {
        uncounted_.insert(thread);
      }
    }
    ptrace(PTRACE_CONT, thread, nullptr, nullptr);
  }
}

bool Tracer::is_counted_process(pid_t thread) {
  if (!options_.only_program) return true;
  const auto known = process_of_.find(thread);
  const pid_t process = known != process_of_.end()
                            ? known->second
                            : process_of_.emplace(thread, process_of_thread(thread)).first->second;
  return !uncounted_.contains(process);
}

bool Tracer::counts(const Call& call, const StoppedCall& stopped) const {
  if (!options_.calls.empty() && !options_.calls.contains(std::string(call.name))) return false;
  if (options_.prefixes.empty()) return true;
  const std::string path = stopped.subject_of(call);
  const std::string second = stopped.second_subject_of(call);
  return std::any_of(options_.prefixes.begin(), options_.prefixes.end(),
                     [&](const std::string& prefix) {
                       return begins_with(path, prefix) || begins_with(second, prefix);
                     });
}

bool Tracer::is_harmed(const Call& call) const {
  if (!options_.fail_at || ending_.calls < *options_.fail_at) return false;
  if (!options_.harmed_calls.empty() && !options_.harmed_calls.contains(std::string(call.name))) {
    return false;
  }
  switch (options_.how_long) {
    case HowLong::times:
      return ending_.harmed < options_.times;
    case HowLong::for_ever:
      return true;
    case HowLong::for_ever_of_kind:
      return harmed_name_.empty() || harmed_name_ == call.name;
  }
  return false;
}

void Tracer::on_seccomp(pid_t thread) {
  StoppedCall stopped(thread);
  if (stopped.ok() && started_ && is_clock_call(stopped.number())) {
    [[maybe_unused]] const bool answered = answer_clock_call(stopped, options_.clock_steps, begin_);
    return let_go_on(thread, false);
  }
  const auto call = stopped.ok() ? call_of(stopped.number()) : std::nullopt;
  if (!call || !started_ || !is_counted_process(thread) || !ending_.how.empty()) {
    return let_go_on(thread, false);
  }
  const bool recorded = recorder_ && call->kind == CallKind::change;
  if (recorded && recording_) {
    held_.push_back(thread);
    return;
  }
  if (!only_looks(*call, stopped)) last_call_ = Clock::now();
  called_ = true;
  if (!counts(*call, stopped)) return let_go_on(thread, false);
  ++ending_.calls;
  if (options_.kill_at == ending_.calls && !options_.after) {
    note(*call, stopped, "killed before");
    ending_.how = "killed";
    return kill_all();
  }
  if (is_harmed(*call) && !gives_lock_back(stopped)) {
    harm(*call, stopped);
    return let_go_on(thread, false);
  }
  note(*call, stopped, "");
  const bool last = options_.kill_at == ending_.calls;
  if (recorded || last) {
    begun_[thread] = Recorder::begin(*call, ending_.calls, stopped);
    if (recorded) recording_ = thread;
  }
  let_go_on(thread, recorded || last);
}

void Tracer::harm(const Call& call, StoppedCall& stopped) {
  if (ending_.harmed++ == 0) {
    harmed_name_ = call.name;
    calls_at_hit_ = ending_.calls;
    cpu_at_hit_ms_ = cpu_of_program_ms();
    events_.tell("hit " + std::to_string(ending_.calls) + " " + std::string(call.name) + " " +
                 stopped.subject_of(call));
  }
  if (!options_.short_call) {
    stopped.fail_with(options_.pretend ? 0 : options_.error);
    return note(call, stopped, options_.pretend ? "not made" : "failed");
  }
  if (call.size != kNone && stopped.argument(call.size) > 1) {
    stopped.set_argument(call.size, stopped.argument(call.size) / 2);
  }
  note(call, stopped, "made short");
}

void Tracer::on_exit_of_call(pid_t thread) {
  const auto begun = begun_.find(thread);
  if (begun == begun_.end()) return let_go_on(thread, false);
  const StoppedCall stopped(thread);
  const BegunCall call = begun->second;
  begun_.erase(begun);
  if (recorder_ && stopped.ok() && call.call.kind == CallKind::change) {
    recorder_->end(call, stopped);
  }
  if (options_.kill_at == call.number && ending_.how.empty()) {
    ending_.how = "killed";
    return kill_all();
  }
  let_go_on(thread, false);
  if (recording_ != thread) return;
  recording_.reset();
  while (!held_.empty() && !recording_) {
    const pid_t next = held_.front();
    held_.pop_front();
    on_seccomp(next);
  }
}

void Tracer::on_gone(pid_t thread, int status) {
  threads_.erase(thread);
  process_of_.erase(thread);
  begun_.erase(thread);
  std::erase(held_, thread);
  if (recording_ == thread) recording_.reset();
  if (thread != program_) return;
  if (ending_.how.empty()) {
    ending_.how = WIFEXITED(status) ? "exited" : "signaled";
    ending_.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  } else {
    ending_.code = SIGKILL;
  }
}

void Tracer::let_go_on(pid_t thread, bool to_its_end) {
  ptrace(to_its_end ? PTRACE_SYSCALL : PTRACE_CONT, thread, nullptr, nullptr);
}

void Tracer::kill_all() {
  if (options_.only_program && ending_.how == "killed") {
    kill(program_, SIGKILL);
    return;
  }
  for (const pid_t thread : threads_) kill(thread, SIGKILL);
}

void Tracer::note(const Call& call, const StoppedCall& stopped, const char* what) {
  if (!log_.is_open()) return;
  log_ << ending_.calls << ' ' << stopped.thread() << ' ' << call.name << ' '
       << stopped.subject_of(call);
  const std::string second = stopped.second_subject_of(call);
  if (!second.empty()) log_ << " -> " << second;
  log_ << (*what != '\0' ? "  # " : "") << what << '\n';
}

std::int64_t Tracer::cpu_of_program_ms() const {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(program_, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace caravel::torture
