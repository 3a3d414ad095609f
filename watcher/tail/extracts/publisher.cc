#include "watcher/tail/extracts/publisher.h"

#include <utility>

#include "base/text.h"

namespace caravel::tail {

Result<> discard_unannounced(FollowedLog& log, Outbox& outbox) {
  log.follower->go_back();
  Result<> done;
  for (const Pending& one : std::exchange(log.state.pending, {})) {
    if (auto discarded = outbox.discard(one.manifest); !discarded) done = discarded;
  }
  return done;
}

/// From here on a start finishes what is pending.
Result<> Publisher::announce(FollowedLog& log, const Moment& now) {
  if (log.announced == Announced::yes || log.state.pending.empty()) return {};
  auto saved = keeper_.save_making_room(now);
  // The extracts' room may be what the state needs. But if the new state may be on the disk, they
  // must stay.
  if (!saved && log.announced == Announced::no) {
    log.one_by_one = log.state.pending.size() > 1;
    static_cast<void>(discard_unannounced(log, outbox_));
  }
  return saved;
}

Result<> Publisher::publish(FollowedLog& log, const Moment& now,
                            std::vector<std::string>& published) {
  CARAVEL_TRY(announce(log, now));
  std::vector<Pending>& pending = log.state.pending;
  CARAVEL_ASSIGN_OR_RETURN(const auto outbox, outbox_.open());
  if (log.state.built_in && !same_file(*log.state.built_in, outbox)) {
    return cut_again_in_new_run(
        log, printable(outbox_.directory()) +
                 ": is another directory than before (a file system that is not mounted?); what "
                 "was not published there is cut again");
  }
  while (!pending.empty()) {
    const Pending& next = pending.front();
    // A crash behind this leaves the extract with its name and the state as it was announced: the
    // start finds the temporary file gone, and takes it for published.
    CARAVEL_ASSIGN_OR_RETURN(auto done, outbox_.publish(next.manifest, log.verify_pending));
    const std::string name = Outbox::name_of(next.manifest);
    if (!done) {
      return cut_again_in_new_run(
          log, printable(outbox_.path(name)) + ": another file has this name, or it was damaged");
    }
    room_.add(next.manifest.bytes + watcher::format_manifest(next.manifest).size());
    published.push_back(outbox_.path(name));
    log.state.sequence = next.manifest.sequence;
    log.state.file = next.after;
    log.follower->file().move_to(next.after);
    pending.erase(pending.begin());
    logs_.mark_changed();
  }
  log.verify_pending = false;
  return {};
}

/// For announced extracts that cannot be published: their bytes get other names, in case that
/// somebody has some of them already.
Result<> Publisher::cut_again_in_new_run(FollowedLog& log, const std::string& why) {
  notices_.say(why + "; a new run begins");
  const std::vector<Pending> dropped = std::exchange(log.state.pending, {});
  log.verify_pending = false;
  log.follower->go_back();
  log.start_new_run();
  logs_.mark_changed();
  // Before their files are deleted: a start must not take them for published.
  CARAVEL_TRY(keeper_.save());
  for (const Pending& one : dropped) CARAVEL_TRY(outbox_.discard(one.manifest));
  return {};
}

}  // namespace caravel::tail
