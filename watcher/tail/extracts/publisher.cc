#include "watcher/tail/extracts/publisher.h"

#include <utility>

#include "base/text.h"

namespace caravel::tail {

Result<> discard_unannounced(FollowedLog& log, Outbox& outbox) {
  log.follower->go_back();
  Result<> done;
  for (const Pending& one : std::exchange(log.state.pending, {})) {
    // All are tried: a file that cannot be deleted now is swept by the next start.
    if (auto discarded = outbox.discard(one.manifest); !discarded) done = discarded;
  }
  return done;
}

/// Saves the state with what is pending. Once this has succeeded, a start after a crash finishes
/// the publishing.
Result<> Publisher::announce(FollowedLog& log, const Moment& now) {
  if (log.announced == Announced::yes || log.state.pending.empty()) return {};
  auto saved = keeper_.save_making_room(now);
  // The state may need the room that the unannounced extracts take, so they are deleted. But if the
  // save failed after its rename, the new state may be on the disk: then they must stay.
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
    // A crash behind this call leaves the extract with its name and the state as it was announced:
    // the start finds the temporary file gone, and takes it for published.
    CARAVEL_ASSIGN_OR_RETURN(auto done, outbox_.publish(next.manifest, log.verify_pending));
    const std::string name = Outbox::name_of(next.manifest);
    if (!done) {
      return cut_again_in_new_run(
          log, printable(outbox_.path(name)) + ": another file has this name, or it was damaged");
    }
    room_.add(next.manifest.bytes + watcher::format_manifest(next.manifest).size());
    // From here on a fetcher may take the extract.
    published.push_back(outbox_.path(name));
    log.state.sequence = next.manifest.sequence;
    log.state.file = next.after;
    log.state.half_open = next.half;
    log.follower->file().move_to(next.after);
    if (next.next) log.state.begun = next.next;
    pending.erase(pending.begin());
    logs_.mark_changed();
  }
  log.verify_pending = false;
  return {};
}

/// For announced extracts that cannot be published: their bytes are cut again under other names,
/// because somebody may have fetched some of them already. The loading host knows rows that come
/// twice.
Result<> Publisher::cut_again_in_new_run(FollowedLog& log, const std::string& why) {
  notices_.say(why + "; a new run begins");
  const std::vector<Pending> dropped = std::exchange(log.state.pending, {});
  log.verify_pending = false;
  log.follower->go_back();
  log.start_new_run();
  logs_.mark_changed();
  // The state is saved before the files are deleted: a start that still found them announced, and
  // gone, would take them for published.
  CARAVEL_TRY(keeper_.save());
  for (const Pending& one : dropped) CARAVEL_TRY(outbox_.discard(one.manifest));
  return {};
}

}  // namespace caravel::tail
