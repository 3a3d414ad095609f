#include "watcher/tail/log_follower.h"

#include <algorithm>

#include "watcher/tail/cutter.h"
#include "watcher/tail/glob.h"

namespace caravel::tail {
namespace {

/// The longest time between two looks for what was written to files that were finished.
constexpr std::chrono::hours kLookBackAtMost{1};

std::string number(std::uint64_t value) { return std::to_string(value); }

/// Whether `position` is still one of `files`.
Result<bool> is_among(const std::vector<Sibling>& files, const Position& position) {
  for (const Sibling& file : files) {
    if (file.packed || !same_file(file.stamp.id, position.id)) continue;
    if (file.stamp.size < position.offset) continue;
    auto fd = open_log(file.path);
    if (!fd) return tl::unexpected(fd.error());
    auto same = holds(fd->get(), position);
    if (!same || *same) return same;
  }
  return false;
}

}  // namespace

Result<> LogFollower::begin(bool from_start, Cutter& cutter) {
  auto live = stamp_of(state_.log);
  if (!live) return tl::unexpected(live.error());
  auto siblings = list(std::nullopt);
  if (!siblings) return tl::unexpected(siblings.error());
  for (const Sibling& sibling : *siblings) {
    if (!*live || !same_file(sibling.stamp.id, (*live)->id)) known_.remember_there(sibling);
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
  if (*live) {
    notices_.clear(state_.log + "\nmissing", shown(state_.log) + ": is there now");
  } else if (!fd_ && std::find(logs_.begin(), logs_.end(), state_.log) != logs_.end()) {
    notices_.set(state_.log + "\nmissing", shown(state_.log) + ": does not exist; waiting");
  }
  const bool look_back_due = look_back_ && now.steady >= *look_back_;
  if (fd_ && all_read_ && !rotated_ && *live == stamp_ && !look_back_due) return false;
  if (*live && !(*live)->regular) {
    notices_.set(state_.log + "\nkind", shown(state_.log) + ": is no regular file now; waiting");
    *live = std::nullopt;
  } else if (*live) {
    notices_.clear(state_.log + "\nkind", shown(state_.log) + ": is a regular file again");
  }
  // Only while the open file has its name: a deleted one could never be opened again.
  const bool in_place = fd_ && *live && same_file((*live)->id, position_.id);
  if (in_place && all_read_ && !rotated_ && look_back_due) {
    CARAVEL_TRY(look_back(*live, now));
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
    still_since_ = rotated_since_ = now.steady;
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
      auto listed = list(std::nullopt);
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
  auto survey = known_.survey(files, {file.id}, false);
  if (!survey) return tl::unexpected(survey.error());
  for (const Unread& candidate : survey->fresh) {
    if (candidate.file.rotation.empty()) continue;
    auto taken = try_take(candidate.file, file, now);
    if (!taken) return taken;
    if (!*taken) continue;
    copy_ = true;
    return true;
  }
  return false;
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

/// The rotated files, then the log itself.
Result<std::vector<Sibling>> LogFollower::list(const std::optional<Stamp>& live) const {
  auto files = rotated_siblings(state_.log, live);
  if (!files) return files;
  std::erase_if(*files, [&](const Sibling& file) {
    return std::any_of(logs_.begin(), logs_.end(), [&](const std::string& log) {
      if (log == file.path) return true;
      // A pattern that is not this log's; unless it is a file of ours that got such a name.
      return is_pattern(log) && matches(log, file.path) && !matches(log, state_.log) &&
             !reads(file.stamp.id);
    });
  });
  if (live) files->push_back(Sibling{state_.log, {}, *live, false});
  return files;
}

/// For a state that does not remember what was read: what is older than the last file read, by the
/// names' order or, if that is gone, by mtime.
Result<> LogFollower::recall_by_order(std::vector<Sibling> files) {
  std::optional<FileId> last;
  std::int64_t since = *state_.since;
  if (state_.file) {
    since = state_.file->modified;
    auto there = is_among(files, *state_.file);
    if (!there) return tl::unexpected(there.error());
    if (*there) last = state_.file->id;
  } else if (!state_.known.empty()) {
    last = state_.known.back().id;
  }
  std::vector<Sibling> live;
  if (!files.empty() && files.back().rotation.empty()) {
    live.push_back(std::move(files.back()));
    files.pop_back();
  }
  sort_siblings(files, numbers_ascend(files, nullptr, nullptr));
  files.insert(files.end(), live.begin(), live.end());
  const auto found = std::find_if(files.begin(), files.end(), [&](const Sibling& file) {
    return last && same_file(file.stamp.id, *last);
  });
  for (auto file = files.begin(); file != files.end(); ++file) {
    const bool older = found != files.end() ? file < found : file->stamp.modified <= since;
    if (file->rotation.empty() || !older || known_.holds_id(file->stamp.id)) continue;
    known_.remember_there(*file);
  }
  state_.since.reset();
  changed_ = true;
  return {};
}

/// Opens the file to read next, if there is one: the one that the state names, then those that grew
/// since they were finished, then the log that was set aside for them, then the oldest unread one.
Result<> LogFollower::choose(const std::optional<Stamp>& live, const Now& now) {
  auto files = list(live);
  if (!files) return tl::unexpected(files.error());
  if (state_.since) CARAVEL_TRY(recall_by_order(*files));
  if (!look_back_) CARAVEL_TRY(begin_looking_back(live, *files, now));
  bool grown = !std::exchange(live_next_, false);
  if (state_.aside && !state_.file) {
    auto there = is_among(*files, *state_.aside);
    if (!there) return tl::unexpected(there.error());
    if (!*there) state_.file = std::exchange(state_.aside, std::nullopt);
  }
  for (;;) {
    if (state_.file) {
      auto found = find_again(*files, now);
      if (!found) return tl::unexpected(found.error());
      if (*found) return {};
      report_lost(live, *files);
      // Remembered, so that its compressed form is known.
      known_.remember(*state_.file, state_.file->offset, true);
      state_.file.reset();
      changed_ = true;
    }
    auto survey = known_.survey(*files, open_files(), true);
    if (!survey) return tl::unexpected(survey.error());
    if (grown && !survey->grown.empty()) {
      const Unread& next = survey->grown.front();
      auto taken = try_take(next.file, next.start, now);
      if (!taken) return tl::unexpected(taken.error());
      late_ = *taken && rotated_;
      return {};
    }
    // One that was overlooked is older than the log that was set aside for it.
    const bool overlooked =
        state_.aside && live && same_file(live->id, state_.aside->id) && survey->rotated();
    if (state_.aside && !overlooked) {
      state_.file = std::exchange(state_.aside, std::nullopt);
      changed_ = true;
      grown = false;
      continue;
    }
    if (survey->fresh.empty()) return {};
    const Unread& next = survey->fresh.front();
    // If not taken, it was renamed this moment: the next look sees where it is.
    auto taken = try_take(next.file, next.start, now);
    if (!taken) return tl::unexpected(taken.error());
    return {};
  }
}

/// After a start: what happened to other files meanwhile comes before the log itself.
Result<> LogFollower::begin_looking_back(const std::optional<Stamp>& live,
                                         const std::vector<Sibling>& files, const Now& now) {
  look_back_wait_ = std::max<std::chrono::milliseconds>(2 * grace_, std::chrono::seconds(1));
  look_back_ = now.steady + look_back_wait_;
  const bool in_place = state_.file && live && same_file(live->id, state_.file->id);
  if (!in_place || state_.aside) return {};
  auto same = is_among(files, *state_.file);
  if (!same) return tl::unexpected(same.error());
  if (!*same) return {};
  auto survey = known_.survey(files, {state_.file->id}, false);
  if (!survey) return tl::unexpected(survey.error());
  if (survey->grown.empty() && !survey->rotated()) return {};
  state_.aside = std::exchange(state_.file, std::nullopt);
  changed_ = true;
  return {};
}

/// Sets the log aside if a file that was finished has grown, or one was overlooked while it was
/// renamed. Looked for ever more rarely.
Result<> LogFollower::look_back(const std::optional<Stamp>& live, const Now& now) {
  auto files = list(live);
  if (!files) return tl::unexpected(files.error());
  auto survey = known_.survey(*files, open_files(), false);
  if (!survey) return tl::unexpected(survey.error());
  if (survey->grown.empty() && !survey->rotated()) {
    look_back_wait_ = std::min<std::chrono::milliseconds>(2 * look_back_wait_, kLookBackAtMost);
    look_back_ = now.steady + look_back_wait_;
    return {};
  }
  if (state_.file && !state_.aside) {
    state_.aside = std::exchange(state_.file, std::nullopt);
    changed_ = true;
  }
  fd_.reset();
  return {};
}

std::vector<FileId> LogFollower::open_files() const {
  std::vector<FileId> ids;
  if (fd_) ids.push_back(position_.id);
  if (state_.aside) ids.push_back(state_.aside->id);
  return ids;
}

Result<bool> LogFollower::finish(const Now& now) {
  all_read_ = true;
  if (!fd_ || !rotated_) return false;
  auto live = stamp_of(state_.log);
  if (!live) return tl::unexpected(live.error());
  if (*live && !(*live)->regular) *live = std::nullopt;
  auto files = list(*live);
  if (!files) return tl::unexpected(files.error());
  auto survey = known_.survey(*files, open_files(), false);
  if (!survey) return tl::unexpected(survey.error());
  // While nothing newer exists the writer may well go on in this one; a deleted one, held open,
  // keeps its space, so it is let go.
  const bool newer = !survey->fresh.empty() || late_ || state_.aside;
  if (!newer && stamp_.links > 0) return false;
  const bool too_long = now.steady - rotated_since_ >=
                        std::max<std::chrono::milliseconds>(10 * grace_, std::chrono::seconds(10));
  const bool waited = copy_ || late_ || too_long || now.steady - still_since_ >= grace_;
  if (!waited && !survey->rotated()) return false;

  if (stamp_.size > position_.offset) {
    const std::uint64_t left = stamp_.size - position_.offset;
    bytes_left_behind_ += left;
    notices_.say(shown(path_) + ": was rotated away with a last line that has no end: " +
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

bool LogFollower::reads(const FileId& id) const {
  const auto is_it = [&](const std::optional<Position>& p) { return p && same_file(p->id, id); };
  return (fd_ && same_file(position_.id, id)) || is_it(state_.file) || is_it(state_.aside) ||
         known_.holds_id(id);
}

}  // namespace caravel::tail
