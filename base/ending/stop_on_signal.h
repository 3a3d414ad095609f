// SIGTERM and SIGINT end the program: in order if that is quick, and in any case within seconds.
#pragma once

#include <chrono>

#include "base/stop_signal.h"

namespace caravel {

/// So long after the first signal the program ends, whatever it still waits for: a name server, a
/// disk, a library that nobody can interrupt. What is in work then looks as after kill -9, which is
/// safe at any instant.
inline constexpr std::chrono::seconds kEndWithin{4};

/// Both signals request `stop` (which must live as long as the program) and start that clock. A
/// second one ends the program at once.
void stop_on_signals(StopSignal& stop);

/// The exit code if the clock ends the program: 1 unless set. For a service that was told to stop,
/// ending is what it was asked for.
void set_exit_code_at_stop(int code);

}  // namespace caravel
