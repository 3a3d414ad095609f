// Another time for the traced program: clocks that jump while it runs.
//
// Programs ask the kernel's vDSO for the time, without a system call (vdso(7)). So the program is
// not told that there is one: then libc makes system calls, which can be answered.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/torture/injector/tracee.h"

namespace caravel::torture {

/// So long after the start the clocks jump, forwards or backwards.
struct ClockStep {
  std::chrono::milliseconds at{0};
  std::chrono::seconds wall{0};    // CLOCK_REALTIME and its like
  std::chrono::seconds steady{0};  // CLOCK_MONOTONIC, CLOCK_BOOTTIME
};

/// "MS:WALL:STEADY", the last part may be left out.
[[nodiscard]] ClockStep clock_step_of(const std::string& text);

/// The numbers of the calls that ask for the time.
[[nodiscard]] std::span<const long> clock_calls();

/// Right after an exec: removes the vDSO from what the kernel tells the program (getauxval(3)).
void hide_vdso(pid_t process);

/// Answers a call that asks for the time; the kernel does not get it. False: it is no such call, or
/// one for a clock that does not jump.
[[nodiscard]] bool answer_clock_call(StoppedCall& stopped, const std::vector<ClockStep>& steps,
                                     std::chrono::steady_clock::time_point begin);

}  // namespace caravel::torture
