// Any text as the agent's state file: refused, or read as it was written. A state is never guessed.
#include <cstdint>
#include <string_view>

#include "tests/fuzz/fuzz.h"
#include "watcher/tail/state/state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using caravel::ErrorKind;
  using caravel::fuzz::Require;
  using namespace caravel::tail;
  const auto state = parse_state({reinterpret_cast<const char*>(data), size});
  if (!state) {
    Require(state.error().kind == ErrorKind::fault, "a state that cannot be read is a fault");
    return 0;
  }
  const auto again = parse_state(format_state(*state));
  Require(again.has_value(), "what was written is read");
  Require(*again == *state, "as the same");
  return 0;
}
