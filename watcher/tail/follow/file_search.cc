#include "watcher/tail/follow/file_search.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "watcher/tail/files/paths.h"
#include "watcher/tail/follow/copies.h"
#include "watcher/tail/follow/log_first.h"
#include "watcher/tail/follow/losses.h"
#include "watcher/tail/names/order.h"

namespace caravel::tail {
namespace {

/// The longest time between two looks for what was written to files that were finished.
constexpr std::chrono::hours kLookBackAtMost{1};

/// Whether one of `files` is the file of `position` and still holds what was read before it.
Result<bool> is_among(const std::vector<Sibling>& files, const Position& position) {
  for (const Sibling& file : files) {
    if (file.packed || !same_file(file.stamp.id, position.id)) continue;
    if (file.stamp.size < position.offset) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto fd, open_sibling(file));
    auto same = holds(fd.get(), position);
    if (!same || *same) return same;
  }
  return false;
}

}  // namespace

/// A crash between this and the next save is harmless: the start searches again, and sets aside
/// again.
void FileSearch::set_aside() {
  log_.state.aside = std::exchange(log_.state.file, std::nullopt);
  // Whether the log is written while it waits is told by its mtime.
  if (log_.state.aside && log_.open.is(log_.state.aside->id)) {
    log_.state.aside->modified = log_.open.stamp().modified;
  }
  changed_ = true;
}

void FileSearch::take_back() {
  log_.state.file = std::exchange(log_.state.aside, std::nullopt);
  changed_ = true;
}

void FileSearch::look_back_after(std::chrono::milliseconds wait, const Moment& now) {
  look_back_wait_ = wait;
  look_back_ = now.steady + wait;
}

void FileSearch::look_back_soon(const Moment& now) {
  look_back_after(std::max<std::chrono::milliseconds>(2 * grace_, std::chrono::seconds(1)), now);
}

void FileSearch::note_finished(bool log_first, const Moment& now) {
  log_first_ = log_first;
  look_back_soon(now);
}

std::vector<Position> FileSearch::being_read() const {
  std::vector<Position> files;
  if (log_.open.is_open()) {
    files.push_back(log_.open.position());
    // A compressed form of this file is known by the mtime of its last look.
    files.back().modified = log_.open.stamp().modified;
  }
  if (log_.state.aside) files.push_back(*log_.state.aside);
  return files;
}

void FileSearch::report_lost(const std::optional<Stamp>& live,
                             const std::vector<Sibling>& files) const {
  const Position& file = *log_.state.file;
  const std::string log = printable(log_.state.log);
  const std::string read = std::to_string(file.offset);
  if (live && same_file(live->id, file.id)) {
    say_loss(log_.state, log_.notices,
             log + ": was truncated or rewritten after its first " + read +
                 " bytes were read; what had been appended since is lost, if there was any");
    return;
  }
  const bool packed =
      std::any_of(files.begin(), files.end(), [](const Sibling& s) { return s.packed; });
  say_loss(log_.state, log_.notices,
           log + ": the file that was read up to byte " + read + " is gone (deleted" +
               (packed ? " or compressed" : "") +
               "); what had been appended since is lost, if there was any");
}

/// For a state that does not remember which files were read (of an older agent, or behind the
/// outbox): takes for read what is older than the last file read, by the order of names or, if that
/// file is gone, by mtime. Happens once.
Result<> FileSearch::recall_by_order(std::vector<Sibling> files) {
  LogState& state = log_.state;
  std::optional<FileId> last;
  std::int64_t since = *state.since;
  if (state.file) {
    since = state.file->modified;
    CARAVEL_ASSIGN_OR_RETURN(auto there, is_among(files, *state.file));
    if (there) last = state.file->id;
  } else if (!state.known.empty()) {
    last = state.known.back().id;
  }
  std::vector<Sibling> live;
  if (!files.empty() && files.back().rotation.empty()) {
    live.push_back(std::move(files.back()));
    files.pop_back();
  }
  sort_siblings(files, numbers_of(files, nullptr, nullptr));
  files.insert(files.end(), live.begin(), live.end());
  const auto found = std::find_if(files.begin(), files.end(), [&](const Sibling& file) {
    return last && same_file(file.stamp.id, *last);
  });
  for (auto file = files.begin(); file != files.end(); ++file) {
    const bool older = found != files.end() ? file < found : file->stamp.modified <= since;
    if (file->rotation.empty() || !older || log_.known.holds_id(file->stamp.id)) continue;
    log_.known.remember_there(*file);
  }
  state.since.reset();
  changed_ = true;
  return {};
}

/// Once after a start: an agent before this one may have known fewer names. What it took for no
/// file of the log, and was written before its last look, is not taken for unread now.
void FileSearch::pass_over_what_older_rules_did(const std::vector<Sibling>& files) {
  rules_compared_ = true;
  LogState& state = log_.state;
  const std::string rules = log_.files.kinship().rules();
  if (state.rules == rules) return;
  for (const Sibling& file : files) {
    if (file.rotation.empty() || log_.files.is_reading(file.stamp.id)) continue;
    const bool later = looked_before_ != 0 && file.stamp.modified >= looked_before_;
    if (later || log_.files.kinship().every_agent_knows(file.path)) continue;
    if (!log_.known.holds_id(file.stamp.id)) log_.known.remember_there(file);
  }
  state.rules = rules;
  changed_ = true;
}

Result<> FileSearch::open_next(const std::optional<Stamp>& live, const Moment& now) {
  LogState& state = log_.state;
  CARAVEL_ASSIGN_OR_RETURN(auto files, log_.files.list(live));
  if (state.since) CARAVEL_TRY(recall_by_order(files));
  if (!rules_compared_) pass_over_what_older_rules_did(files);
  if (!look_back_) CARAVEL_TRY(begin_looking_back(live, files, now));
  bool grown_first = !std::exchange(log_first_, false);
  const bool rotated_first = std::exchange(rotated_first_, false);
  if (state.aside && !state.file) {
    // If the log that was set aside is gone meanwhile, its copy is read first, or its loss is said.
    CARAVEL_ASSIGN_OR_RETURN(auto there, is_among(files, *state.aside));
    if (!there) take_back();
  }
  // A second round with the log that was set aside, and one for each packed file that was read.
  for (;;) {
    if (state.file) {
      CARAVEL_ASSIGN_OR_RETURN(auto settled, go_on_or_give_up(files, live, now));
      if (settled) return {};
    }
    // While the log's name is missing, its directory may be another one: nothing is forgotten.
    const auto inodes = log_.files.inodes();
    CARAVEL_ASSIGN_OR_RETURN(
        auto survey, log_.known.survey(files, being_read(), log_.files.live() ? &inodes : nullptr));
    // What is not read at once is held: its name may be gone when its turn comes.
    for (const Unread& next : survey.grown) log_.held.hold(next.file, now);
    for (const Unread& next : survey.fresh) log_.held.hold(next.file, now);
    if (grown_first && !survey.grown.empty()) return open_grown(survey.grown.front(), now);
    // The log was set aside for a rotated file that had been overlooked: that file is the older
    // one.
    const bool overlooked =
        state.aside && live && same_file(live->id, state.aside->id) && survey.rotated();
    if (state.aside && !overlooked) {
      take_back();
      grown_first = false;
      continue;
    }
    if (survey.fresh.empty()) return {};
    Unread& last = survey.fresh.back();
    const bool log_first = !rotated_first && last.file.rotation.empty() &&
                           last.start.offset < last.file.stamp.size &&
                           log_comes_first(survey, log_.state.log, live, last.start.offset > 0);
    Unread& next = log_first ? last : survey.fresh.front();
    if (!next.file.packed) return open_unread(std::move(next), now);
    CARAVEL_ASSIGN_OR_RETURN(const auto settled, open_unread_packed(next.file, files, now));
    if (settled) return {};
  }
}

Result<> FileSearch::open_grown(const Unread& next, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto opened, log_.open.open(next.file, next.start, now));
  if (opened && log_.open.is_rotated()) log_.open.mark_as_grown();
  return {};
}

Result<> FileSearch::open_unread(Unread next, const Moment& now) {
  if (next.file.proof != Proof::none && !std::exchange(told_of_doubt_, true)) {
    log_.notices.say(printable(next.file.path) + ": is read as a file of " +
                     printable(log_.state.log) +
                     ", because it was begun when the one before it was finished; if it is a log "
                     "of its own, name it as a LOG");
  }
  // Another log may have read this file under another name: its lines must not come twice.
  if (next.start.offset == 0) {
    auto before = log_.others.read_up_to(next.file, log_.state);
    if (before) next.start = std::move(*before);
  }
  // open() may return false: the file was renamed in this moment, and the next look sees its new
  // name.
  CARAVEL_TRY(log_.open.open(next.file, next.start, now));
  return {};
}

/// The text of a packed file; nothing if its packer still works on it, as far as can be told.
Result<std::optional<UnpackedText>> FileSearch::unpack(const Sibling& file, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto text, log_.unpacker.unpack(file, now));
  const std::int64_t grace = std::chrono::nanoseconds(grace_).count();
  if (!text.damage.empty() && std::abs(file_time() - file.stamp.modified) < grace) {
    return std::nullopt;
  }
  return text;
}

/// Opens a packed file. False: it does not hold what was read before `position`.
Result<bool> FileSearch::open_text(const Sibling& file, UnpackedText text, const Position& position,
                                   const Moment& now) {
  const std::string damage = text.damage;
  const std::string size = std::to_string(text.size);
  auto opened = log_.open.open_text(file, std::move(text), position, now);
  if (opened && *opened && !damage.empty()) {
    say_loss(log_.state, log_.notices,
             printable(file.path) + ": is damaged (" + damage + "): what comes behind its first " +
                 size + " bytes, unpacked, is lost");
    changed_ = true;
  }
  return opened;
}

/// A file that may be the one that `position` is in. False: it is not. True: it is open, or a
/// packed one that is still being made, or nothing can be said of it now.
Result<bool> FileSearch::open_again(const Sibling& file, const Position& position,
                                    const Moment& now) {
  if (!file.packed) return log_.open.open(file, position, now);
  CARAVEL_ASSIGN_OR_RETURN(auto text, unpack(file, now));
  if (!text) return true;
  return open_text(file, std::move(*text), position, now);
}

/// A packed file whose turn it is. False: nothing in it is to be read, which is remembered; the
/// next file may be opened. True: it is open, or its packer still works on it.
Result<bool> FileSearch::open_unread_packed(const Sibling& file, const std::vector<Sibling>& files,
                                            const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto text, unpack(file, now));
  if (!text) return true;
  CARAVEL_ASSIGN_OR_RETURN(const auto held, original_is_held(files, text->file.get(), text->size));
  if (held) {
    log_.known.remember_there(file);
    return false;
  }
  Stamp stamp = file.stamp;
  stamp.size = text->size;
  CARAVEL_ASSIGN_OR_RETURN(auto start,
                           log_.known.read_before_as_packed(text->file.get(), stamp, files));
  const std::optional<Position>& begun = log_.state.begun;
  if (!start && begun && begun->offset <= text->size) {
    CARAVEL_ASSIGN_OR_RETURN(const auto same, holds(text->file.get(), *begun));
    if (same) start = begun;
  }
  if (!start) start.emplace();
  start->id = stamp.id;
  if (start->offset == text->size && text->damage.empty()) {
    log_.known.remember_there(file);
    return false;
  }
  return open_text(file, std::move(*text), *start, now);
}

/// Opens the unfinished file of the state. False: the file is gone for good, which was said;
/// another may be opened. True: nothing more is to be done in this look.
Result<bool> FileSearch::go_on_or_give_up(const std::vector<Sibling>& files,
                                          const std::optional<Stamp>& live, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto found, find_again(files, now));
  if (found) return true;
  // While the log's name is missing, the loss is not certain: its file system may not be mounted.
  if (!log_.files.live()) return true;
  if (!log_.files.another_log_has_a_target()) report_lost(live, files);
  // The lost file is remembered, so that its compressed form, if it appears, is known as read.
  log_.known.remember(*log_.state.file, log_.state.file->offset, true);
  log_.state.file.reset();
  changed_ = true;
  return false;
}

/// Opens the unfinished file of the state under whatever name it has now, or its copy. False:
/// neither is there.
Result<bool> FileSearch::find_again(const std::vector<Sibling>& files, const Moment& now) {
  const Position file = *log_.state.file;
  for (const Sibling& candidate : files) {
    if (!same_file(candidate.stamp.id, file.id)) continue;
    auto opened = open_again(candidate, file, now);
    if (!opened && !candidate.rotation.empty() &&
        passed_over(candidate, opened.error(), log_.notices)) {
      // Once it may be read, it is read on as a file that has grown.
      log_.known.remember(file, file.offset, true);
      log_.state.file.reset();
      changed_ = true;
      return true;
    }
    if (!opened || *opened) return opened;
  }
  // Its new name may say nothing of the log; its identity does.
  CARAVEL_ASSIGN_OR_RETURN(const auto renamed, log_.files.find_renamed(file.id));
  if (renamed) {
    auto opened = log_.open.open(*renamed, file, now);
    if (opened && *opened) return true;
  }
  return find_copy(files, file, now);
}

/// For a file that was truncated or is gone. If copytruncate copied it first, the copy begins with
/// what was read and goes on with what was not. The oldest copy that fits is taken: if only a
/// header was read, with which every file begins, later copies that fit hold later lines, and are
/// still to be read.
Result<bool> FileSearch::find_copy(const std::vector<Sibling>& files, const Position& file,
                                   const Moment& now) {
  // A packed file with its mtime is this one: there may be more in it than was read.
  for (const Sibling& packed : files) {
    if (!packed.packed || packed.stamp.modified != file.modified) continue;
    if (!can_be_unpacked(packed)) continue;
    CARAVEL_ASSIGN_OR_RETURN(const auto opened, open_again(packed, file, now));
    if (opened) return true;
  }
  CARAVEL_ASSIGN_OR_RETURN(auto survey, log_.known.survey(files, {file}));
  // Copies with a name that says nothing come last: content alone speaks for them.
  for (Sibling& stranger : log_.files.strangers()) {
    survey.fresh.push_back({std::move(stranger), {}});
  }
  for (const Unread& candidate : survey.fresh) {
    if (candidate.file.rotation.empty()) continue;
    CARAVEL_ASSIGN_OR_RETURN(auto opened, open_again(candidate.file, file, now));
    if (!opened) continue;
    if (log_.open.is_open()) log_.open.mark_as_copy();
    return true;
  }
  return false;
}

/// Once after a start: if other files have grown meanwhile, or a rotated one was overlooked, the
/// log is set aside, so that those are read before it.
Result<> FileSearch::begin_looking_back(const std::optional<Stamp>& live,
                                        const std::vector<Sibling>& files, const Moment& now) {
  look_back_soon(now);
  const LogState& state = log_.state;
  const bool in_place = state.file && live && same_file(live->id, state.file->id);
  if (!in_place || state.aside) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto same, is_among(files, *state.file));
  if (!same) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto survey, log_.known.survey(files, {*state.file}));
  // Otherwise the log is read to its end first.
  const bool unread = live->modified != state.file->modified || live->size > state.file->offset;
  const bool log_first =
      unread && log_comes_first(survey, log_.state.log, live, state.file->offset > 0);
  if (!survey.grown.empty() || (survey.rotated() && !log_first)) set_aside();
  return {};
}

Result<> FileSearch::look_back(const std::optional<Stamp>& live, bool news, const Moment& now) {
  CARAVEL_ASSIGN_OR_RETURN(auto files, log_.files.list(live));
  CARAVEL_ASSIGN_OR_RETURN(auto survey, log_.known.survey(files, being_read()));
  if (survey.grown.empty() && !survey.rotated()) {
    if (news) {
      look_back_after(std::max<std::chrono::milliseconds>(grace_, std::chrono::seconds(1)), now);
      return {};
    }
    look_back_after(std::min<std::chrono::milliseconds>(2 * look_back_wait_, kLookBackAtMost), now);
    return {};
  }
  // Its end is read first, also if that is no line end (LogFollower::look_for_end_of_log()).
  const bool at_end =
      !live || (!log_.open.was_written(*live) && log_.open.position().offset >= live->size);
  if (!at_end && log_comes_first(survey, log_.state.log, live, log_.open.position().offset > 0)) {
    look_back_after(std::chrono::seconds(1), now);
    return {};
  }
  rotated_first_ = true;
  // The log is opened again later; until then it may be renamed or deleted.
  if (live && log_.open.is(live->id)) {
    Sibling file{log_.state.log, {}, *live};
    file.held = log_.open.fd();
    log_.held.hold(file, now);
  }
  if (log_.state.file && !log_.state.aside) set_aside();
  log_.open.close();
  return {};
}

}  // namespace caravel::tail
