#include "base/backoff.h"

#include <algorithm>

namespace caravel {

std::chrono::milliseconds Backoff::next(std::uint64_t random,
                                        std::optional<std::chrono::seconds> asked) {
  const auto ceiling = static_cast<std::uint64_t>(ceiling_.count());
  // A tenth as the least, so that chance cannot turn a wait into hammering.
  const std::uint64_t least = ceiling / 10;
  // `random` spreads clients that lost the same server at the same moment over the whole range. The
  // remainder favours small values by a part in 2^40 at most: no client notices.
  const std::uint64_t span = ceiling - least + 1;
  std::chrono::milliseconds wait(static_cast<std::int64_t>(least + random % span));
  // Doubled for the next call only: the first wait is at most what the caller named as the first.
  ceiling_ = std::min(ceiling_ * 2, limit_);
  // The other side knows best how long it needs; it may ask for more than our limit.
  if (asked) wait = std::max<std::chrono::milliseconds>(wait, *asked);
  return wait;
}

}  // namespace caravel
