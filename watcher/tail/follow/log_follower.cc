#include "watcher/tail/follow/log_follower.h"

#include <algorithm>

#include "base/text.h"
#include "watcher/tail/follow/log_first.h"

namespace caravel::tail {

LogFollower::LogFollower(LogState& state, const FollowerRules& rules, const OtherLogs& others,
                         HeldFiles& held, Unpacker& unpacker, Notices& notices)
    : state_(state),
      rules_(rules),
      others_(others),
      held_(held),
      unpacker_(unpacker),
      notices_(notices),
      file_(rules.grace),
      known_(state, notices),
      files_(state, rules, others, known_, file_, held),
      search_(parts(), rules.grace) {}

FollowedFiles LogFollower::parts() {
  return {state_, known_, file_, files_, others_, held_, unpacker_, notices_};
}

Result<> LogFollower::begin(const StartRules& rules, Cutter& cutter) {
  return start_log(parts(), rules, cutter);
}

Result<bool> LogFollower::look(const Moment& now) {
  deserted_ = false;
  CARAVEL_ASSIGN_OR_RETURN(auto live, stamp_of(state_.log));
  // Only a log that the options name is missed; what a pattern found may well go.
  if (live) {
    notices_.clear(state_.log + "\nmissing", printable(state_.log) + ": is there now");
  } else if (!file_.is_open() &&
             std::find(rules_.logs.begin(), rules_.logs.end(), state_.log) != rules_.logs.end()) {
    notices_.set(state_.log + "\nmissing", printable(state_.log) + ": does not exist; waiting");
  }
  const bool at_rest = file_.is_open() && file_.all_read() && !file_.is_rotated();
  news_ = news_ || files_.appeared_since(seen_);
  seen_ = held_.newest();
  const bool look_back_due = news_ || search_.look_back_due(now);
  // The usual case ends here, and one stat(2) is all that an idle log costs. The stamp holds the
  // ctime: a rename or a truncation changes it, too.
  if (at_rest && live == file_.stamp() && !look_back_due) return false;
  live = what_has_the_name(live);
  CARAVEL_TRY(files_.note_look(live ? std::optional<FileId>(live->id) : std::nullopt));
  // Looking back may close the open file. That is done only while the file has the log's name: a
  // deleted one could never be opened again.
  const bool in_place = live && file_.is(live->id);
  if (in_place && at_rest && look_back_due) {
    CARAVEL_TRY(search_.look_back(live, news_, now));
    news_ = false;
  }
  // A refresh may close the file; the next one is then opened in the same look.
  if (file_.is_open()) CARAVEL_TRY(refresh(live, now));
  if (!file_.is_open()) {
    CARAVEL_TRY(search_.open_next(live && is_own_file(*live) ? live : std::nullopt, now));
    news_ = false;
  }
  if (!file_.is_open()) {
    // Nothing to read: that is the end of the log only if its name is gone, too.
    deserted_ = !files_.live();
    return false;
  }
  file_.set_all_read(false);
  return file_.position().offset < file_.stamp().size;
}

/// Returns `live` if it is a regular file, else nothing, and says so: a directory or a FIFO in the
/// log's place is never opened.
std::optional<Stamp> LogFollower::what_has_the_name(std::optional<Stamp> live) {
  const std::string subject = state_.log + "\nkind";
  if (live && !live->regular) {
    notices_.set(subject, printable(state_.log) + ": is no regular file now; waiting");
    return std::nullopt;
  }
  if (live) notices_.clear(subject, printable(state_.log) + ": is a regular file again");
  return live;
}

/// Whether this log is the one that reads the file with its name. Two logs may be two names of one
/// file (hard links, symlinks), which is read once.
bool LogFollower::is_own_file(const Stamp& live) {
  const LogState* const reader = others_.reader_of(live.id, state_);
  const std::string subject = state_.log + "\nsame";
  if (reader == nullptr) {
    notices_.clear(subject, printable(state_.log) + ": is a file of its own now");
    return true;
  }
  notices_.set(subject, printable(state_.log) + ": is the same file as " + printable(reader->log) +
                            "; read once");
  return false;
}

/// Looks again at the open file. Closes it if it is no longer what it was; it is then searched for
/// anew, with all files that it may have become.
Result<> LogFollower::refresh(const std::optional<Stamp>& live, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, file_.stamp_now());
  const bool is_live = live && same_file(live->id, stamp.id);
  const bool written = file_.was_written(stamp);
  file_.note_look(is_live, written, now);
  if (written) {
    CARAVEL_ASSIGN_OR_RETURN(const auto find_again, is_to_be_found_again(stamp));
    // Its name may be gone: then it can be read only by this descriptor.
    Sibling file{file_.path(), "moved", stamp};
    file.held = file_.fd();
    if (find_again && (held_.hold(file, now) || stamp.links > 0)) {
      file_.close();
      return {};
    }
  }
  file_.set_stamp(stamp);
  return {};
}

/// Whether the file, which was written, may be another text by now: then it is searched for anew.
Result<bool> LogFollower::is_to_be_found_again(const Stamp& stamp) const {
  const Position& position = file_.position();
  CARAVEL_ASSIGN_OR_RETURN(auto same, holds(file_.fd(), position));
  // If nothing was read from it, nothing can be compared: it may have been copied and truncated,
  // and then the copy must be read first.
  return !same || stamp.size < position.offset || position.offset == 0;
}

Result<bool> LogFollower::finish(const Moment& now) {
  half_line_.reset();
  file_.set_all_read(true);
  if (!file_.is_open()) return false;
  if (!file_.is_rotated()) {
    CARAVEL_TRY(look_for_end_of_log());
    return false;
  }
  CARAVEL_ASSIGN_OR_RETURN(auto live, stamp_of(state_.log));
  if (live && !live->regular) live = std::nullopt;
  CARAVEL_ASSIGN_OR_RETURN(auto files, files_.list(live));
  CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, search_.being_read()));
  // While no newer file exists, the writer may well go on in this one. A deleted file that is held
  // open keeps its room on the disk, so it is let go.
  if (!is_newer(survey, live) && file_.stamp().links > 0) return false;
  // If there are two newer files, the writer has surely left this one: the grace need not pass.
  const auto plain = std::count_if(survey.fresh.begin(), survey.fresh.end(),
                                   [](const Unread& next) { return !next.file.packed; });
  if (!file_.is_over(now) && !(survey.rotated() && plain > 1)) return false;

  half_line_ = find_half_line(survey, files, now);
  if (half_line_) return false;
  const bool too_long = file_.holds_up_too_long(now);
  // The digest is taken now, while the file is open: by it the file is known when it is found under
  // another name, or as a copy. A crash before the next save leaves the file unfinished in the
  // state; the start reads it on and comes here again.
  Position done = file_.position();
  done.modified = file_.stamp().modified;
  CARAVEL_TRY(move_to(file_.fd(), done.offset, done));
  known_.remember(done, file_.stamp().size, true);
  search_.note_finished(file_.has_grown() || too_long, now);
  state_.file.reset();
  file_.close();
  return true;
}

/// Whether there is a file that was begun after the open one. The log itself is none if it was
/// begun before and read: then its program goes on in files with other names (winston).
bool LogFollower::is_newer(const Survey& survey, const std::optional<Stamp>& live) const {
  if (survey.rotated() || file_.has_grown() || file_.is_copy()) return true;
  const std::int64_t born = file_.stamp().id.born;
  if (born == 0 || !live || live->id.born == 0) return !survey.fresh.empty() || state_.aside;
  if (live->id.born > born) return !survey.fresh.empty() || state_.aside;
  if (!survey.fresh.empty()) return survey.fresh.back().start.offset < live->size;
  return state_.aside &&
         (live->modified != state_.aside->modified || live->size < state_.aside->offset);
}

bool LogFollower::needs(const HeldFile& file) const {
  if (!file.fd || !files_.owns(file)) return false;
  // At rest, the log itself needs no second descriptor.
  if (file_.is(file.id)) return file_.is_rotated();
  if (files_.is_reading(file.id)) return true;
  const auto stamp = stamp_of(file.fd.get());
  if (!stamp) return false;
  if (const Known* const known = known_.find(file.id)) {
    return known->read && known->size != stamp->size && !is_packed(file.paths.back());
  }
  return files_.is_file_of_log(file, *stamp);
}

/// The end of a finished file, if it is no line end. A file that is only read to where it ends now
/// may still be written to.
std::optional<HalfLine> LogFollower::find_half_line(const Survey& survey,
                                                    const std::vector<Sibling>& files,
                                                    const Moment& now) {
  const std::uint64_t read = file_.position().offset;
  const std::uint64_t size = file_.stamp().size;
  const bool too_long = file_.holds_up_too_long(now);
  if (size <= read || file_.has_grown() || file_.is_damaged()) return std::nullopt;
  if (too_long && !file_.is_still(now)) return std::nullopt;
  HalfLine line{{read, size}, file_.path(), std::nullopt};
  for (const Sibling& file : files) {
    if (file_.is(file.stamp.id)) line.path = file.path;
  }
  // The other half may never be finished.
  if (too_long) return line;
  if (survey.grown.empty() && !survey.fresh.empty() && continues(survey.fresh.front())) {
    line.next = survey.fresh.front().file;
    held_.complete(*line.next);
  }
  return line;
}

/// The log may have been left for good, for files with other names (rotatelogs -n). Then the half
/// line at its end is one like that of a rotated file.
Result<> LogFollower::look_for_end_of_log() {
  const Stamp& stamp = file_.stamp();
  const std::int64_t grace = std::chrono::nanoseconds(rules_.grace).count();
  if (file_.position().offset >= stamp.size || file_time() - stamp.modified < grace) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto live, stamp_of(state_.log));
  if (live != stamp) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto files, files_.list(live));
  CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, search_.being_read()));
  half_line_ = HalfLine{{file_.position().offset, stamp.size}, file_.path(), std::nullopt};
  if (!log_comes_first(survey, state_.log, live, file_.position().offset > 0)) {
    half_line_->elsewhere = others_.was_left(stamp, state_);
    if (!half_line_->elsewhere) half_line_.reset();
    return {};
  }
  // The other half may never be finished.
  const bool too_long = file_time() - stamp.modified > 10 * grace;
  if (!too_long && continues(survey.fresh.front())) half_line_->next = survey.fresh.front().file;
  return {};
}

/// Whether the logger went over to `next` in the midst of the last line: it began that file at the
/// moment of its last write to this one. A program that was killed in the midst of a line, and
/// started anew, takes longer.
bool LogFollower::continues(const Unread& next) const {
  constexpr std::int64_t kAtOnce = 50'000'000;
  constexpr std::int64_t kClockStep = 10'000'000;  // of the times of files
  const std::int64_t born = next.file.stamp.id.born;
  if (born == 0 || file_.stamp().id.born == 0 || file_.is_copy() || next.file.packed) return false;
  const std::int64_t later = born - file_.stamp().modified;
  return next.start.offset == 0 && later >= -kClockStep && later <= kAtOnce;
}

/// All three are asked each time, so that none keeps its answer for a later look.
bool LogFollower::take_changed() {
  const bool known = known_.take_changed();
  const bool targets = files_.take_changed();
  return search_.take_changed() || targets || known;
}

bool LogFollower::has_rotated_files() const {
  // If the files cannot be listed, they may be there.
  const auto files = files_.list(std::nullopt);
  return !files || std::any_of(files->begin(), files->end(),
                               [&](const Sibling& file) { return known_.holds_id(file.stamp.id); });
}

void LogFollower::give_up_lost_file() {
  if (!state_.file || file_.is_open()) return;
  search_.report_lost(std::nullopt, {});
  // The size is not known any more; if it is more than the offset, the file counts as grown.
  known_.remember(*state_.file, state_.file->offset, true);
  state_.file.reset();
}

std::optional<Position> LogFollower::position_of(const Sibling& file) const {
  for (const auto& position : {state_.file, state_.aside}) {
    if (!position || !same_file(position->id, file.stamp.id)) continue;
    const auto fd = open_sibling(file);
    if (fd && holds(fd->get(), *position).value_or(false)) return position;
  }
  return known_.position_of(file);
}

}  // namespace caravel::tail
