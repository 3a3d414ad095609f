// The room that the agent takes on its disk: --max-outbox, what was sent, and disks that are
// smaller.
#include <algorithm>
#include <cerrno>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/tail/agent.h"

namespace caravel::tail {

/// Counts what is stored; deletes what was sent if it is old, or to make room for `bytes`.
Result<> Agent::count_stored(std::uint64_t bytes, const Moment& now) {
  const std::uint64_t most = options_.max_outbox > bytes ? options_.max_outbox - bytes : 0;
  CARAVEL_ASSIGN_OR_RETURN(auto stored, outbox_.expire(now.wall - options_.keep_sent, most));
  stored_ = stored;
  counted_ = now.steady;
  return {};
}

Result<bool> Agent::make_room(std::uint64_t bytes, const Moment& now) {
  const auto fits = [&] { return stored_ + bytes <= options_.max_outbox || stored_ == 0; };
  if (!counted_ || !fits()) CARAVEL_TRY(count_stored(bytes, now));
  if (fits()) {
    notices_.clear("full", "there is room in the outbox again");
    return true;
  }
  notices_.set("full", printable(options_.outbox) + ": holds " + std::to_string(stored_) +
                           " bytes (--max-outbox); nothing more is cut until files are taken");
  return false;
}

/// Where the disk is smaller than --max-outbox: what was sent goes, the oldest first, for the next
/// extract. False: that is not what `error` is about, or nothing is left of it.
Result<bool> Agent::give_up_sent(const Error& error, const Moment& now) {
  if (error.system != ENOSPC && error.system != EDQUOT) return false;
  CARAVEL_TRY(count_stored(0, now));
  const std::uint64_t before = stored_;
  CARAVEL_ASSIGN_OR_RETURN(
      auto stored, outbox_.expire(now.wall - options_.keep_sent,
                                  before > options_.max_bytes ? before - options_.max_bytes : 0));
  stored_ = stored;
  if (stored_ == before) return false;
  notices_.set("early", printable(options_.outbox) +
                            ": the disk is full (--max-outbox is more than it holds); what was "
                            "sent is deleted before --keep-sent is over");
  return true;
}

bool Agent::state_is_beside_outbox() const {
  const auto state = stamp_of(directory_of(options_.state));
  const auto outbox = stamp_of(options_.outbox);
  return state && *state && outbox && *outbox && (*state)->id.device == (*outbox)->id.device;
}

Result<> Agent::save_in_what_room_there_is(const Moment& now) {
  auto saved = save();
  if (saved || !state_is_beside_outbox()) return saved;
  auto room = give_up_sent(saved.error(), now);
  return room && *room ? save() : saved;
}

}  // namespace caravel::tail
