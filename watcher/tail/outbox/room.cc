#include "watcher/tail/outbox/room.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/text.h"

namespace caravel::tail {
namespace {

using std::chrono::milliseconds;

/// The longest time between two looks through sent/ for what is old enough to be deleted.
constexpr std::chrono::minutes kExpireEvery{10};

/// a - b, but never below 0.
std::uint64_t less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

/// Counts what is there, and on the way deletes what was sent if it is old, or until all together
/// are at most `most` bytes.
Result<> OutboxRoom::count(std::uint64_t most, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(stored_, outbox_.expire(now.wall - rules_.keep_sent, most));
  counted_ = now.steady;
  return {};
}

Result<> OutboxRoom::expire_if_due(const Moment& now) {
  // With a --keep-sent of a minute, once in ten minutes would keep files ten times too long.
  const milliseconds every = std::min<milliseconds>(kExpireEvery, rules_.keep_sent);
  if (counted_ && now.steady < *counted_ + every) return {};
  return count(rules_.max_outbox, now);
}

Result<bool> OutboxRoom::make_room(std::uint64_t bytes, const Moment& now) {
  // One long line may make an extract that is larger than --max-outbox. It is allowed into an empty
  // outbox: otherwise the log would stand still for ever.
  const auto is_room = [&] { return fits(bytes) || stored_ == 0; };
  // Other programs take files out of the outbox and tell nobody: before the answer is no, the files
  // are counted anew.
  if (!counted_ || !is_room()) CARAVEL_TRY(count(less(rules_.max_outbox, bytes), now));
  if (is_room()) {
    notices_.clear("full", "there is room in the outbox again");
    return true;
  }
  notices_.set("full", printable(outbox_.directory()) + ": holds " + std::to_string(stored_) +
                           " bytes (--max-outbox); nothing more is cut until files are taken");
  return false;
}

Result<bool> OutboxRoom::make_room_on_disk(const Error& error, const Moment& now) {
  if (error.system != ENOSPC && error.system != EDQUOT) return false;
  CARAVEL_TRY(count(rules_.max_outbox, now));
  // The first count says what is really there, the second one deletes as much of it as one extract
  // needs. If nothing could be deleted, trying again is in vain.
  const std::uint64_t before = stored_;
  CARAVEL_TRY(count(less(before, rules_.max_bytes), now));
  if (stored_ == before) return false;
  notices_.set("early", printable(outbox_.directory()) +
                            ": the disk is full (--max-outbox is more than it holds); what was "
                            "sent is deleted before --keep-sent is over");
  return true;
}

}  // namespace caravel::tail
