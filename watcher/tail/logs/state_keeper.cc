#include "watcher/tail/logs/state_keeper.h"

#include <utility>
#include <vector>

#include "watcher/tail/files/log_file.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/logs/catch_up.h"

namespace caravel::tail {

Result<> StateKeeper::load(Cutter& cutter) {
  CARAVEL_ASSIGN_OR_RETURN(auto state, file_.open());
  logs_.restore(std::move(state.patterns));
  // Temporary files of this state's runs that the state does not announce were left half done by a
  // crash. Those of other runs may be another agent's.
  std::vector<std::string> runs;
  std::vector<std::string> announced;
  for (LogState& saved : state.logs) {
    runs.push_back(saved.run);
    for (const Pending& one : saved.pending) announced.push_back(Outbox::name_of(one.manifest));
    FollowedLog& log = logs_.restore(std::move(saved));
    CARAVEL_ASSIGN_OR_RETURN(auto changed,
                             catch_up_with_outbox(log.state, outbox_, cutter, notices_));
    if (changed) logs_.mark_changed();
  }
  return outbox_.sweep(runs, announced);
}

Result<> StateKeeper::save() {
  // The names that were published are synced first: the new state says that their extracts are
  // done, and would not give them their names again after a power loss.
  CARAVEL_TRY(outbox_.sync_names(true));
  CARAVEL_TRY(file_.prepare(logs_.to_save()));
  // Before the rename: if that fails, the new state may be on the disk all the same.
  logs_.note_prepared();
  CARAVEL_TRY(file_.put_in_place());
  logs_.note_saved();
  return {};
}

Result<> StateKeeper::save_making_room(const Moment& now) {
  auto saved = save();
  if (saved || !is_on_outbox_disk()) return saved;
  CARAVEL_ASSIGN_OR_RETURN(auto room, room_.make_room_on_disk(saved.error(), now));
  return room ? save() : saved;
}

/// Whether the state file lies on the outbox's file system. If not, deleting sent extracts gives it
/// no room.
bool StateKeeper::is_on_outbox_disk() const {
  const auto state = stamp_of(directory_of(file_.path()));
  const auto outbox = stamp_of(outbox_.directory());
  return state && *state && outbox && *outbox && (*state)->id.device == (*outbox)->id.device;
}

}  // namespace caravel::tail
