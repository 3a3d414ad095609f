#include "watcher/tail/follow/log_start.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "watcher/tail/files/paths.h"

namespace caravel::tail {
namespace {

/// Lets the log begin behind the last line end before `size` (UINT64_MAX: the file's own size). A
/// line that is being written at this moment is so read whole.
Result<> start_behind(const Sibling& file, std::uint64_t size, Cutter& cutter, LogState& state) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_sibling(file));
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of(fd.get()));
  if (size != UINT64_MAX && stamp.size < size) return {};  // truncated since: all of it is new
  CARAVEL_ASSIGN_OR_RETURN(auto end, cutter.last_line_end(fd.get(), std::min(size, stamp.size)));
  if (end == 0) return {};  // no line has ended yet: the first one is read whole
  Position position;
  position.id = stamp.id;
  position.modified = stamp.modified;
  CARAVEL_TRY(move_to(fd.get(), end, position));
  state.file = position;
  return {};
}

/// Begins a log that must not be read at the first look, and now may be read. The file of the first
/// look may have been rotated since, so it is looked for by its identity. If it is gone, nothing of
/// it needs a place.
Result<> start_behind_first_look(const FollowedFiles& log, std::vector<Sibling> files,
                                 const std::optional<Stamp>& live, Cutter& cutter) {
  const FirstLook first = *log.state.first_look;
  const bool ours = live && live->regular && log.others.reader_of(live->id, log.state) == nullptr;
  if (ours) files.push_back(Sibling{log.state.log, {}, *live});
  for (const Sibling& file : files) {
    if (file.packed || !same_file(file.stamp.id, first.id)) continue;
    auto started = start_behind(file, first.size, cutter, log.state);
    if (started) break;
    // The log itself may be readable later, so the error keeps this undecided. A rotated file that
    // still must not be read is given up, or the log would wait for it for ever.
    if (file.rotation.empty() || !lacks_right(started.error())) return started;
    log.notices.say(started.error().message +
                    "; what was written to it since the first look is lost");
    log.known.remember_there(file);
  }
  log.state.first_look.reset();
  return {};
}

/// Remembers as not to be read what was rotated before `since`. Without a birth time, the last
/// write stands for it: later than the birth, so at worst a file too many is read.
void leave_alone_older(const FollowedFiles& log, const std::vector<Sibling>& files,
                       const std::optional<Stamp>& live, std::int64_t since) {
  for (const Sibling& file : files) {
    const FileId& id = file.stamp.id;
    if (live && same_file(id, live->id)) continue;
    const std::int64_t born = id.born != 0 ? id.born : file.stamp.modified;
    if (born < since) log.known.remember_there(file);
  }
}

}  // namespace

Result<> start_log(const FollowedFiles& log, const StartRules& rules, Cutter& cutter) {
  LogState& state = log.state;
  state.rules = log.files.kinship().rules();
  CARAVEL_ASSIGN_OR_RETURN(const auto live, stamp_of(state.log));
  // Where a symlink leads is noted at the first look: from then on a swap is noticed.
  if (state.targets.empty()) {
    const std::string target = link_target(state.log);
    if (!target.empty()) state.targets = {target};
    state.looked = file_time();
  }
  CARAVEL_ASSIGN_OR_RETURN(auto files, log.files.list(std::nullopt));
  if (state.first_look) return start_behind_first_look(log, std::move(files), live, cutter);
  leave_alone_older(log, files, live, rules.rotated_since);
  if (!live || !live->regular) return {};
  if (log.others.reader_of(live->id, state) != nullptr) return {};
  const Sibling file{state.log, {}, *live};
  // Another log may have read it, under another name, before it let it go.
  state.file = log.others.read_up_to(file, state);
  if (state.file || rules.from_start) return {};
  auto started = start_behind(file, UINT64_MAX, cutter, state);
  if (!started && lacks_right(started.error())) {
    state.first_look = FirstLook{file.stamp.id, file.stamp.size};
  }
  return started;
}

}  // namespace caravel::tail
