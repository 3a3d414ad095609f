#include "watcher/tail/follow/log_follower.h"

#include <algorithm>

#include "base/moment.h"
#include "base/text.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/files/disk.h"

namespace caravel::tail {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

Result<> LogFollower::begin(bool from_start, std::int64_t rotated_since, Cutter& cutter) {
  CARAVEL_ASSIGN_OR_RETURN(auto live, stamp_of(state_.log));
  if (const std::string target = link_target(state_.log); state_.targets.empty()) {
    if (!target.empty()) state_.targets = {target};
    state_.looked = file_time();
  }
  CARAVEL_ASSIGN_OR_RETURN(auto siblings, list(std::nullopt));
  if (const auto first = state_.first_look) {
    // What had been there then may have been rotated since; what is gone needs no place.
    const bool ours = live && live->regular && others_.reader_of(live->id, *this) == nullptr;
    if (ours) siblings.push_back(Sibling{state_.log, {}, *live, false});
    for (const Sibling& file : siblings) {
      if (file.packed || !same_file(file.stamp.id, first->id)) continue;
      auto begun = begin_behind(file, first->size, cutter);
      if (begun) break;
      if (file.rotation.empty() || !lacks_right(begun.error())) return begun;
      notices_.say(begun.error().message + "; what was written to it since the first look is lost");
      known_.remember_there(file);
    }
    state_.first_look.reset();
    return {};
  }
  for (const Sibling& sibling : siblings) {
    if (live && same_file(sibling.stamp.id, live->id)) continue;
    const std::int64_t born =
        sibling.stamp.id.born != 0 ? sibling.stamp.id.born : sibling.stamp.modified;
    if (born < rotated_since) known_.remember_there(sibling);
  }
  if (!live || !live->regular) return {};
  if (others_.reader_of(live->id, *this) != nullptr) return {};
  const Sibling log{state_.log, {}, *live, false};
  state_.file = others_.read_up_to(log, *this);
  if (state_.file || from_start) return {};
  auto begun = begin_behind(log, UINT64_MAX, cutter);
  if (!begun && lacks_right(begun.error())) {
    state_.first_look = FirstLook{log.stamp.id, log.stamp.size};
  }
  return begun;
}

/// Behind the last line end before `size`.
Result<> LogFollower::begin_behind(const Sibling& file, std::uint64_t size, Cutter& cutter) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_log(file.path));
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of(fd.get()));
  if (size != UINT64_MAX && stamp.size < size) return {};  // truncated since: all of it is new
  CARAVEL_ASSIGN_OR_RETURN(auto end, cutter.last_line_end(fd.get(), std::min(size, stamp.size)));
  if (end == 0) return {};
  Position position;
  position.id = stamp.id;
  position.modified = stamp.modified;
  CARAVEL_TRY(move_to(fd.get(), end, position));
  state_.file = position;
  return {};
}

/// Once for each place to which a symlink leads: the rotated files that were there when the log was
/// last looked at, elsewhere, are none of it.
Result<> LogFollower::settle_target() {
  constexpr std::size_t kMostTargets = 4;
  const std::int64_t looked = std::exchange(state_.looked, file_time());
  const std::string target = link_target(state_.log);
  std::vector<std::string>& targets = state_.targets;
  if (target.empty() || (!targets.empty() && targets.front() == target)) return {};
  const bool is_new = std::erase(targets, target) == 0;
  targets.insert(targets.begin(), target);
  targets.resize(std::min(targets.size(), kMostTargets));
  changed_ = true;
  if (!is_new) return {};
  auto files = rotated_siblings(target, std::nullopt);
  if (!files) return lacks_right(files.error()) ? Result<>() : tl::unexpected(files.error());
  for (const Sibling& file : *files) {
    const bool ours = is_reading(file.stamp.id) || known_.holds_id(file.stamp.id);
    const bool is_live = live_ && same_file(*live_, file.stamp.id);
    const FileId& id = file.stamp.id;
    const std::int64_t born =
        id.born != 0 ? std::min(id.born, file.stamp.modified) : file.stamp.modified;
    // Of an older agent's state: nothing of it was ever looked at.
    if (!ours && !is_live && (looked == 0 || born < looked)) known_.remember_there(file);
  }
  return {};
}

Result<bool> LogFollower::look(const Moment& now) {
  deserted_ = false;
  CARAVEL_ASSIGN_OR_RETURN(auto live, stamp_of(state_.log));
  if (live) {
    notices_.clear(state_.log + "\nmissing", printable(state_.log) + ": is there now");
  } else if (!fd_ && std::find(logs_.begin(), logs_.end(), state_.log) != logs_.end()) {
    notices_.set(state_.log + "\nmissing", printable(state_.log) + ": does not exist; waiting");
  }
  const bool look_back_due = look_back_ && now.steady >= *look_back_;
  if (fd_ && all_read_ && !rotated_ && live == stamp_ && !look_back_due) return false;
  if (live && !live->regular) {
    notices_.set(state_.log + "\nkind",
                 printable(state_.log) + ": is no regular file now; waiting");
    live = std::nullopt;
  } else if (live) {
    notices_.clear(state_.log + "\nkind", printable(state_.log) + ": is a regular file again");
  }
  live_ = live ? std::optional<FileId>(live->id) : std::nullopt;
  CARAVEL_TRY(settle_target());
  // Only while the open file has its name: a deleted one could never be opened again.
  const bool in_place = fd_ && live && same_file(live->id, position_.id);
  if (in_place && all_read_ && !rotated_ && look_back_due) {
    CARAVEL_TRY(look_back(live, now));
  }
  if (fd_) CARAVEL_TRY(refresh(live, now));
  if (!fd_) CARAVEL_TRY(choose(live && is_ours(*live) ? live : std::nullopt, now));
  if (!fd_) {
    deserted_ = !live_;
    return false;
  }
  all_read_ = false;
  return position_.offset < stamp_.size;
}

/// Two names of one file are read once.
bool LogFollower::is_ours(const Stamp& live) {
  const LogState* const reader = others_.reader_of(live.id, *this);
  const std::string subject = state_.log + "\nsame";
  if (reader == nullptr) {
    notices_.clear(subject, printable(state_.log) + ": is a file of its own now");
    return true;
  }
  notices_.set(subject, printable(state_.log) + ": is the same file as " + printable(reader->log) +
                            "; read once");
  return false;
}

/// Looks again at the open file; closes it if it is no longer what it was.
Result<> LogFollower::refresh(const std::optional<Stamp>& live, const Moment& now) {
  auto stamp = stamp_of(fd_.get());
  if (!stamp) {
    fd_.reset();  // stale on a network file system: find it again by its name
    return tl::unexpected(stamp.error());
  }
  const bool is_live = live && same_file(live->id, stamp->id);
  const bool changed = stamp->size != stamp_.size || stamp->modified != stamp_.modified;
  if (!is_live && !rotated_) {
    rotated_ = true;
    still_since_ = rotated_since_ = now.steady;
    scanned_ = 0;  // what is not found now never will be
  }
  if (is_live && !copy_) rotated_ = false;
  if (changed && rotated_) still_since_ = now.steady;
  if (changed) {
    CARAVEL_ASSIGN_OR_RETURN(auto same, holds(fd_.get(), position_));
    bool again = !same || stamp->size < position_.offset;
    if (!again && position_.offset == 0) {
      // Nothing was read from it, so there is nothing to compare: it may have been copied and
      // truncated, and the copy must be read first. Not if it could not be found again.
      CARAVEL_ASSIGN_OR_RETURN(auto listed, list(std::nullopt));
      again = is_live || std::any_of(listed.begin(), listed.end(), [&](const Sibling& s) {
                return same_file(s.stamp.id, stamp->id);
              });
    }
    if (again) {
      fd_.reset();
      return {};
    }
  }
  stamp_ = *stamp;
  return {};
}

Result<bool> LogFollower::try_take(const Sibling& file, const Position& position,
                                   const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_log(file.path));
  auto stamp = stamp_of(fd.get());
  if (!stamp) return tl::unexpected(with_context(file.path, stamp.error()));
  if (!same_file(stamp->id, file.stamp.id)) return false;  // renamed in between
  if (stamp->size < position.offset) return false;
  auto same = holds(fd.get(), position);
  if (!same) return tl::unexpected(with_context(file.path, same.error()));
  if (!*same) return false;
  fd_ = std::move(fd);
  position_ = position;
  position_.id = stamp->id;
  start_ = position_;
  stamp_ = *stamp;
  path_ = file.path;
  rotated_ = !file.rotation.empty();
  copy_ = false;
  late_ = false;
  all_read_ = false;
  scanned_ = 0;
  still_since_ = rotated_since_ = now.steady;
  // Found by searching, so nobody saw when it was rotated: its mtime must speak. Taken both ways,
  // a clock that was set back does not hold the log up.
  const std::int64_t wall =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.wall.time_since_epoch()).count();
  const std::int64_t age = wall > stamp_.modified ? wall - stamp_.modified : stamp_.modified - wall;
  if (rotated_ && std::chrono::nanoseconds(age) >= grace_) still_since_ -= grace_;
  return true;
}

void LogFollower::report_lost(const std::optional<Stamp>& live, const std::vector<Sibling>& files) {
  const Position& file = *state_.file;
  const std::string read = number(file.offset);
  if (live && same_file(live->id, file.id)) {
    notices_.say(printable(state_.log) + ": was truncated or rewritten after its first " + read +
                 " bytes were read; what had been appended since is lost, if there was any");
    return;
  }
  const bool packed =
      std::any_of(files.begin(), files.end(), [](const Sibling& s) { return s.packed; });
  notices_.say(printable(state_.log) + ": the file that was read up to byte " + read +
               " is gone (deleted" + (packed ? " or compressed" : "") +
               "); what had been appended since is lost, if there was any");
}

/// What a survey leaves out.
std::vector<Position> LogFollower::being_read() const {
  std::vector<Position> files;
  if (fd_) {
    files.push_back(position_);
    files.back().modified = stamp_.modified;
  }
  if (state_.aside) files.push_back(*state_.aside);
  return files;
}

Result<bool> LogFollower::finish(const Moment& now) {
  all_read_ = true;
  if (!fd_ || !rotated_) return false;
  auto live = stamp_of(state_.log);
  if (!live) return tl::unexpected(live.error());
  if (*live && !(*live)->regular) *live = std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(auto files, list(*live));
  CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, being_read(), false));
  // While nothing newer exists the writer may well go on in this one; a deleted one, held open,
  // keeps its space, so it is let go.
  const bool newer = !survey.fresh.empty() || late_ || state_.aside;
  if (!newer && stamp_.links > 0) return false;
  const bool too_long = now.steady - rotated_since_ >=
                        std::max<std::chrono::milliseconds>(10 * grace_, std::chrono::seconds(10));
  const bool waited = copy_ || late_ || too_long || now.steady - still_since_ >= grace_;
  if (!waited && !survey.rotated()) return false;

  if (stamp_.size > position_.offset && !too_long && !late_) {
    const std::uint64_t left = stamp_.size - position_.offset;
    bytes_left_behind_ += left;
    notices_.say(printable(path_) + ": was rotated away with a last line that has no end: " +
                 number(left) + " bytes from byte " + number(position_.offset) + " are not sent");
  }
  Position done = position_;
  done.modified = stamp_.modified;
  CARAVEL_TRY(move_to(fd_.get(), done.offset, done));
  known_.remember(done, stamp_.size, true);
  // A writer that goes on in an old file for ever must not keep the log itself from being read.
  live_next_ = late_ || too_long;
  state_.file.reset();
  fd_.reset();
  look_back_wait_ = std::max<std::chrono::milliseconds>(2 * grace_, std::chrono::seconds(1));
  look_back_ = now.steady + look_back_wait_;
  return true;
}

void LogFollower::advance(const Position& after) {
  position_ = after;
  scanned_ = after.offset;
}

void LogFollower::go_back() {
  // The file stays open: it may be deleted, and read only here.
  const bool published =
      state_.file && same_file(state_.file->id, start_.id) && state_.file->offset >= start_.offset;
  position_ = published ? *state_.file : start_;
  scanned_ = 0;
}

bool LogFollower::has_rotated_files() const {
  const auto files = list(std::nullopt);
  return !files || std::any_of(files->begin(), files->end(),
                               [&](const Sibling& file) { return known_.holds_id(file.stamp.id); });
}

void LogFollower::give_up() {
  if (!state_.file || fd_) return;
  report_lost(std::nullopt, {});
  known_.remember(*state_.file, state_.file->offset, true);
  state_.file.reset();
}

bool LogFollower::is_reading(const FileId& id) const {
  const auto is_it = [&](const std::optional<Position>& p) { return p && same_file(p->id, id); };
  return has_open(id) || is_it(state_.file) || is_it(state_.aside);
}

std::optional<Position> LogFollower::position_of(const Sibling& file) const {
  for (const auto& position : {state_.file, state_.aside}) {
    if (!position || !same_file(position->id, file.stamp.id)) continue;
    const auto fd = open_log(file.path);
    if (fd && holds(fd->get(), *position).value_or(false)) return position;
  }
  return known_.position_of(file);
}

}  // namespace caravel::tail
