#include "watcher/tail/log_follower.h"

#include <algorithm>

#include "watcher/tail/cutter.h"

namespace caravel::tail {
namespace {

/// After so many bytes content alone tells a copy; fewer may be a header that all files begin with,
/// and the mtime must agree.
constexpr std::uint64_t kTellingBytes = 2048;

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

Result<> LogFollower::begin(bool from_start, Cutter& cutter) {
  auto live = stamp_of(state_.log);
  if (!live) return tl::unexpected(live.error());
  auto siblings = rotated_siblings(state_.log, *live);
  if (!siblings) return tl::unexpected(siblings.error());
  for (const Sibling& sibling : *siblings) {
    state_.since = std::max(state_.since, sibling.stamp.modified);
  }
  if (!*live || !(*live)->regular || from_start) return {};
  auto fd = open_log(state_.log);
  if (!fd) return tl::unexpected(fd.error());
  auto stamp = stamp_of(fd->get());
  if (!stamp) return tl::unexpected(stamp.error());
  auto end = cutter.last_line_end(fd->get(), stamp->size);
  if (!end) return tl::unexpected(end.error());
  if (*end == 0) return {};
  Position position;
  position.id = stamp->id;
  position.modified = stamp->modified;
  CARAVEL_TRY(move_to(fd->get(), *end, position));
  state_.file = position;
  return {};
}

Result<bool> LogFollower::look(const Now& now) {
  deserted_ = false;
  auto live = stamp_of(state_.log);
  if (!live) return tl::unexpected(live.error());
  if (fd_ && all_read_ && !rotated_ && *live == stamp_) return false;
  if (*live && !(*live)->regular) {
    notices_.set(state_.log + "\nkind", shown(state_.log) + ": is no regular file now; waiting");
    *live = std::nullopt;
  } else if (*live) {
    notices_.clear(state_.log + "\nkind", shown(state_.log) + ": is a regular file again");
  }
  if (fd_) CARAVEL_TRY(refresh(*live, now));
  if (!fd_) CARAVEL_TRY(choose(*live, now));
  if (!fd_) {
    deserted_ = !*live;
    return false;
  }
  all_read_ = false;
  return position_.offset < stamp_.size;
}

/// Looks again at the open file; closes it if it is no longer what it was.
Result<> LogFollower::refresh(const std::optional<Stamp>& live, const Now& now) {
  auto stamp = stamp_of(fd_.get());
  if (!stamp) {
    fd_.reset();  // stale on a network file system: find it again by its name
    return tl::unexpected(stamp.error());
  }
  const bool is_live = live && same_file(live->id, stamp->id);
  const bool changed = stamp->size != stamp_.size || stamp->modified != stamp_.modified;
  if (!is_live && !rotated_) {
    rotated_ = true;
    still_since_ = now.steady;
    scanned_ = 0;  // what is not found now never will be
  }
  if (is_live && !copy_) rotated_ = false;
  if (changed && rotated_) still_since_ = now.steady;
  if (changed) {
    auto same = holds(fd_.get(), position_);
    if (!same) return tl::unexpected(same.error());
    bool again = !*same || stamp->size < position_.offset;
    if (!again && position_.offset == 0) {
      // Nothing was read from it, so there is nothing to compare: it may have been copied and
      // truncated, and the copy must be read first. Not if it could not be found again.
      auto listed = rotated_siblings(state_.log, std::nullopt);
      if (!listed) return tl::unexpected(listed.error());
      again = is_live || std::any_of(listed->begin(), listed->end(), [&](const Sibling& s) {
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

Result<bool> LogFollower::try_take(const Sibling& file, const Position& position, const Now& now) {
  auto fd = open_log(file.path);
  if (!fd) return tl::unexpected(fd.error());
  auto stamp = stamp_of(fd->get());
  if (!stamp) return tl::unexpected(with_context(file.path, stamp.error()));
  if (!same_file(stamp->id, file.stamp.id)) return false;  // renamed in between
  if (stamp->size < position.offset) return false;
  auto same = holds(fd->get(), position);
  if (!same) return tl::unexpected(with_context(file.path, same.error()));
  if (!*same) return false;
  fd_ = std::move(*fd);
  position_ = position;
  position_.id = stamp->id;
  position_.finished = false;
  stamp_ = *stamp;
  path_ = file.path;
  rotated_ = !file.rotation.empty();
  copy_ = false;
  all_read_ = false;
  scanned_ = 0;
  still_since_ = now.steady;
  // Found by searching, so nobody saw when it was rotated: its mtime must speak. Taken both ways,
  // a clock that was set back does not hold the log up.
  const std::int64_t wall =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.wall.time_since_epoch()).count();
  const std::int64_t age = wall > stamp_.modified ? wall - stamp_.modified : stamp_.modified - wall;
  if (rotated_ && std::chrono::nanoseconds(age) >= grace_) still_since_ -= grace_;
  return true;
}

/// The unfinished file of the state, under whatever name it has now.
Result<bool> LogFollower::find_again(const std::vector<Sibling>& files, const Now& now) {
  const Position file = *state_.file;
  for (const Sibling& candidate : files) {
    if (candidate.packed || !same_file(candidate.stamp.id, file.id)) continue;
    auto taken = try_take(candidate, file, now);
    if (!taken || *taken) return taken;
  }
  // Truncated, or gone: if it was copied first (copytruncate), the copy begins with what was read,
  // and goes on with what was not. The oldest that fits: if all that was read is a header that
  // every file begins with, the later ones are later copies, still to be read.
  for (const Sibling& candidate : files) {
    if (candidate.packed || candidate.rotation.empty()) continue;
    if (candidate.stamp.modified < file.modified && file.offset < kTellingBytes) continue;
    auto taken = try_take(candidate, file, now);
    if (!taken) return taken;
    if (!*taken) continue;
    copy_ = true;
    return true;
  }
  return false;
}

Result<std::size_t> LogFollower::first_unread(const std::vector<Sibling>& files,
                                              const Position* anchor) {
  const std::int64_t since = anchor != nullptr ? anchor->modified : state_.since;
  for (std::size_t i = files.size(); anchor != nullptr && i-- > 0;) {
    if (files[i].packed || !same_file(files[i].stamp.id, anchor->id)) continue;
    auto fd = open_log(files[i].path);
    if (!fd) return tl::unexpected(fd.error());
    auto same = holds(fd->get(), *anchor);
    if (!same) return tl::unexpected(same.error());
    if (*same) return i + 1;
  }
  // It is gone: what was written to later than it was never read. The log itself always counts.
  std::size_t i = 0;
  while (i < files.size() && !files[i].rotation.empty() && files[i].stamp.modified <= since) ++i;
  return i;
}

void LogFollower::report_lost(const std::optional<Stamp>& live, const std::vector<Sibling>& files) {
  const Position& file = *state_.file;
  const std::string read = number(file.offset);
  if (live && same_file(live->id, file.id)) {
    notices_.say(shown(state_.log) + ": was truncated or rewritten after its first " + read +
                 " bytes were read; what had been appended since is lost, if there was any");
    return;
  }
  const bool packed =
      std::any_of(files.begin(), files.end(), [](const Sibling& s) { return s.packed; });
  notices_.say(shown(state_.log) + ": the file that was read up to byte " + read +
               " is gone (deleted" + (packed ? " or compressed" : "") +
               "); what had been appended since is lost, if there was any");
}

/// Opens the file to read next, if there is one.
Result<> LogFollower::choose(const std::optional<Stamp>& live, const Now& now) {
  auto listed = rotated_siblings(state_.log, live);
  if (!listed) return tl::unexpected(listed.error());
  std::vector<Sibling>& files = *listed;
  if (live) files.push_back(Sibling{state_.log, {}, *live, false});

  if (state_.file) {
    // Also a finished one, if somebody moved it back to be the log again.
    const bool again = !state_.file->finished || (live && same_file(live->id, state_.file->id));
    if (again) {
      auto found = find_again(files, now);
      if (!found) return tl::unexpected(found.error());
      if (*found) return {};
    }
    if (!state_.file->finished) {
      report_lost(live, files);
      state_.file->finished = true;
    }
  }
  auto next = first_unread(files, state_.file ? &*state_.file : nullptr);
  if (!next) return tl::unexpected(next.error());
  for (std::size_t i = *next; i < files.size(); ++i) {
    if (files[i].packed) {
      notices_.set(files[i].path, shown(files[i].path) +
                                      ": was compressed before it was read; its lines are missing");
      continue;
    }
    Position fresh;
    fresh.id = files[i].stamp.id;
    auto taken = try_take(files[i], fresh, now);
    if (!taken) return tl::unexpected(taken.error());
    return {};  // if not taken, it was renamed this moment: the next look sees where it is
  }
  return {};
}

Result<bool> LogFollower::finish(const Now& now) {
  all_read_ = true;
  if (!fd_ || !rotated_) return false;
  auto live = stamp_of(state_.log);
  if (!live) return tl::unexpected(live.error());
  if (*live && !(*live)->regular) *live = std::nullopt;
  auto listed = rotated_siblings(state_.log, *live);
  if (!listed) return tl::unexpected(listed.error());
  const std::size_t rotated = listed->size();
  if (*live) listed->push_back(Sibling{state_.log, {}, **live, false});
  Position done = position_;
  done.modified = stamp_.modified;
  auto next = first_unread(*listed, &done);
  if (!next) return tl::unexpected(next.error());
  // While nothing newer exists the writer may well go on in this one; a deleted one, held open,
  // keeps its space, so it is let go.
  const bool newer = *next < listed->size();
  if (!newer && stamp_.links > 0) return false;
  const bool waited = copy_ || now.steady - still_since_ >= grace_;
  if (!waited && *next >= rotated) return false;

  if (stamp_.size > position_.offset) {
    const std::uint64_t left = stamp_.size - position_.offset;
    bytes_left_behind_ += left;
    notices_.say(shown(path_) + ": was rotated away with a last line that has no end: " +
                 number(left) + " bytes from byte " + number(position_.offset) + " are not sent");
  }
  done.finished = true;
  state_.file = done;
  fd_.reset();
  return true;
}

void LogFollower::advance(const Position& after) {
  position_ = after;
  scanned_ = after.offset;
}

bool LogFollower::reads(const FileId& id) const {
  return (fd_ && same_file(position_.id, id)) || (state_.file && same_file(state_.file->id, id));
}

}  // namespace caravel::tail
