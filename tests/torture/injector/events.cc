#include "tests/torture/injector/events.h"

#include <unistd.h>

namespace caravel::torture {

void Events::tell(const std::string& line) const {
  if (descriptor_ < 0) return;
  const std::string whole = line + "\n";
  [[maybe_unused]] const ssize_t written = write(descriptor_, whole.data(), whole.size());
}

void Events::tell(const Ending& ending) const {
  tell("end " + ending.how + " " + std::to_string(ending.code) +
       " calls=" + std::to_string(ending.calls) + " harmed=" + std::to_string(ending.harmed) +
       " after=" + std::to_string(ending.after) + " cpu_ms=" + std::to_string(ending.cpu_ms) +
       " after_cpu_ms=" + std::to_string(ending.after_cpu_ms) +
       " wall_ms=" + std::to_string(ending.wall_ms));
}

}  // namespace caravel::torture
