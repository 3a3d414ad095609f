// Waits that grow. Pure: the caller brings the random bits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace caravel {

/// Waits that grow: exponential up to a limit, with full jitter ("Exponential Backoff And Jitter",
/// AWS Architecture Blog, 2015), so that many clients do not come back at one moment.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds limit)
      : first_(first), limit_(limit), ceiling_(first) {}

  /// The next wait: between a tenth of the ceiling and the ceiling, by `random` (any 64 bits).
  /// `asked` (Retry-After) is a lower bound.
  [[nodiscard]] std::chrono::milliseconds next(std::uint64_t random,
                                               std::optional<std::chrono::seconds> asked = {});
  /// After a success: the next wait is short again.
  void reset() { ceiling_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds limit_;
  std::chrono::milliseconds ceiling_;
};

}  // namespace caravel
