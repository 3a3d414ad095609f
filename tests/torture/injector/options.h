// What the injector is asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/torture/injector/clock.h"

namespace caravel::torture {

/// How many of the counted calls from number `at` on are harmed.
enum class HowLong {
  times,             // as many as `times` says
  for_ever,          // all
  for_ever_of_kind,  // all with the name of the first one
};

struct Options {
  std::vector<std::string> program;
  std::set<std::string> calls;         // names of the calls that count; empty: all that are traced
  std::vector<std::string> prefixes;   // only calls on such paths count; empty: all
  bool reads = false;                  // calls that only look count too
  bool only_program = false;           // what the program starts in its turn runs undisturbed
  std::set<std::string> harmed_calls;  // names of the calls that are harmed; empty: all that count
  std::optional<std::uint64_t> kill_at;
  std::optional<std::uint64_t> fail_at;
  bool after = false;       // kill once the call was made, not before
  int error = 0;            // errno of a harmed call; 0 with `short_call`
  bool pretend = false;     // a harmed call is not made, and says that it was
  bool short_call = false;  // a harmed call moves half of its bytes
  HowLong how_long = HowLong::times;
  std::uint64_t times = 1;
  std::string log_path;                // one line a counted call
  std::string record_path;             // everything that a power cut needs to know: recorder.h
  std::vector<ClockStep> clock_steps;  // clocks that jump
  int events = -1;                     // descriptor for one line an event: events.h
  unsigned quiet_ms = 0;               // nothing was changed for so long: the event "quiet"
  unsigned limit_ms = 60'000;          // a longer run is killed: the event "end hang"
};

/// nullopt, with the reason on stderr, if the command line makes no sense.
[[nodiscard]] std::optional<Options> read_options(int argc, char** argv);

}  // namespace caravel::torture
