#include "tests/torture/injector/clock.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

namespace caravel::torture {
namespace {

constexpr std::array kClockCalls{long{SYS_clock_gettime}, long{SYS_gettimeofday}, long{SYS_time}};

std::uint64_t word_at(pid_t process, std::uint64_t address) {
  errno = 0;
  return static_cast<std::uint64_t>(
      ptrace(PTRACE_PEEKDATA, process, reinterpret_cast<void*>(address), nullptr));
}

template <class T>
void put(pid_t process, std::uint64_t address, T value) {
  const iovec here{&value, sizeof value};
  const iovec there{reinterpret_cast<void*>(address), sizeof value};
  process_vm_writev(process, &here, 1, &there, 1, 0);
}

bool is_wall_clock(std::uint64_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

bool is_steady_clock(std::uint64_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

}  // namespace

ClockStep clock_step_of(const std::string& text) {
  char* rest = nullptr;
  ClockStep step;
  step.at = std::chrono::milliseconds(std::strtol(text.c_str(), &rest, 10));
  if (*rest == ':') step.wall = std::chrono::seconds(std::strtol(rest + 1, &rest, 10));
  if (*rest == ':') step.steady = std::chrono::seconds(std::strtol(rest + 1, &rest, 10));
  return step;
}

std::span<const long> clock_calls() { return kClockCalls; }

void hide_vdso(pid_t process) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, process, nullptr, &registers) != 0) return;
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  // The stack holds: argc, argv, a zero, the environment, a zero, the auxiliary vector.
  std::uint64_t at = registers.rsp;
  at += (word_at(process, at) + 2) * kWord;
  while (word_at(process, at) != 0) at += kWord;
  at += kWord;
  for (std::uint64_t type = word_at(process, at); type != AT_NULL && errno == 0;
       type = word_at(process, at)) {
    if (type == AT_SYSINFO_EHDR) put<std::uint64_t>(process, at, AT_IGNORE);
    at += 2 * kWord;
  }
}

bool answer_clock_call(StoppedCall& stopped, const std::vector<ClockStep>& steps,
                       std::chrono::steady_clock::time_point begin) {
  const auto clock = stopped.number() == SYS_clock_gettime ? stopped.argument(0) : CLOCK_REALTIME;
  if (!is_wall_clock(clock) && !is_steady_clock(clock)) return false;
  timespec time{};
  if (clock_gettime(static_cast<clockid_t>(clock), &time) != 0) return false;
  const auto now = std::chrono::steady_clock::now();
  for (const ClockStep& step : steps) {
    if (now - begin >= step.at) {
      time.tv_sec += (is_wall_clock(clock) ? step.wall : step.steady).count();
    }
  }
  std::uint64_t result = 0;
  if (stopped.number() == SYS_clock_gettime) {
    put(stopped.thread(), stopped.argument(1), time);
  } else if (stopped.number() == SYS_gettimeofday) {
    put(stopped.thread(), stopped.argument(0), timeval{time.tv_sec, time.tv_nsec / 1000});
  } else {
    result = static_cast<std::uint64_t>(time.tv_sec);
    if (stopped.argument(0) != 0) put(stopped.thread(), stopped.argument(0), time.tv_sec);
  }
  stopped.answer_with(static_cast<std::int64_t>(result));
  return true;
}

}  // namespace caravel::torture
