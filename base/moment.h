// What time it is, by both clocks.
#pragma once

#include <chrono>

namespace caravel {

/// Both clocks at one moment: deadlines and intervals are measured with `steady` only; the age of
/// files and what people read are told by `wall`. Logic takes a Moment; only loops call now().
struct Moment {
  std::chrono::steady_clock::time_point steady;
  std::chrono::system_clock::time_point wall;

  [[nodiscard]] static Moment now() {
    return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
  }
};

}  // namespace caravel
