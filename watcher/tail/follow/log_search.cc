// LogFollower: which of a log's files is to be read next, and where the one that was being read is
// now.
#include <algorithm>

#include "base/moment.h"
#include "watcher/tail/files/disk.h"
#include "watcher/tail/files/glob.h"
#include "watcher/tail/follow/log_follower.h"

namespace caravel::tail {
namespace {

/// The longest time between two looks for what was written to files that were finished.
constexpr std::chrono::hours kLookBackAtMost{1};

/// Whether `position` is still one of `files`.
Result<bool> is_among(const std::vector<Sibling>& files, const Position& position) {
  for (const Sibling& file : files) {
    if (file.packed || !same_file(file.stamp.id, position.id)) continue;
    if (file.stamp.size < position.offset) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto fd, open_log(file.path));
    auto same = holds(fd.get(), position);
    if (!same || *same) return same;
  }
  return false;
}

}  // namespace

/// Whether another log goes on in this file.
bool LogFollower::is_anothers(const std::string& path) const {
  return std::any_of(logs_.begin(), logs_.end(), [&](const std::string& log) {
    return log != state_.log && (log == path || (is_pattern(log) && matches(log, path)));
  });
}

/// What lies where symlinks lead, or led to: the files themselves, but for the log of now, and the
/// rotated ones beside them.
Result<> LogFollower::add_targets(std::vector<Sibling>& files) const {
  const std::string now = link_target(state_.log);
  for (const std::string& target : state_.targets) {
    if (is_anothers(target)) continue;
    auto there = rotated_siblings(target, std::nullopt);
    if (!there && !lacks_right(there.error())) return tl::unexpected(there.error());
    if (!there) there = std::vector<Sibling>();
    const auto stamp = stamp_of(target);
    if (target != now && stamp && *stamp && (*stamp)->regular) {
      there->push_back(Sibling{target, "target", **stamp, false});
    }
    const std::size_t listed = files.size();
    for (Sibling& file : *there) {
      if (live_ && same_file(*live_, file.stamp.id)) continue;
      // Both may lie in one directory, under one name or another.
      const auto end = files.begin() + static_cast<std::ptrdiff_t>(listed);
      const bool known = std::any_of(files.begin(), end, [&](const Sibling& other) {
        return same_file(other.stamp.id, file.stamp.id);
      });
      if (!known) files.push_back(std::move(file));
    }
  }
  return {};
}

/// The rotated files, then the log itself.
Result<std::vector<Sibling>> LogFollower::list(const std::optional<Stamp>& live) const {
  CARAVEL_ASSIGN_OR_RETURN(auto files, rotated_siblings(state_.log, live));
  // Of two links to one file, the other log reads what lies beside it.
  const bool shared = live_ && others_.reader_of(*live_, *this) != nullptr;
  if (!shared) CARAVEL_TRY(add_targets(files));
  std::erase_if(files, [&](const Sibling& file) {
    return std::any_of(logs_.begin(), logs_.end(), [&](const std::string& log) {
      if (log == file.path) return true;
      // A pattern that is not this log's; unless it is a file of ours that got such a name.
      return is_pattern(log) && matches(log, file.path) && !matches(log, state_.log) &&
             !is_reading(file.stamp.id) && !known_.holds_id(file.stamp.id);
    });
  });
  std::erase_if(files, [&](const Sibling& file) {
    return others_.reader_of(file.stamp.id, *this) != nullptr;
  });
  if (live) files.push_back(Sibling{state_.log, {}, *live, false});
  return files;
}

/// For a state that does not remember what was read: what is older than the last file read, by the
/// names' order or, if that is gone, by mtime.
Result<> LogFollower::recall_by_order(std::vector<Sibling> files) {
  std::optional<FileId> last;
  std::int64_t since = *state_.since;
  if (state_.file) {
    since = state_.file->modified;
    CARAVEL_ASSIGN_OR_RETURN(auto there, is_among(files, *state_.file));
    if (there) last = state_.file->id;
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
Result<> LogFollower::choose(const std::optional<Stamp>& live, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto files, list(live));
  if (state_.since) CARAVEL_TRY(recall_by_order(files));
  if (!look_back_) CARAVEL_TRY(begin_looking_back(live, files, now));
  bool grown = !std::exchange(live_next_, false);
  if (state_.aside && !state_.file) {
    CARAVEL_ASSIGN_OR_RETURN(auto there, is_among(files, *state_.aside));
    if (!there) state_.file = std::exchange(state_.aside, std::nullopt);
  }
  for (;;) {
    if (state_.file) {
      CARAVEL_ASSIGN_OR_RETURN(auto found, find_again(files, now));
      if (found) return {};
      // While the name is missing nothing can be told: its file system may not be mounted.
      if (!live_) return {};
      const bool goes_on = std::any_of(state_.targets.begin(), state_.targets.end(),
                                       [&](const auto& target) { return is_anothers(target); });
      if (!goes_on) report_lost(live, files);
      // Remembered, so that its compressed form is known.
      known_.remember(*state_.file, state_.file->offset, true);
      state_.file.reset();
      changed_ = true;
    }
    CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, being_read(), live_.has_value()));
    if (grown && !survey.grown.empty()) {
      const Unread& next = survey.grown.front();
      CARAVEL_ASSIGN_OR_RETURN(auto taken, try_take(next.file, next.start, now));
      late_ = taken && rotated_;
      return {};
    }
    // One that was overlooked is older than the log that was set aside for it.
    const bool overlooked =
        state_.aside && live && same_file(live->id, state_.aside->id) && survey.rotated();
    if (state_.aside && !overlooked) {
      state_.file = std::exchange(state_.aside, std::nullopt);
      changed_ = true;
      grown = false;
      continue;
    }
    if (survey.fresh.empty()) return {};
    Unread next = survey.fresh.front();
    if (next.start.offset == 0) {
      if (auto before = others_.read_up_to(next.file, *this)) next.start = std::move(*before);
    }
    // If not taken, it was renamed this moment: the next look sees where it is.
    CARAVEL_TRY(try_take(next.file, next.start, now));
    return {};
  }
}

/// The unfinished file of the state, under whatever name it has now.
Result<bool> LogFollower::find_again(const std::vector<Sibling>& files, const Moment& now) {
  const Position file = *state_.file;
  for (const Sibling& candidate : files) {
    if (candidate.packed || !same_file(candidate.stamp.id, file.id)) continue;
    auto taken = try_take(candidate, file, now);
    if (!taken && !candidate.rotation.empty() && known_.pass_over(candidate, taken.error())) {
      // Read on as one that has grown, once it may be.
      known_.remember(file, file.offset, true);
      state_.file.reset();
      changed_ = true;
      return true;
    }
    if (!taken || *taken) return taken;
  }
  // Truncated, or gone: if it was copied first (copytruncate), the copy begins with what was read,
  // and goes on with what was not. The oldest that fits: if all that was read is a header that
  // every file begins with, the later ones are later copies, still to be read.
  CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, {file}, false));
  for (const Unread& candidate : survey.fresh) {
    if (candidate.file.rotation.empty()) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto taken, try_take(candidate.file, file, now));
    if (!taken) continue;
    copy_ = true;
    return true;
  }
  return false;
}

/// After a start: what happened to other files meanwhile comes before the log itself.
Result<> LogFollower::begin_looking_back(const std::optional<Stamp>& live,
                                         const std::vector<Sibling>& files, const Moment& now) {
  look_back_wait_ = std::max<std::chrono::milliseconds>(2 * grace_, std::chrono::seconds(1));
  look_back_ = now.steady + look_back_wait_;
  const bool in_place = state_.file && live && same_file(live->id, state_.file->id);
  if (!in_place || state_.aside) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto same, is_among(files, *state_.file));
  if (!same) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, {*state_.file}, false));
  if (survey.grown.empty() && !survey.rotated()) return {};
  state_.aside = std::exchange(state_.file, std::nullopt);
  changed_ = true;
  return {};
}

/// Sets the log aside if a file that was finished has grown, or one was overlooked while it was
/// renamed. Looked for ever more rarely.
Result<> LogFollower::look_back(const std::optional<Stamp>& live, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto files, list(live));
  CARAVEL_ASSIGN_OR_RETURN(auto survey, known_.survey(files, being_read(), false));
  if (survey.grown.empty() && !survey.rotated()) {
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

}  // namespace caravel::tail
