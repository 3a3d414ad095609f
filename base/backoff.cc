#include "base/backoff.h"

#include <algorithm>

namespace caravel {

std::chrono::milliseconds Backoff::next(std::uint64_t random,
                                        std::optional<std::chrono::seconds> asked) {
  const auto ceiling = static_cast<std::uint64_t>(ceiling_.count());
  // A tenth as the least, so that chance cannot turn a wait into hammering.
  const std::uint64_t least = ceiling / 10;
  const std::uint64_t span = ceiling - least + 1;
  std::chrono::milliseconds wait(static_cast<std::int64_t>(least + random % span));
  ceiling_ = std::min(ceiling_ * 2, limit_);
  // The other side knows best how long it needs; it may ask for more than our limit.
  if (asked) wait = std::max<std::chrono::milliseconds>(wait, *asked);
  return wait;
}

}  // namespace caravel
