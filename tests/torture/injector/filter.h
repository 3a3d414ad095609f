// The seccomp filter that hands the chosen system calls to the tracer and lets all others pass at
// full speed.
#pragma once

#include <span>

#include "tests/torture/injector/calls.h"

namespace caravel::torture {

/// Installs the filter in the calling process, for itself and all that it starts: the calls in
/// `calls` stop with PTRACE_EVENT_SECCOMP. Of open(2) and openat(2) only those that may change a
/// file stop, unless `reads`; of fcntl(2) only those that lock. So do
/// the calls with the numbers `others`. Afterwards no program that it
/// starts gains rights (PR_SET_NO_NEW_PRIVS). False, with errno: the kernel refused.
[[nodiscard]] bool install_filter(std::span<const Call> calls, bool reads,
                                  std::span<const long> others);

}  // namespace caravel::torture
