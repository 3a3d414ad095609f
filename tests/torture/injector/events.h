// What the injector tells whoever drives it: one line an event, on the descriptor of --events.
//
//   pid N               of the program; it runs from here on
//   hit N NAME PATH     the first harmed call
//   quiet               nothing was changed, said or locked for as long as --quiet says; again and
//   again end HOW CODE calls=N harmed=N after=N cpu_ms=N after_cpu_ms=N wall_ms=N
//       HOW: exited (CODE its status), signaled (CODE the signal), killed (by us, at the call that
//       was asked for), hang (by us, at --limit). `after` counts from the first harmed call.
#pragma once

#include <cstdint>
#include <string>

namespace caravel::torture {

struct Ending {
  std::string how;
  int code = 0;
  std::uint64_t calls = 0;
  std::uint64_t harmed = 0;
  std::uint64_t after = 0;
  std::int64_t cpu_ms = 0;
  std::int64_t after_cpu_ms = 0;
  std::int64_t wall_ms = 0;
};

/// Writes nothing if `descriptor` is -1. A reader that is gone is no reason to stop.
class Events {
 public:
  explicit Events(int descriptor) : descriptor_(descriptor) {}

  void tell(const std::string& line) const;
  void tell(const Ending& ending) const;

 private:
  int descriptor_;
};

}  // namespace caravel::torture
